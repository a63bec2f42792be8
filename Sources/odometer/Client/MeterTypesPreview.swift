import ArgumentParser

/// `odometer meter-types preview`: what a draft would say of stored history.
struct MeterTypesPreview: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview",
        abstract: "Run a draft over stored events beside the live meter type; nothing is saved.",
        discussion: """
            The draft is a file, or flags as `create` takes them.

              odometer meter-types preview -f draft.yaml --window day \\
                --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z
            """
    )

    @Option(name: [.customShort("f"), .long], help: "File of the draft; - reads standard input.")
    var file: String?

    @Option(help: "Key of the live meter type to compare with, or a new one.")
    var key: String?

    @Option(help: "Start of the range, RFC 3339; in it.")
    var from: String

    @Option(help: "End of the range, RFC 3339; no more in it.")
    var to: String

    @Option(help: "What cuts the readings: minute … year, period, or a width such as 15m.")
    var window: String?

    @Option(name: .customLong("group-by"), help: "Dimension of the draft or `subject`; may repeat.")
    var groupBy: [String] = []

    @OptionGroup var definition: DefinitionFlags
    @OptionGroup var answer: AnswerFlags

    private struct Page: Decodable {
        struct Reading: Decodable {
            var subject: String?
            var from: String
            var to: String
            var dimensions: [String: String?]?
            var value: String?
            var events: String
        }
        struct Difference: Decodable {
            var subject: String
            var live: String?
            var draft: String?
            var difference: String
        }
        var position: String
        var readings: [Reading]
        var moreReadings: Bool?
        var differences: [Difference]
        var moreDifferences: String?
    }

    func validate() throws {
        if file == nil, key == nil || definition.aggregation == nil {
            throw ValidationError("say -f FILE, or --key, --event-type and --aggregation")
        }
    }

    func run() async throws {
        let drafts = try file.map(DefinitionFile.read) ?? [spelled()]
        guard drafts.count == 1 else {
            throw CommandFailure(.usage, "the file holds \(drafts.count) definitions: preview one")
        }
        var members = [
            "\"meterType\":\(drafts[0])", "\"from\":\(JSONText.quote(from))",
            "\"to\":\(JSONText.quote(to))",
        ]
        if let window { members.append("\"window\":\(JSONText.quote(window))") }
        if !groupBy.isEmpty {
            members.append("\"groupBy\":[\(groupBy.map(JSONText.quote).joined(separator: ","))]")
        }
        let body = Array("{\(members.joined(separator: ","))}".utf8)
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(
                .post,
                "/v1/meter-types/preview",
                body: ("application/json", body)
            )
            guard !answer.json else { return Terminal.put(got) }
            Self.show(try got.decoded(Page.self))
        }
    }

    private func spelled() throws(CommandFailure) -> String {
        let key = "\"key\":\(JSONText.quote(key ?? ""))"
        return "{\(([key] + (try definition.members())).joined(separator: ","))}"
    }

    private static func show(_ page: Page) {
        var readings = Table(["FROM", "TO", "GROUP", "VALUE", "EVENTS"], numbers: [3, 4])
        for reading in page.readings {
            let dimensions = (reading.dimensions ?? [:]).sorted { $0.key < $1.key }
                .map { "\($0.key)=\($0.value ?? "-")" }
            let group = [reading.subject].compactMap(\.self) + dimensions
            readings.add([
                reading.from, reading.to, group.joined(separator: " "), reading.value ?? "-",
                reading.events,
            ])
        }
        Terminal.put(readings.text())
        if page.moreReadings == true { Terminal.say("There are more readings.") }
        guard !page.differences.isEmpty else {
            Terminal.say("No meter differs from the live meter type, as of \(page.position).")
            return
        }
        var differences = Table(["SUBJECT", "LIVE", "DRAFT", "DIFFERENCE"], numbers: [1, 2, 3])
        for one in page.differences {
            differences.add([one.subject, one.live ?? "-", one.draft ?? "-", one.difference])
        }
        Terminal.put("\n" + differences.text())
        if let more = page.moreDifferences { Terminal.say("\(more) more meters differ.") }
        Terminal.say("as of position \(page.position)")
    }
}
