import ArgumentParser

/// `odometer meter-types`: what is counted.
struct MeterTypesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meter-types",
        abstract: "List, show, create, change, try and retire meter types.",
        subcommands: [
            MeterTypesList.self, MeterTypesShow.self, MeterTypesCreate.self,
            MeterTypesUpdate.self, MeterTypesVersions.self, MeterTypesPreview.self,
            MeterTypesBackfills.self, MeterTypesCancelBackfill.self, MeterTypesRetire.self,
        ],
        defaultSubcommand: MeterTypesList.self
    )
}

/// A meter type as the server tells it.
struct MeterTypeAnswer: Decodable {
    struct Backfill: Decodable {
        var state: String
        var eventsDone: String
        var eventsTotal: String
    }

    var key: String
    var name: String?
    var description: String?
    var unit: String?
    var eventTypes: [String]?
    var aggregation: String
    var filter: String?
    var value: ValueAnswer?
    var percentile: String?
    var method: String?
    var timeUnit: String?
    var carryMax: String?
    var dimensions: [String: String]?
    var timezone: String?
    var resetSchedule: ResetScheduleAnswer?
    var capacity: String?
    var category: String?
    var externalRef: String?
    var version: Int?
    var effectiveFrom: String?
    var createdAt: String?
    var retiredAt: String?
    var backfill: Backfill?

    var state: String {
        if retiredAt != nil { return "retired" }
        guard let backfill, backfill.state != "done" else { return "active" }
        if backfill.state == "cancelled" { return "cancelled" }
        return "backfill \(backfill.eventsDone)/\(backfill.eventsTotal)"
    }

    /// Name and value of everything said, for people.
    var rows: [[String]] {
        let said: [(String, String?)] = [
            ("key", key), ("name", name), ("description", description), ("unit", unit),
            ("event types", eventTypes?.joined(separator: ", ")), ("aggregation", aggregation),
            ("filter", filter), ("value", value?.words), ("percentile", percentile),
            ("method", method),
            ("time unit", timeUnit), ("carry max", carryMax),
            (
                "dimensions",
                dimensions?.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
                    .joined(separator: ", ")
            ),
            ("timezone", timezone), ("reset schedule", resetSchedule?.words),
            ("capacity", capacity), ("category", category), ("external ref", externalRef),
            ("version", version.map { "\($0)" }), ("effective from", effectiveFrom),
            ("created", createdAt), ("retired", retiredAt),
            ("state", state),
        ]
        return said.compactMap { name, value in
            guard let value, !value.isEmpty else { return nil }
            return [name, value]
        }
    }

    static func show(_ answer: ServerAnswer, json: Bool) throws {
        guard !json else { return Terminal.put(answer) }
        var table = Table(["", ""])
        for row in try answer.decoded(MeterTypeAnswer.self).rows { table.add(row) }
        Terminal.put(table.text(withHead: false))
    }
}

/// A value, or the two of a pair.
struct ValueAnswer: Decodable {
    var words: String

    init(from decoder: any Decoder) throws {
        let one = try decoder.singleValueContainer()
        if let text = try? one.decode(String.self) {
            words = text
        } else {
            words = try one.decode([String].self).joined(separator: ", ")
        }
    }
}

/// A reset schedule, for people: its word, or the members of its object.
struct ResetScheduleAnswer: Decodable {
    private struct Parts: Decodable {
        var every: String?
        var interval: Int?
        var anchor: String?
        var cron: String?
    }

    var words: String

    init(from decoder: any Decoder) throws {
        if let word = try? decoder.singleValueContainer().decode(String.self) {
            words = word
            return
        }
        let parts = try Parts(from: decoder)
        let every = parts.every.map { unit in
            "every " + (parts.interval.map { "\($0) \(unit)s" } ?? unit)
                + (parts.anchor.map { " from \($0)" } ?? "")
        }
        words = every ?? parts.cron.map { "cron \($0)" } ?? ""
    }
}

struct MeterTypesList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List all meter types, the retired ones included."
    )

    private struct Page: Decodable {
        var items: [MeterTypeAnswer]
        var next: String?
    }

    @OptionGroup var answer: AnswerFlags
    @OptionGroup var list: ListFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, "/v1/meter-types", query: list.query)
            guard !answer.json else { return Terminal.put(got) }
            let page = try got.decoded(Page.self)
            var table = Table([
                "KEY", "AGGREGATION", "VALUE", "EVENT TYPES", "DIMENSIONS", "RESETS", "STATE",
            ])
            for type in page.items {
                table.add([
                    type.key, type.aggregation, type.value?.words ?? "-",
                    (type.eventTypes ?? []).joined(separator: ","),
                    (type.dimensions ?? [:]).keys.sorted().joined(separator: ","),
                    type.resetSchedule?.words ?? "-", type.state,
                ])
            }
            Terminal.put(table.text())
            list.tell(next: page.next)
        }
    }
}

struct MeterTypesShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one meter type, and how far its history is counted."
    )

    @Argument(help: "Key of the meter type.") var key: String
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let path = "/v1/meter-types/" + ServerConnection.segment(key)
            try MeterTypeAnswer.show(await server.ask(.get, path), json: answer.json)
        }
    }
}

struct MeterTypesRetire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract: "Retire a meter type: it counts no more; what it counted stays readable."
    )

    @Argument(help: "Key of the meter type.") var key: String
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        try await ServerConnection.open(answer) { server in
            let path = "/v1/meter-types/" + ServerConnection.segment(key)
            let got = try await server.ask(.delete, path)
            if got.bytes.isEmpty {
                Terminal.say("retired \(key)")
            } else {
                try MeterTypeAnswer.show(got, json: answer.json)
            }
        }
    }
}
