import ArgumentParser
import WireFormat

/// `odometer validation-rules`: what is asked of events before they count.
struct ValidationRulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validation-rules",
        abstract: "List, show, create, change, try and retire validation rules.",
        discussion: """
            A rule that rejects keeps events in quarantine; one that warns lets them count. \
            `try` says what a rule would have made of stored events, before it is made.
            """,
        subcommands: [
            ValidationRulesList.self, ValidationRulesShow.self, ValidationRulesCreate.self,
            ValidationRulesUpdate.self, ValidationRulesVersions.self, ValidationRulesTry.self,
            ValidationRulesRetire.self,
        ],
        defaultSubcommand: ValidationRulesList.self
    )

    static func path(_ key: String, _ what: String = "") -> String {
        "/v1/validation-rules/" + ServerConnection.segment(key) + what
    }

    /// The rules of a file, as they are sent: what `show --json` and `apply` write is good too.
    static func read(_ file: String) throws(CommandFailure) -> [JSONObject] {
        try DeclaredDocuments.read(file).map { document in
            var rule = document.value
            if rule["kind"]?.stringValue == DeclaredKind.validationRule.name { rule["kind"] = nil }
            for name in ValidationRuleDocument.ours { rule[name] = nil }
            return rule
        }
    }
}

/// A validation rule as the server tells it.
struct ValidationRuleAnswer {
    private let document: JSONValue

    init(_ document: JSONValue) { self.document = document }

    init(_ answer: ServerAnswer) throws(CommandFailure) {
        guard let document = try? JSONValue.parse(answer.bytes), document["key"] != nil else {
            throw CommandFailure(.refused, "the server's answer has another shape")
        }
        self.document = document
    }

    /// All rules of a page, and its `next`.
    static func page(
        _ answer: ServerAnswer
    ) throws(CommandFailure) -> (rules: [ValidationRuleAnswer], next: String?) {
        guard let page = try? JSONValue.parse(answer.bytes), let items = page["items"]?.arrayValue
        else { throw CommandFailure(.refused, "the server's answer has another shape") }
        return (items.map(ValidationRuleAnswer.init), page["next"]?.stringValue)
    }

    func text(_ name: String) -> String { document[name]?.stringValue ?? "" }
    var version: String { document["version"]?.numberValue ?? "-" }
    var state: String { document["retiredAt"] == nil ? "active" : "retired" }

    /// What it looks at, in the words of the API.
    var check: (name: String, value: String) {
        for name in ValidationRuleDocument.checkFields {
            guard let value = document[name] else { continue }
            let bytes = value.stringValue.map { Array($0.utf8) } ?? value.serialized()
            return (name, String(decoding: bytes, as: UTF8.self))
        }
        return ("-", "")
    }

    /// Name and value of everything said, for people.
    var shown: String {
        let (name, value) = check
        let warnings = document["warnings"]
        let said: [(String, String?)] = [
            ("key", text("key")), ("description", text("description")),
            ("event type", text("eventType")), ("action", text("action")), (name, value),
            ("message", text("message")), ("version", version), ("state", state),
            ("made", text("createdAt")), ("retired", text("retiredAt")),
            ("warned of", warnings?["events"]?.stringValue),
            ("first", warnings?["firstSeenAt"]?.stringValue),
            ("last", warnings?["lastSeenAt"]?.stringValue),
            ("sample at", warnings?["sample"]?.stringValue),
        ]
        var table = Table(["", ""])
        for case (let name, let value?) in said where !value.isEmpty { table.add([name, value]) }
        return table.text(withHead: false)
    }

    static func table(_ rules: [ValidationRuleAnswer]) -> String {
        var table = Table(
            ["KEY", "EVENT TYPE", "ACTION", "CHECK", "", "VERSION", "STATE"],
            numbers: [5]
        )
        for rule in rules {
            let (name, value) = rule.check
            let short = value.count > 60 ? value.prefix(59) + "…" : value[...]
            table.add([
                rule.text("key"), rule.text("eventType"), rule.text("action"), name,
                String(short), rule.version, rule.state,
            ])
        }
        return table.text()
    }
}

struct ValidationRulesList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List validation rules, the retired ones included."
    )

    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, "/v1/validation-rules", query: list.query)
            guard !answer.json else { return Terminal.put(got) }
            let (rules, next) = try ValidationRuleAnswer.page(got)
            Terminal.put(ValidationRuleAnswer.table(rules))
            list.tell(next: next)
        }
    }
}

struct ValidationRulesShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one rule, and how many events it warned of."
    )

    @Argument(help: "Key of the rule.") var key: String
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, ValidationRulesCommand.path(key))
            guard !answer.json else { return Terminal.put(got) }
            Terminal.put(try ValidationRuleAnswer(got).shown)
        }
    }
}

struct ValidationRulesVersions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "versions",
        abstract: "List all versions of a rule, the first one first."
    )

    @Argument(help: "Key of the rule.") var key: String
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, ValidationRulesCommand.path(key, "/versions"))
            guard !answer.json else { return Terminal.put(got) }
            Terminal.put(ValidationRuleAnswer.table(try ValidationRuleAnswer.page(got).rules))
        }
    }
}
