import ArgumentParser
import WireFormat

/// `odometer event-types`: the types of events that came, and what stands in them.
struct EventTypesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "event-types",
        abstract: "List the event types that came; show the fields of one.",
        subcommands: [EventTypesList.self, EventTypesShow.self],
        defaultSubcommand: EventTypesList.self
    )
}

/// An event type as the server tells it.
private struct EventTypeAnswer: Decodable {
    var type: String
    var received: String
    var accepted: String
    var quarantined: String
    var firstSeenHour: String
    var lastSeenHour: String
}

struct EventTypesList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the event types that came, by name."
    )

    private struct Page: Decodable {
        var items: [EventTypeAnswer]
        var next: String?
    }

    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, "/v1/event-types", query: list.query)
            guard !answer.json else { return Terminal.put(got) }
            let page = try got.decoded(Page.self)
            let head = ["TYPE", "RECEIVED", "ACCEPTED", "QUARANTINED", "FIRST HOUR", "LAST HOUR"]
            var table = Table(head, numbers: [1, 2, 3])
            for one in page.items {
                table.add([
                    one.type, one.received, one.accepted, one.quarantined, one.firstSeenHour,
                    one.lastSeenHour,
                ])
            }
            Terminal.put(table.text())
            list.tell(next: page.next)
        }
    }
}

struct EventTypesShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the fields of the newest events of a type."
    )

    @Argument(help: "The event type.") var type: String
    @Option(help: "How many of the newest events are read; 1,000 if not said.") var events: Int?
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        let query = events.map { [("events", "\($0)")] } ?? []
        try await ServerConnection.open(answer.server) { server in
            let path = "/v1/event-types/" + ServerConnection.segment(type)
            let got = try await server.ask(.get, path, query: query)
            guard !answer.json else { return Terminal.put(got) }
            let line = try got.decoded(EventTypeAnswer.self)
            let page = try? JSONValue.parse(got.bytes)
            let sampled = page?["sampled"]?["events"]?.numberValue ?? "0"
            var table = Table(
                ["FIELD", "KINDS", "SHARE", "EXAMPLE", "FIRST", "LAST"],
                numbers: [2]
            )
            for field in page?["fields"]?.arrayValue ?? [] {
                let kinds = field["kinds"]?.arrayValue?.compactMap(\.stringValue) ?? []
                let example = field["example"].map {
                    String(decoding: $0.serialized(), as: UTF8.self)
                }
                table.add([
                    field["path"]?.stringValue ?? "", kinds.joined(separator: ","),
                    field["share"]?.stringValue ?? "", example ?? "-",
                    field["firstSeenAt"]?.stringValue ?? "",
                    field["lastSeenAt"]?.stringValue ?? "",
                ])
            }
            Terminal.put(
                "\(line.type): \(line.accepted) accepted, \(line.quarantined) quarantined of "
                    + "\(line.received) received; the newest \(sampled) have\n"
            )
            Terminal.put(table.text())
        }
    }
}
