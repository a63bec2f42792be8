import ArgumentParser

/// `odometer meter-types update`: a new version.
struct MeterTypesUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change a meter type from a time on: a new version with the fields said.",
        discussion: """
            What is not said stays. Readings follow the new version once its history is counted.

              odometer meter-types update tokens-in --filter '$.data.status != "error"' \\
                --effective-from 2026-12-01T00:00:00Z
            """
    )

    @Argument(help: "Key of the meter type.") var key: String

    @Option(help: "Time of the first events it counts, RFC 3339, or `always`; now if not said.")
    var effectiveFrom: String?

    @Flag(help: "Let it change closed periods: their records are adjusted.")
    var restate = false

    @Option(
        name: .customLong("clear"),
        help: ArgumentHelp("A field to take away, such as filter; may repeat.", valueName: "field")
    )
    var cleared: [String] = []

    @OptionGroup var definition: DefinitionFlags
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        var members = try definition.members()
        members += cleared.map { "\(JSONText.quote($0)):null" }
        if let effectiveFrom {
            let time = effectiveFrom == "always" ? "null" : JSONText.quote(effectiveFrom)
            members.append("\"effectiveFrom\":\(time)")
        }
        if restate { members.append("\"restate\":true") }
        let body = Array("{\(members.joined(separator: ","))}".utf8)
        try await ServerConnection.open(answer) { server in
            let got = try await server.ask(
                .patch,
                "/v1/meter-types/" + ServerConnection.segment(key),
                body: ("application/json", body)
            )
            try MeterTypeAnswer.show(got, json: answer.json)
        }
    }
}

/// `odometer meter-types versions`: what was said, and from when to when it holds.
struct MeterTypesVersions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "versions",
        abstract: "List the versions of a meter type and the times they rule."
    )

    @Argument(help: "Key of the meter type.") var key: String
    @OptionGroup var answer: AnswerFlags

    private struct Page: Decodable {
        struct Item: Decodable {
            var version: Int
            var state: String
            var effectiveFrom: String?
            var effectiveTo: String?
            var filter: String?
            var value: String?
            var createdAt: String
        }
        var items: [Item]
    }

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let path = "/v1/meter-types/" + ServerConnection.segment(key) + "/versions"
            let got = try await server.ask(.get, path)
            guard !answer.json else { return Terminal.put(got) }
            var table = Table(
                ["VERSION", "STATE", "FROM", "TO", "VALUE", "FILTER", "CREATED"],
                numbers: [0]
            )
            for item in try got.decoded(Page.self).items {
                table.add([
                    "\(item.version)", item.state, item.effectiveFrom ?? "-",
                    item.effectiveTo ?? "-", item.value ?? "-", item.filter ?? "-",
                    item.createdAt,
                ])
            }
            Terminal.put(table.text())
        }
    }
}

/// `odometer meter-types backfills`: whose history is being counted.
struct MeterTypesBackfills: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backfills",
        abstract: "List the versions whose history is being counted, or waits for it."
    )

    @OptionGroup var answer: AnswerFlags

    private struct Page: Decodable {
        struct Item: Decodable {
            var meterType: String
            var version: Int
            var state: String
            var eventsDone: String
            var eventsTotal: String
        }
        var items: [Item]
    }

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, "/v1/backfills")
            guard !answer.json else { return Terminal.put(got) }
            var table = Table(
                ["METER TYPE", "VERSION", "STATE", "DONE", "OF"],
                numbers: [1, 3, 4]
            )
            for item in try got.decoded(Page.self).items {
                table.add([
                    item.meterType, "\(item.version)", item.state, item.eventsDone,
                    item.eventsTotal,
                ])
            }
            Terminal.put(table.text())
        }
    }
}

/// `odometer meter-types cancel-backfill`: gives a version up.
struct MeterTypesCancelBackfill: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel-backfill",
        abstract: "Give up counting the history of a version: it never comes into force."
    )

    @Argument(help: "Key of the meter type.") var key: String
    @Option(help: "The version; the newest being counted if not said.") var version: Int?
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        try await ServerConnection.open(answer) { server in
            let got = try await server.ask(
                .delete,
                "/v1/meter-types/" + ServerConnection.segment(key) + "/backfill",
                query: version.map { [("version", "\($0)")] } ?? []
            )
            try MeterTypeAnswer.show(got, json: answer.json)
        }
    }
}
