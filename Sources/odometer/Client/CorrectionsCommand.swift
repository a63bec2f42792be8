import ArgumentParser
import Foundation
import WireFormat

/// `odometer corrections`: what was voided, replaced or restored, by whom and why.
struct CorrectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "corrections",
        abstract: "List corrections of counted events, or make one.",
        subcommands: [
            CorrectionsList.self, CorrectionsShow.self, CorrectionsVoid.self,
            CorrectionsReplace.self, CorrectionsRestore.self,
        ],
        defaultSubcommand: CorrectionsList.self
    )

    static func path(_ id: String, _ what: String = "") -> String {
        "/v1/corrections/" + ServerConnection.segment(id) + what
    }
}

/// A correction as the server tells it; within an event, also whether that counts since.
struct CorrectionLine: Decodable {
    var id: String
    var kind: String
    var position: String
    var at: String
    var author: String
    var reason: String
    var events: Int?
    var counts: Bool?
}

struct CorrectionsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List corrections, the newest first."
    )

    private struct Page: Decodable {
        var items: [CorrectionLine]
        var next: String?
    }

    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, "/v1/corrections", query: list.query)
            guard !answer.json else { return Terminal.put(got) }
            let page = try got.decoded(Page.self)
            let head = ["ID", "KIND", "EVENTS", "POSITION", "AT", "AUTHOR", "REASON"]
            var table = Table(head, numbers: [2, 3])
            for one in page.items {
                table.add([
                    one.id, one.kind, one.events.map(String.init) ?? "-", one.position, one.at,
                    one.author, one.reason,
                ])
            }
            Terminal.put(table.text())
            list.tell(next: page.next)
        }
    }
}

struct CorrectionsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "List the events that a correction changed."
    )

    private struct Page: Decodable {
        struct Item: Decodable {
            var source: String
            var id: String
            var subject: String
            var time: String
            var position: String
            var counts: Bool
            var replacement: String?
        }
        var items: [Item]
        var next: String?
    }

    @Argument(help: "Id of the correction: c-12.") var id: String
    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let path = CorrectionsCommand.path(id, "/events")
            let got = try await server.ask(.get, path, query: list.query)
            guard !answer.json else { return Terminal.put(got) }
            let page = try got.decoded(Page.self)
            var table = Table(
                ["SOURCE", "EVENT", "SUBJECT", "TIME", "POSITION", "COUNTS", "REPLACED BY"],
                numbers: [4]
            )
            for one in page.items {
                table.add([
                    one.source, one.id, one.subject, one.time, one.position,
                    one.counts ? "yes" : "no", one.replacement ?? "-",
                ])
            }
            Terminal.put(table.text())
            list.tell(next: page.next)
        }
    }
}

/// Who makes a change, and why.
struct WhoFlags: ParsableArguments {
    @Option(help: "Why. It stays with the events for ever.") var reason: String
    @Option(help: "Who makes it; $ODOMETER_ACTOR or $USER if not said.") var author: String?

    var document: JSONObject {
        let environment = ProcessInfo.processInfo.environment
        let user = environment["ODOMETER_ACTOR"] ?? environment["USER"] ?? "unknown"
        return ["author": .string(author ?? user), "reason": .string(reason)]
    }
}

/// Who makes a correction, why, and whether it is only tried.
struct CorrectionFlags: ParsableArguments {
    @OptionGroup var who: WhoFlags
    @Flag(help: "Only say what would happen.") var dryRun = false
    @Option(help: "Your own name for the request: made twice, it is one correction.")
    var idempotencyKey: String?
    @OptionGroup var answer: AnswerFlags

    private struct Answer: Decodable {
        struct Preview: Decodable {
            struct Meter: Decodable {
                struct Record: Decodable {
                    var record: String
                    var before: String?
                    var after: String?
                }
                var meter: String
                var before: String?
                var after: String?
                var records: [Record]
            }
            var events: Int
            var meters: [Meter]
            var hasMoreMeters: Bool
        }
        var correction: CorrectionLine?
        var preview: Preview?
    }

    func ask(_ kind: String, _ targets: JSONObject) async throws {
        var document = targets
        document["kind"] = .string(kind)
        try await ask(at: "/v1/corrections", document)
    }

    func ask(at path: String, _ targets: JSONObject = [:]) async throws {
        var document = targets
        for member in who.document.members { document[member.name] = member.value }
        if dryRun { document["dryRun"] = .bool(true) }
        let body = (type: "application/json", bytes: JSONValue.object(document).serialized())
        let headers = idempotencyKey.map { [(name: "Idempotency-Key", value: $0)] } ?? []
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.post, path, headers: headers, body: body)
            guard !answer.json else { return Terminal.put(got) }
            Terminal.put(Self.text(try got.decoded(Answer.self)))
        }
    }

    private static func text(_ answer: Answer) -> String {
        if let made = answer.correction {
            let events = made.events ?? 0
            return "\(made.id) at position \(made.position): \(number(of: events))\n"
        }
        guard let preview = answer.preview else { return "nothing was to change\n" }
        var table = Table(["METER", "RECORD", "BEFORE", "AFTER"], numbers: [2, 3])
        for meter in preview.meters {
            table.add([meter.meter, "all time", meter.before ?? "-", meter.after ?? "-"])
            for record in meter.records {
                table.add(["", record.record, record.before ?? "-", record.after ?? "-"])
            }
        }
        let more = preview.hasMoreMeters ? "and further meters\n" : ""
        let effects = table.isEmpty ? "" : table.text()
        return "would change \(number(of: preview.events))\n" + effects + more
    }

    private static func number(of events: some BinaryInteger) -> String {
        events == 1 ? "1 event" : "\(events) events"
    }
}

/// Events that fit all that is given.
struct SelectionFlags: ParsableArguments {
    @Option(help: "All events of this source.") var source: String?
    @Option(help: "All events of this subject.") var subject: String?
    @Option(help: "All events of this type, or of a prefix that ends in *.") var type: String?
    @Option(help: "All events from this time on.") var from: String?
    @Option(help: "All events before this time.") var to: String?
    @Option(help: "All events of which this holds, such as '$.data.tokens < 0'.")
    var expression: String?

    var document: JSONObject {
        var selection: JSONObject = [:]
        let given = [
            ("source", source), ("subject", subject), ("type", type), ("from", from), ("to", to),
            ("expression", expression),
        ]
        for (name, value) in given { selection[name] = value.map { .string($0) } }
        return selection
    }
}

/// Which events: some by their keys, or all that a filter finds.
struct TargetFlags: ParsableArguments {
    @Option(help: "Id that the --source gave one event; may repeat.") var id: [String] = []
    @OptionGroup var selection: SelectionFlags

    func validate() throws {
        guard !id.isEmpty else { return }
        if selection.source == nil { throw ValidationError("an id needs its --source") }
        if selection.document.members.count > 1 {
            throw ValidationError("say either --id, or a filter")
        }
    }

    var isEmpty: Bool { id.isEmpty && selection.document.members.isEmpty }

    var document: JSONObject {
        guard id.isEmpty else {
            let keys = id.map { id in
                JSONValue.object(["source": .string(selection.source ?? ""), "id": .string(id)])
            }
            return ["events": .array(keys)]
        }
        return ["filter": .object(selection.document)]
    }
}

struct CorrectionsVoid: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "void",
        abstract: "Let events count no more.",
        discussion: """
              odometer corrections void --source gateway-eu --id req-7 --reason "load test"
              odometer corrections void --subject acme --from 2026-11-01T00:00:00Z \\
                --to 2026-11-02T00:00:00Z --reason "sent twice" --dry-run
            """
    )

    @OptionGroup var targets: TargetFlags
    @OptionGroup var flags: CorrectionFlags

    func validate() throws {
        if targets.isEmpty { throw ValidationError("say which: --source with --id, or a filter") }
    }

    func run() async throws { try await flags.ask("void", targets.document) }
}

struct CorrectionsRestore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Take back the last correction of events, or one correction.",
        discussion: """
              odometer corrections restore --correction c-12 --reason "it was no test"
              odometer corrections restore --source gateway-eu --id req-7 --reason "no test"
            """
    )

    @Option(help: "Id of the correction to take back.") var correction: String?
    @OptionGroup var targets: TargetFlags
    @OptionGroup var flags: CorrectionFlags

    func validate() throws {
        guard targets.isEmpty != (correction == nil) else {
            throw ValidationError("say which: --correction, or --source with --id, or a filter")
        }
    }

    func run() async throws {
        let one = correction.map { ["correction": .string($0)] as JSONObject }
        try await flags.ask("restore", one ?? targets.document)
    }
}

struct CorrectionsReplace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replace",
        abstract: "Let other events stand for those of their keys.",
        discussion: """
              odometer corrections replace --file right.json --reason "tokens were doubled"

            The file has one event or an array of them, each with the source and the id of the one \
            that it is to stand for.
            """
    )

    @Option(help: "The events, JSON; - is standard input.") var file: String
    @OptionGroup var flags: CorrectionFlags

    func run() async throws {
        let value = try JSONValue.parse(CommandBody.read(file))
        let events = value.arrayValue == nil ? JSONValue.array([value]) : value
        try await flags.ask("replace", ["replacements": events])
    }
}
