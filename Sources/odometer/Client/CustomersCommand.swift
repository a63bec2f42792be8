import ArgumentParser
import UsageModel
import WireFormat

/// `odometer customers`: who pays, and what they own.
struct CustomersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "customers",
        abstract: "List, show, put and retire customers; list unowned subjects; make statements.",
        subcommands: [
            CustomersList.self, CustomersShow.self, CustomersPut.self, CustomersRetire.self,
            CustomersUnowned.self, CustomersStatement.self,
        ],
        defaultSubcommand: CustomersList.self
    )
}

/// A customer as the server tells it.
struct CustomerAnswer: Decodable {
    /// A subject, plain or with the times of its ownership.
    struct Subject: Decodable {
        private struct Dated: Decodable {
            var subject: String
            var from: String?
            var to: String?
        }

        var subject: String
        var from: String?
        var to: String?

        init(from decoder: any Decoder) throws {
            if let text = try? decoder.singleValueContainer().decode(String.self) {
                subject = text
                return
            }
            let dated = try Dated(from: decoder)
            (subject, from, to) = (dated.subject, dated.from, dated.to)
        }
    }

    var key: String
    var name: String?
    var timezone: String?
    var category: String?
    var externalRef: String?
    var metadata: [String: String]?
    var subjects: [Subject]
    var createdAt: String
    var retiredAt: String?

    static func show(_ answer: ServerAnswer, json: Bool) throws {
        guard !json else { return Terminal.put(answer) }
        let one = try answer.decoded(CustomerAnswer.self)
        let metadata = one.metadata?.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
        let said: [(String, String?)] = [
            ("key", one.key), ("name", one.name), ("timezone", one.timezone),
            ("category", one.category), ("external ref", one.externalRef),
            ("metadata", metadata?.joined(separator: ", ")), ("created", one.createdAt),
            ("retired", one.retiredAt),
        ]
        var table = Table(["", ""])
        for case (let name, let value?) in said where !value.isEmpty { table.add([name, value]) }
        Terminal.put(table.text(withHead: false))
        guard !one.subjects.isEmpty else { return }
        var subjects = Table(["SUBJECT", "FROM", "TO"])
        for owned in one.subjects {
            subjects.add([owned.subject, owned.from ?? "ever", owned.to ?? "ever"])
        }
        Terminal.put("\n" + subjects.text())
    }
}

struct CustomersList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List customers, the retired ones included."
    )

    private struct Page: Decodable {
        var items: [CustomerAnswer]
        var next: String?
    }

    @Option(help: "List only those whose key, name, reference or a subject holds this.")
    var search: String?
    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        let query = (search.map { [("q", $0)] } ?? []) + list.query
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, "/v1/customers", query: query)
            guard !answer.json else { return Terminal.put(got) }
            let page = try got.decoded(Page.self)
            var table = Table(["KEY", "NAME", "TIMEZONE", "SUBJECTS", "STATE"], numbers: [3])
            for one in page.items {
                table.add([
                    one.key, one.name ?? "-", one.timezone ?? "-", "\(one.subjects.count)",
                    one.retiredAt == nil ? "active" : "retired",
                ])
            }
            Terminal.put(table.text())
            list.tell(next: page.next)
        }
    }
}

struct CustomersShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one customer and its subjects."
    )

    @Argument(help: "Key of the customer.") var key: String
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let path = "/v1/customers/" + ServerConnection.segment(key)
            try CustomerAnswer.show(await server.ask(.get, path), json: answer.json)
        }
    }
}

struct CustomersPut: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put",
        abstract: "Make a customer, or replace what is said of it.",
        discussion: """
              odometer customers put acme --name "Acme GmbH" --timezone Europe/Berlin \\
                --subject acme --subject acme-dev,2026-01-01T00:00:00Z,2026-07-01T00:00:00Z
              odometer customers put acme --file acme.json

            What is not said is not kept: subjects that are left out are not owned any more.
            """
    )

    @Argument(help: "Key of the customer.") var key: String
    @Option(help: "Its name.") var name: String?
    @Option(help: "IANA time zone in which its periods are cut; UTC if not said.")
    var timezone: String?
    @Option(
        name: .customLong("subject"),
        help: "SUBJECT, or SUBJECT,FROM,TO where it owns it for a time (either may be empty)."
    )
    var subjects: [String] = []
    @Option(help: "A word to sort customers by.") var category: String?
    @Option(name: .customLong("external-ref"), help: "What another system calls the customer.")
    var externalRef: String?
    @Option(name: .customLong("metadata"), help: "NAME=TEXT of your own; may repeat.")
    var metadata: [String] = []
    @Option(help: "The whole customer as a file, JSON; - is standard input.") var file: String?
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        let bytes = try file.map { file throws in try CommandBody.read(file) } ?? document()
        try await ServerConnection.open(answer) { server in
            let path = "/v1/customers/" + ServerConnection.segment(key)
            let body = (type: "application/json", bytes: bytes)
            try CustomerAnswer.show(await server.ask(.put, path, body: body), json: answer.json)
        }
    }

    private func document() throws -> [UInt8] {
        var document = JSONObject()
        document["name"] = name.map { .string($0) }
        document["timezone"] = timezone.map { .string($0) }
        document["category"] = category.map { .string($0) }
        document["externalRef"] = externalRef.map { .string($0) }
        var members = JSONObject()
        for text in metadata {
            guard let cut = text.firstIndex(of: "="), cut > text.startIndex else {
                throw ValidationError("--metadata is NAME=TEXT, not \"\(text)\"")
            }
            members[String(text[..<cut])] = .string(String(text[text.index(after: cut)...]))
        }
        if !members.isEmpty { document["metadata"] = .object(members) }
        document["subjects"] = .array(subjects.map(Self.subject))
        return JSONValue.object(document).serialized()
    }

    /// A subject as a flag says it: `acme`, `acme,FROM` or `acme,FROM,TO`; a time may be left out.
    static func subject(_ text: String) -> JSONValue {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        // What stands behind a comma is a time, or nothing; a subject may hold commas itself.
        func isTime(_ part: String) -> Bool { part.isEmpty || Instant(rfc3339: part) != nil }
        let times = parts.dropFirst().suffix(2).reversed().prefix(while: isTime).count
        guard times > 0 else { return .string(text) }
        let subject = parts.dropLast(times).joined(separator: ",")
        var document: JSONObject = ["subject": .string(subject)]
        for (name, part) in zip(["from", "to"], parts.suffix(times)) where !part.isEmpty {
            document[name] = .string(part)
        }
        return .object(document)
    }
}

struct CustomersRetire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract: "Retire a customer: from now on it owns nothing; what was its own stays so."
    )

    @Argument(help: "Key of the customer.") var key: String
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        try await ServerConnection.open(answer) { server in
            let path = "/v1/customers/" + ServerConnection.segment(key)
            try CustomerAnswer.show(await server.ask(.delete, path), json: answer.json)
        }
    }
}

struct CustomersUnowned: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unowned",
        abstract: "List subjects that no customer owns now."
    )

    private struct Page: Decodable {
        struct Subject: Decodable { var subject: String }
        var items: [Subject]
        var next: String?
    }

    @Option(help: "List only subjects that begin so.") var prefix: String?
    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        let query = [("unowned", "true")] + (prefix.map { [("q", $0)] } ?? []) + list.query
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, "/v1/subjects", query: query)
            guard !answer.json else { return Terminal.put(got) }
            let page = try got.decoded(Page.self)
            var table = Table(["SUBJECT"])
            for one in page.items { table.add([one.subject]) }
            Terminal.put(table.text())
            list.tell(next: page.next)
        }
    }
}
