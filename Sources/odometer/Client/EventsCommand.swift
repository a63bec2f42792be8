import ArgumentParser

/// `odometer events`: what was received.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "List events, or show one with what counted it.",
        subcommands: [EventsList.self, EventsShow.self],
        defaultSubcommand: EventsList.self
    )
}

/// An event as the server tells it; of the event itself only what a table shows.
struct EventAnswer: Decodable {
    struct Event: Decodable {
        var id: String
        var source: String
        var type: String
        var subject: String
    }

    struct Explanation: Decodable {
        var meterType: String
        var version: Int?
        var matched: Bool
        var meter: String?
        var value: String?
        var dimensions: [String: String?]?
        var period: Period?
        var because: String?

        var dimensionText: String {
            (dimensions ?? [:]).sorted { $0.key < $1.key }
                .map { "\($0.key)=\($0.value ?? "-")" }.joined(separator: " ")
        }
    }

    struct Period: Decodable {
        var start: String?
        var end: String?
        var timezone: String

        var text: String { "\(start ?? "ever") to \(end ?? "ever"), \(timezone)" }
    }

    var event: Event
    var position: String
    var receivedAt: String
    var time: String?
    var status: String
    var explanation: [Explanation]?
    var corrections: [CorrectionLine]?
    var repairedBy: RepairedBy?
}

struct EventsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List events in the order they were received."
    )

    @Option(help: "Only of this subject.") var subject: String?
    @Option(help: "Only of this event type, or prefix.*") var type: String?
    @Option(help: "Only from this source.") var source: String?
    @Option(help: "Only events that this meter type counts: those behind a reading.")
    var meterType: String?
    @Option(
        name: .customLong("dimension"),
        help: ArgumentHelp("Only with this dimension of --meter-type.", valueName: "name=value")
    )
    var dimensions: [String] = []
    @Option(help: "Only with a time from here on, RFC 3339.") var from: String?
    @Option(help: "Only with a time before this, RFC 3339.") var to: String?
    @Option(help: "counted, or unmatched: what no meter counts.") var status: String?
    @Option(help: "As known at this position, or by this time.") var asOf: String?
    @Flag(help: "The newest first.") var newest = false
    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    private struct Page: Decodable {
        var items: [EventAnswer]
        var next: String?
    }

    func run() async throws {
        let single: [(String, String?)] = [
            ("subject", subject), ("type", type), ("source", source), ("meterType", meterType),
            ("from", from), ("to", to), ("asOf", asOf), ("status", status),
            ("order", newest ? "desc" : nil),
        ]
        var query = list.query
        for case (let name, let value?) in single { query.append((name, value)) }
        for dimension in dimensions {
            let halves = dimension.split(separator: "=", maxSplits: 1).map(String.init)
            guard halves.count == 2 else {
                throw CommandFailure(.usage, "--dimension \(dimension): say NAME=VALUE")
            }
            query.append(("dimension.\(halves[0])", halves[1]))
        }
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, "/v1/events", query: query)
            guard !answer.json else { return Terminal.put(got) }
            list.tell(next: try Self.show(got))
        }
    }

    /// - Returns: the `next` of the page.
    static func show(_ got: ServerAnswer) throws -> String? {
        let page = try got.decoded(Page.self)
        var table = Table(
            ["POSITION", "TIME", "TYPE", "SUBJECT", "SOURCE", "ID", "STATUS"],
            numbers: [0]
        )
        for item in page.items {
            let event = item.event
            table.add([
                item.position, item.time ?? item.receivedAt, event.type, event.subject,
                event.source, event.id, item.status,
            ])
        }
        Terminal.put(table.text())
        return page.next
    }
}

struct EventsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one event, which meters counted it, and why others did not."
    )

    @Argument(help: "Source of the event.") var source: String
    @Argument(help: "Id the source gave it.") var id: String
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let names = [source, id].map(ServerConnection.segment).joined(separator: "/")
            let got = try await server.ask(
                .get,
                "/v1/events/" + names,
                query: answer.json ? [] : [("pretty", "true")]
            )
            guard !answer.json else { return Terminal.put(got) }
            let event = try got.decoded(EventAnswer.self)
            var table = Table(["METER TYPE", "COUNTED", "VALUE", "DIMENSIONS", "BECAUSE"])
            for line in event.explanation ?? [] {
                table.add([
                    line.meterType, line.matched ? "yes" : "no", line.value ?? "-",
                    line.dimensionText, line.because ?? "",
                ])
            }
            Terminal.put(got)
            if !table.isEmpty { Terminal.put("\n" + table.text()) }
        }
    }
}
