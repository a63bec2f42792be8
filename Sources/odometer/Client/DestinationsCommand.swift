import ArgumentParser

/// `odometer destinations`: where usage records go.
struct DestinationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destinations",
        abstract: "List, show, put, test, pause and retire destinations of usage records.",
        subcommands: [
            DestinationsList.self, DestinationsShow.self, DestinationsPut.self,
            DestinationsTest.self, DestinationsPause.self, DestinationsResume.self,
            DestinationsRetire.self, DestinationsBooks.self,
        ],
        defaultSubcommand: DestinationsList.self
    )

    static func path(_ key: String, _ what: String = "") -> String {
        "/v1/destinations/" + ServerConnection.segment(key) + what
    }

    /// Changes one destination, and shows it.
    static func change(
        _ method: ServerConnection.Method,
        _ key: String,
        _ what: String = "",
        body: (type: String, bytes: [UInt8])? = nil,
        answer: ChangeFlags
    ) async throws {
        try await ServerConnection.open(answer) { server in
            let got = try await server.ask(method, path(key, what), body: body)
            try DestinationAnswer.show(got, json: answer.json)
        }
    }
}

/// A destination as the server tells it.
struct DestinationAnswer: Decodable {
    struct Anything: Decodable { init(from decoder: any Decoder) {} }

    struct Standing: Decodable {
        var pending: String
        var delivered: String
        var failed: String
        var waiting: String
        var missing: String
        var oldestPendingAt: String?
    }

    var key: String
    var name: String?
    var paused: Bool?
    var webhook: Anything?
    var http: Anything?
    var files: Anything?
    var stripe: Anything?
    var cloudEvents: Anything?
    var stdout: Anything?
    var revision: Int
    var createdAt: String
    var retiredAt: String?
    var standing: Standing?

    var kind: String {
        let kinds: [(String, Anything?)] = [
            ("webhook", webhook), ("http", http), ("files", files), ("stripe", stripe),
            ("cloudEvents", cloudEvents), ("stdout", stdout),
        ]
        return kinds.first { $0.1 != nil }?.0 ?? "-"
    }

    var state: String {
        retiredAt != nil ? "retired" : paused == true ? "paused" : "active"
    }

    static func show(_ answer: ServerAnswer, json: Bool) throws {
        guard !json else { return Terminal.put(answer) }
        let one = try answer.decoded(DestinationAnswer.self)
        var table = Table(["", ""])
        let said: [(String, String?)] = [
            ("key", one.key), ("name", one.name), ("kind", one.kind), ("state", one.state),
            ("revision", "\(one.revision)"), ("created", one.createdAt),
            ("retired", one.retiredAt), ("delivered", one.standing?.delivered),
            ("pending", one.standing?.pending), ("failed", one.standing?.failed),
            ("waiting", one.standing?.waiting),
            ("oldest pending", one.standing?.oldestPendingAt),
        ]
        for case (let name, let value?) in said where !value.isEmpty { table.add([name, value]) }
        Terminal.put(table.text(withHead: false))
    }
}

struct DestinationsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List destinations, the retired ones included."
    )

    private struct Page: Decodable { var items: [DestinationAnswer] }

    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, "/v1/destinations")
            guard !answer.json else { return Terminal.put(got) }
            var table = Table(["KEY", "NAME", "KIND", "STATE"])
            for one in try got.decoded(Page.self).items {
                table.add([one.key, one.name ?? "-", one.kind, one.state])
            }
            Terminal.put(table.text())
        }
    }
}

struct DestinationsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one destination and how it stands."
    )

    @Argument(help: "Key of the destination.") var key: String
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, DestinationsCommand.path(key))
            try DestinationAnswer.show(got, json: answer.json)
        }
    }
}

struct DestinationsPut: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put",
        abstract: "Make a destination, or replace what is said of it.",
        discussion: """
              odometer destinations put billing --file billing.json
              echo '{"stdout":{}}' | odometer destinations put look --file -

            All fields: docs/reference/destinations.md. What is not said is as by default; a \
            secret that reads "(hidden)" stays as it is.
            """
    )

    @Argument(help: "Key of the destination.") var key: String
    @Option(help: "The destination as a file, JSON; - is standard input.") var file: String
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        let body = (type: "application/json", bytes: try CommandBody.read(file))
        try await DestinationsCommand.change(.put, key, body: body, answer: answer)
    }
}

struct DestinationsTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Send a record that is none, once, and tell what came back.",
        discussion: "Leaves with code 4 where it was not taken."
    )

    private struct Outcome: Decodable {
        var outcome: String
        var status: Int?
        var answer: String
    }

    @Argument(help: "Key of the destination.") var key: String
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        try await ServerConnection.open(answer) { server in
            let got = try await server.ask(.post, DestinationsCommand.path(key, "/test"))
            let outcome = try got.decoded(Outcome.self)
            if answer.json {
                Terminal.put(got)
            } else {
                let words = [
                    outcome.outcome, outcome.status.map { "(\($0))" } ?? "", outcome.answer,
                ]
                Terminal.put(words.filter { !$0.isEmpty }.joined(separator: " ") + "\n")
            }
            if outcome.outcome != "delivered" { throw CommandFailure(.incomplete) }
        }
    }
}

struct DestinationsPause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Send nothing until the destination is resumed."
    )

    @Argument(help: "Key of the destination.") var key: String
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        try await DestinationsCommand.change(.post, key, "/pause", answer: answer)
    }
}

struct DestinationsResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Send again what waited."
    )

    @Argument(help: "Key of the destination.") var key: String
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        try await DestinationsCommand.change(.post, key, "/resume", answer: answer)
    }
}

struct DestinationsRetire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract: "Retire a destination: nothing is sent from now on."
    )

    @Argument(help: "Key of the destination.") var key: String
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        try await DestinationsCommand.change(.delete, key, answer: answer)
    }
}

struct DestinationsBooks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "books",
        abstract: "What was made, sent and acknowledged, by meter type and period."
    )

    private struct Books: Decodable {
        struct Side: Decodable {
            var records: String
            var amount: String?
        }

        struct Book: Decodable {
            var meterType: String
            var start: String
            var end: String
            var made: Side
            var sent: Side
            var acknowledged: Side
            var failed: Side
            var pending: Side
        }

        var items: [Book]
    }

    @Argument(help: "Key of the destination.") var key: String
    @Option(help: "Only of periods that end after this, RFC 3339.") var from: String?
    @Option(help: "Only of periods that start before this, RFC 3339.") var to: String?
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        let query = [("from", from), ("to", to)].compactMap { name, value in
            value.map { (name, $0) }
        }
        try await ServerConnection.open(answer.server) { server in
            let path = DestinationsCommand.path(key, "/reconciliation")
            let got = try await server.ask(.get, path, query: query)
            guard !answer.json else { return Terminal.put(got) }
            var table = Table(
                [
                    "METER TYPE", "FROM", "TO", "MADE", "AMOUNT", "SENT", "ACKNOWLEDGED", "AMOUNT",
                    "FAILED", "PENDING",
                ],
                numbers: [3, 4, 5, 6, 7, 8, 9]
            )
            for one in try got.decoded(Books.self).items {
                table.add([
                    one.meterType, one.start, one.end, one.made.records, one.made.amount ?? "-",
                    one.sent.records, one.acknowledged.records, one.acknowledged.amount ?? "-",
                    one.failed.records, one.pending.records,
                ])
            }
            Terminal.put(table.text())
        }
    }
}
