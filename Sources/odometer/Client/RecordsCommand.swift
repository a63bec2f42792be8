import ArgumentParser
import WireFormat

/// `odometer records`: what each meter used in its closed periods.
struct RecordsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "records",
        abstract: "List usage records, show one or the events behind it, or make an interim one.",
        subcommands: [
            RecordsList.self, RecordsShow.self, RecordsEvents.self, RecordsInterim.self,
        ],
        defaultSubcommand: RecordsList.self
    )
}

struct RecordAnswer: Decodable {
    struct Period: Decodable {
        var start: String
        var end: String
        var localStart: String
        var localEnd: String
        var timezone: String
    }

    var sequence: String
    var id: String
    var kind: String
    var cause: String
    var meter: String
    var customer: String?
    var period: Period
    var revision: Int
    var previous: String?
    var value: String?
    var delta: String
    var amount: String?
    var events: String
    var unit: String?
    var position: String
    var createdAt: String

    struct Page: Decodable {
        var items: [RecordAnswer]
        var next: String?

        var table: String {
            var table = Table(
                [
                    "SEQUENCE", "KIND", "METER", "CUSTOMER", "FROM", "TO", "VALUE", "DELTA",
                    "EVENTS",
                ],
                numbers: [0, 6, 7, 8]
            )
            for one in items {
                table.add([
                    one.sequence, one.kind, one.meter, one.customer ?? "-", one.period.start,
                    one.period.end, one.value ?? "-", one.delta, one.events,
                ])
            }
            return table.text()
        }
    }
}

/// Whose records are meant: also where deliveries of them are listed.
struct RecordFlags: ParsableArguments {
    @Option(name: .customLong("meter-type"), help: "Only of this meter type; may repeat.")
    var meterTypes: [String] = []
    @Option(name: .customLong("subject"), help: "Only of this subject; may repeat.")
    var subjects: [String] = []
    @Option(name: .customLong("customer"), help: "Only of this customer; may repeat.")
    var customers: [String] = []

    var query: [(String, String)] {
        meterTypes.map { ("meterType", $0) } + subjects.map { ("subject", $0) }
            + customers.map { ("customer", $0) }
    }
}

struct RecordsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List usage records in the order in which they were made."
    )

    @OptionGroup var whose: RecordFlags
    @Option(name: .customLong("kind"), help: "final, adjustment or interim; may repeat.")
    var kinds: [String] = []
    @Option(help: "Only of periods that end after this, RFC 3339.") var from: String?
    @Option(help: "Only of periods that start before this, RFC 3339.") var to: String?
    @Option(help: "Only of later sequences.") var after: Int?
    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    @Flag(help: "Print CSV with all fields.") var csv = false

    func run() async throws {
        var query = list.query + whose.query + kinds.map { ("kind", $0) }
        for case (let name, let value?) in [
            ("from", from), ("to", to), ("after", after.map(String.init)),
        ] {
            query.append((name, value))
        }
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(
                .get,
                "/v1/usage-records",
                query: query,
                accept: csv ? "text/csv" : "application/json"
            )
            if csv || answer.json { return Terminal.put(got) }
            let page = try got.decoded(RecordAnswer.Page.self)
            Terminal.put(page.table)
            list.tell(next: page.next)
        }
    }
}

struct RecordsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one usage record."
    )

    @Argument(help: "Id of the record.") var id: String
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let path = "/v1/usage-records/" + ServerConnection.segment(id)
            let got = try await server.ask(.get, path)
            if answer.json { return Terminal.put(got) }
            let one = try got.decoded(RecordAnswer.self)
            var fields = Table(["", ""])
            let all: [(String, String?)] = [
                ("id", one.id), ("sequence", one.sequence), ("kind", one.kind),
                ("cause", one.cause), ("meter", one.meter), ("customer", one.customer),
                ("period", "\(one.period.start) to \(one.period.end)"),
                ("local", "\(one.period.localStart) to \(one.period.localEnd)"),
                ("zone", one.period.timezone), ("revision", "\(one.revision)"),
                ("previous", one.previous), ("value", one.value), ("delta", one.delta),
                ("amount", one.amount),
                ("unit", one.unit), ("events", one.events), ("position", one.position),
                ("made", one.createdAt),
            ]
            for case (let name, let value?) in all { fields.add([name, value]) }
            Terminal.put(fields.text(withHead: false))
        }
    }
}

struct RecordsEvents: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "List the events behind a usage record, as known when it was made."
    )

    @Argument(help: "Id of the record.") var id: String
    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let path = "/v1/usage-records/\(ServerConnection.segment(id))/events"
            let got = try await server.ask(.get, path, query: list.query)
            if answer.json { return Terminal.put(got) }
            list.tell(next: try EventsList.show(got))
        }
    }
}

struct RecordsInterim: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "interim",
        abstract: "Make an interim record: tell where the running period of a meter stands."
    )

    @Argument(help: "Id of the meter.") var meter: String
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        try await RecordsMaking.run(["meter": .string(meter), "kind": "interim"], answer)
    }
}

/// `odometer close`: ends running periods before their time.
struct CloseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close",
        abstract: "Close the running period of a meter, or of all of a customer's, at once.",
        discussion: """
              odometer close kwh~house-7
              odometer close --customer acme

            All that began is closed, grace or not, and told by final records; the next period \
            begins now. A meter that is to count no more is closed with `odometer meters close`.
            """
    )

    @Argument(help: "Id of the meter.") var meter: String?
    @Option(help: "All meters of this customer's subjects.") var customer: String?
    @OptionGroup var answer: ChangeFlags

    func validate() throws {
        if (meter == nil) == (customer == nil) {
            throw ValidationError("name a meter, or a customer with --customer")
        }
    }

    func run() async throws {
        var document: JSONObject = ["kind": "final"]
        document["meter"] = meter.map { .string($0) }
        document["customer"] = customer.map { .string($0) }
        try await RecordsMaking.run(document, answer)
    }
}

private enum RecordsMaking {
    static func run(_ document: JSONObject, _ answer: ChangeFlags) async throws {
        let body = (type: "application/json", bytes: JSONValue.object(document).serialized())
        try await ServerConnection.open(answer) { server in
            let got = try await server.ask(.post, "/v1/usage-records", body: body)
            if answer.json { return Terminal.put(got) }
            Terminal.put(try got.decoded(RecordAnswer.Page.self).table)
        }
    }
}
