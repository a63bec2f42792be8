import ArgumentParser

/// `odometer usage`: readings.
struct UsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage",
        abstract: "Read meters: exact values over any range, in windows and groups.",
        discussion: """
              odometer usage --meter-type tokens-in --from 2026-11-01T00:00:00Z \\
                --to 2026-12-01T00:00:00Z --window day --timezone Europe/Berlin --group-by model
            """
    )

    @Option(name: .customLong("meter-type"), help: "Meter type; may repeat.")
    var meterTypes: [String] = []

    @Option(name: .customLong("subject"), help: "Subject; may repeat. Without: over all of them.")
    var subjects: [String] = []

    @Option(name: .customLong("customer"), help: "Only subjects of this customer; may repeat.")
    var customers: [String] = []

    @Option(help: "Start of the range, RFC 3339; in it.")
    var from: String?

    @Option(help: "End of the range, RFC 3339; no more in it.")
    var to: String?

    @Option(help: "minute, hour, day, week, month, quarter, year, or a width such as 15m or 6h.")
    var window: String?

    @Option(help: "IANA time zone that cuts windows, such as Europe/Berlin; UTC if not said.")
    var timezone: String?

    @Option(name: .customLong("group-by"), help: "Dimension, `subject` or `customer`; may repeat.")
    var groupBy: [String] = []

    @Option(help: "Read as known at this position, or by this time.")
    var asOf: String?

    @Option(help: "Read all events under this version of the meter type.")
    var version: Int?

    @Flag(help: "Show windows without an event too.")
    var fillZero = false

    @Flag(help: "Print CSV.")
    var csv = false

    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    private struct Page: Decodable {
        struct Reading: Decodable {
            var meterType: String
            var customer: String?
            var subject: String?
            var from: String
            var to: String
            var dimensions: [String: String?]?
            var value: String?
            var events: String
        }
        var position: String
        var readings: [Reading]
        var next: String?
    }

    func run() async throws {
        var query = meterTypes.map { ("meterType", $0) } + subjects.map { ("subject", $0) }
        query += customers.map { ("customer", $0) }
        let single: [(String, String?)] = [
            ("from", from), ("to", to), ("window", window), ("timezone", timezone),
            ("asOf", asOf), ("version", version.map { "\($0)" }), ("fill", fillZero ? "zero" : nil),
        ]
        for case (let name, let value?) in single { query.append((name, value)) }
        if !groupBy.isEmpty { query.append(("groupBy", groupBy.joined(separator: ","))) }
        query += list.query
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(
                .get,
                "/v1/usage",
                query: query,
                accept: csv ? "text/csv" : "application/json"
            )
            guard !csv, !answer.json else { return Terminal.put(got) }
            let page = try got.decoded(Page.self)
            Self.show(page)
            Terminal.say("as of position \(page.position)")
            list.tell(next: page.next)
        }
    }

    private static func show(_ page: Page) {
        let names = Set(page.readings.flatMap { ($0.dimensions ?? [:]).keys }).sorted()
        let hasCustomers = page.readings.contains { $0.customer != nil }
        let hasSubjects = page.readings.contains { $0.subject != nil }
        var head = ["METER TYPE"] + (hasCustomers ? ["CUSTOMER"] : [])
        head += (hasSubjects ? ["SUBJECT"] : []) + ["FROM", "TO"]
        head += names.map { $0.uppercased() } + ["VALUE", "EVENTS"]
        var table = Table(head, numbers: [head.count - 2, head.count - 1])
        for reading in page.readings {
            var row = [reading.meterType] + (hasCustomers ? [reading.customer ?? "-"] : [])
            row += (hasSubjects ? [reading.subject ?? "-"] : [])
            row += [reading.from, reading.to]
            row += names.map { (reading.dimensions?[$0] ?? nil) ?? "-" }
            table.add(row + [reading.value ?? "-", reading.events])
        }
        Terminal.put(table.text())
    }
}
