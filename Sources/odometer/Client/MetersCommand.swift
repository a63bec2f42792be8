import ArgumentParser

/// `odometer meters`: what each subject used, and whether it is counted.
struct MetersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meters",
        abstract: "List and show meters; enrol, change, suspend, resume and close them.",
        subcommands: [
            MetersShow.self, MetersEnrol.self, MetersChange.self, MetersSuspend.self,
            MetersResume.self, MetersClose.self,
        ],
        defaultSubcommand: MetersShow.self
    )
}

/// `odometer meters`, or `odometer meters show`: in the period of now.
struct MetersShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "List meters; show one: its value, its period, its next resets.",
        discussion: """
              odometer meters --meter-type tokens-in --prefix ac
              odometer meters tokens-in~acme
              odometer meters tokens-in~acme --periods
            """
    )

    @Argument(help: "Id of a meter, as the list has it; without: all meters.") var id: String?

    @Option(name: .customLong("subject"), help: "List only this subject; may repeat.")
    var subjects: [String] = []

    @Option(name: .customLong("meter-type"), help: "List only this meter type; may repeat.")
    var meterTypes: [String] = []

    @Option(name: .customLong("customer"), help: "List only this customer's; may repeat.")
    var customers: [String] = []

    @Option(name: .customLong("state"), help: "active, suspended or closed; may repeat.")
    var states: [String] = []

    @Option(help: "List only subjects that begin so.")
    var prefix: String?

    @Option(help: "Show the meter as of another time than now, RFC 3339.")
    var at: String?

    @Option(help: "As known at this position, or by this time.")
    var asOf: String?

    @Flag(help: "Show the meter's past periods, newest first.")
    var periods = false

    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    func validate() throws {
        let isFiltered =
            ![subjects, meterTypes, customers, states].allSatisfy(\.isEmpty) || prefix != nil
        if id == nil, periods || at != nil {
            throw ValidationError("--periods and --at are of one meter: say its id")
        }
        if id != nil, isFiltered {
            throw ValidationError("filters and --prefix are of the list: say no id")
        }
    }

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            guard let id else { return try await showAll(server) }
            let path = "/v1/meters/" + ServerConnection.segment(id)
            let query = [("at", at), ("asOf", asOf)].compactMap { name, value in
                value.map { (name, $0) }
            }
            if periods {
                let got = try await server.ask(.get, path + "/periods", query: query + list.query)
                try show(periods: got)
            } else {
                try show(meter: await server.ask(.get, path, query: query))
            }
        }
    }

    // MARK: The list

    private struct Page: Decodable {
        struct Meter: Decodable {
            var id: String
            var meterType: String
            var subject: String
            var customer: String?
            var state: String
        }
        var items: [Meter]
        var next: String?
    }

    private func showAll(_ server: ServerConnection) async throws {
        var query = subjects.map { ("subject", $0) } + meterTypes.map { ("meterType", $0) }
        query += customers.map { ("customer", $0) } + states.map { ("state", $0) }
        if let prefix { query.append(("q", prefix)) }
        if let asOf { query.append(("asOf", asOf)) }
        let got = try await server.ask(.get, "/v1/meters", query: query + list.query)
        guard !answer.json else { return Terminal.put(got) }
        let page = try got.decoded(Page.self)
        var table = Table(["ID", "METER TYPE", "SUBJECT", "CUSTOMER", "STATE"])
        for meter in page.items {
            table.add([
                meter.id, meter.meterType, meter.subject, meter.customer ?? "-", meter.state,
            ])
        }
        Terminal.put(table.text())
        list.tell(next: page.next)
    }

    // MARK: One meter

    private struct One: Decodable {
        var id: String
        var meterType: String
        var subject: String
        var customer: String?
        var state: String
        var reason: String?
        var start: String?
        var end: String?
        var category: String?
        var externalRef: String?
        var metadata: [String: String]?
        var unit: String
        var period: EventAnswer.Period
        var value: String?
        var events: String
        var firstEventAt: String?
        var lastEventAt: String?
        var dimensions: [[String: String?]]?
        var capacity: String?
        var nextResets: [String]
        var position: String
    }

    private func show(meter got: ServerAnswer) throws {
        guard !answer.json else { return Terminal.put(got) }
        let meter = try got.decoded(One.self)
        let said: [(String, String?)] = [
            ("id", meter.id), ("meter type", meter.meterType), ("subject", meter.subject),
            ("customer", meter.customer), ("state", meter.state), ("reason", meter.reason),
            ("enrolled from", meter.start), ("enrolled to", meter.end),
            ("category", meter.category), ("external ref", meter.externalRef),
            ("metadata", Self.words(meter.metadata)), ("value", meter.value ?? "-"),
            ("unit", meter.unit),
            ("capacity", meter.capacity), ("events", meter.events),
            ("first event", meter.firstEventAt), ("last event", meter.lastEventAt),
            ("period", meter.period.text),
            ("next resets", meter.nextResets.isEmpty ? "none" : meter.nextResets[0]),
        ]
        var table = Table(["", ""])
        for case (let name, let value?) in said where !value.isEmpty { table.add([name, value]) }
        for reset in meter.nextResets.dropFirst() { table.add(["", reset]) }
        Terminal.put(table.text(withHead: false))
        if let parts = meter.dimensions, !parts.isEmpty { Self.show(parts) }
        Terminal.say("as of position \(meter.position)")
    }

    private static func words(_ metadata: [String: String]?) -> String? {
        metadata?.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
            .joined(separator: ", ")
    }

    private static func show(_ parts: [[String: String?]]) {
        let names = Set(parts.flatMap(\.keys)).subtracting(["value", "events"]).sorted()
        let columns = names + ["value", "events"]
        var table = Table(
            columns.map { $0.uppercased() },
            numbers: [columns.count - 2, columns.count - 1]
        )
        for part in parts { table.add(columns.map { (part[$0] ?? nil) ?? "-" }) }
        Terminal.put("\n" + table.text())
    }

    // MARK: Its periods

    private struct Periods: Decodable {
        struct Period: Decodable {
            var start: String?
            var end: String
            var value: String?
            var events: String
        }
        var position: String
        var items: [Period]
        var next: String?
    }

    private func show(periods got: ServerAnswer) throws {
        guard !answer.json else { return Terminal.put(got) }
        let page = try got.decoded(Periods.self)
        var table = Table(["START", "END", "VALUE", "EVENTS"], numbers: [2, 3])
        for period in page.items {
            table.add([period.start ?? "ever", period.end, period.value ?? "-", period.events])
        }
        Terminal.put(table.text())
        Terminal.say("as of position \(page.position)")
        list.tell(next: page.next)
    }
}
