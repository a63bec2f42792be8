import ArgumentParser
import Foundation
import WireFormat

/// An action as the server tells it.
private struct ActionAnswer: Decodable {
    var id: String
    var action: String
    var state: String
    var total: String
    var items: String
    var repaired: String
    var accepted: String
    var duplicate: String
    var discarded: String
    var failed: String

    var text: String {
        """
        \(id) \(action): \(state), \(items) of \(total) items; \(repaired) repaired, \
        \(accepted) accepted, \(duplicate) duplicates, \(discarded) discarded, \
        \(failed) left open

        """
    }

    /// - Throws: ``CommandFailure`` where it is over, and not all is as it was meant.
    func judge() throws(CommandFailure) {
        if state != "running", failed != "0" { throw CommandFailure(.incomplete) }
    }
}

struct QuarantineAct: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "act",
        abstract: "Repair, release or discard all open items that a filter finds.",
        discussion: """
              odometer quarantine act repair-and-release --filter-reason time-missing-offset \\
                --set '/time=concat($.time, "Z")' --dry-run
              odometer quarantine act discard --filter-source test --reason 'load test'

            --dry-run shows every change, in pages. Without it the action runs on the server; \
            --wait stays until it is done.
            """
    )

    @Argument(help: "repair, release, repair-and-release or discard.") var action: String
    @Option(help: "Only for this reason, such as time-missing-offset.") var filterReason: String?
    @Option(help: "Only from this source, as received.") var filterSource: String?
    @Option(help: "Only of this event type, as received.") var filterType: String?
    @Option(help: "Only of events with this id, as received.") var filterEventId: String?
    @Option(help: "Only of those that this validation rule rejected.") var filterRule: String?
    @Option(help: "Only with this text in the bytes as they stand.") var filterText: String?
    @Option(help: "Only of those that came at this time or later, too; RFC 3339.")
    var filterSeenFrom: String?
    @Option(help: "Only of those that came before this time, too; RFC 3339.")
    var filterSeenTo: String?
    @Flag(help: "All open items; said where no filter is.") var all = false
    @OptionGroup var repair: RepairFlags
    @Option(
        help: ArgumentHelp(
            "Keep a repair-and-release as a repair rule too, for what comes later.",
            valueName: "key"
        )
    )
    var keepAs: String?
    @Flag(help: "Show what would be changed, and change nothing.") var dryRun = false
    @Flag(help: "Stay until it is done.") var wait = false
    @OptionGroup var note: NoteFlags
    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    private struct Preview: Decodable {
        struct Item: Decodable {
            var id: String
            var before: String?
            var after: String?
            var failure: String?
            var isSound: Bool?
            var fault: String?
        }
        var total: String
        var items: [Item]
        var next: String?
    }

    private var filter: JSONObject {
        var filter = JSONObject()
        for (name, value) in [
            ("reason", filterReason), ("source", filterSource), ("type", filterType),
            ("eventId", filterEventId), ("rule", filterRule), ("text", filterText),
            ("seenFrom", filterSeenFrom), ("seenTo", filterSeenTo),
        ] {
            filter[name] = value.map { .string($0) }
        }
        return filter
    }

    func validate() throws {
        guard filter.isEmpty == all else {
            throw ValidationError("say which items: a --filter-…, or --all")
        }
        guard keepAs == nil || action == "repair-and-release" && !dryRun else {
            throw ValidationError("--keep-as is for a repair-and-release in earnest")
        }
    }

    private var document: JSONObject {
        var document = note.members
        document["action"] = .string(action)
        document["filter"] = .object(filter)
        if dryRun { document["dryRun"] = true }
        document["repair"] = repair.document.map { .object($0) }
        return document
    }

    /// The action as a rule, which starts it too.
    private func rule(_ key: String) -> JSONObject {
        var rule: JSONObject = [
            "key": .string(key), "match": .object(filter), "applyToOpen": true,
        ]
        rule["repair"] = repair.document.map { .object($0) }
        return rule
    }

    /// Starts the action.
    ///
    /// - Returns: the action as it stands, or what it would do.
    private func start(_ server: ServerConnection) async throws -> ServerAnswer {
        guard let keepAs else {
            return try await server.ask(
                .post,
                "/v1/quarantine/actions",
                query: dryRun ? list.query : [],
                body: ("application/json", JSONValue.object(document).serialized())
            )
        }
        let body = ("application/json", JSONValue.object(rule(keepAs)).serialized())
        let got = try await server.ask(.post, RepairRulesCommand.root, body: body)
        guard let action = try got.decoded(RepairRuleAnswer.self).action else {
            throw CommandFailure(.refused, "the rule \(keepAs) stands already; nothing was started")
        }
        return try await server.ask(.get, "/v1/quarantine/actions/" + action)
    }

    /// For a rule, which is audited like any change of a definition.
    private var author: [(name: String, value: String)] {
        guard keepAs != nil else { return [] }
        let name = note.author.map { [("odometer-actor", $0)] } ?? ChangeFlags.author()
        return name + (note.reason.map { [("odometer-reason", $0)] } ?? [])
    }

    func run() async throws {
        try await ServerConnection.open(answer.server, author: author) { server in
            var got = try await start(server)
            if dryRun { return answer.json ? Terminal.put(got) : try show(got) }
            var started = try got.decoded(ActionAnswer.self)
            while wait, started.state == "running" {
                // The server works a page at a time; a client cannot know when it is done.
                try await Task.sleep(for: .milliseconds(100))
                got = try await server.ask(.get, "/v1/quarantine/actions/" + started.id)
                started = try got.decoded(ActionAnswer.self)
            }
            answer.json ? Terminal.put(got) : Terminal.put(started.text)
            try started.judge()
        }
    }

    private func show(_ got: ServerAnswer) throws {
        let preview = try got.decoded(Preview.self)
        var table = Table(["ID", "SOUND", "BEFORE", "AFTER"])
        for item in preview.items {
            let sound = item.isSound.map { $0 ? "yes" : "no" } ?? "-"
            table.add([
                item.id, item.fault ?? sound, item.before ?? "-",
                item.failure.map { "fails: \($0)" } ?? item.after ?? "the same",
            ])
        }
        Terminal.put(table.text())
        Terminal.say("\(preview.total) items; nothing was changed")
        list.tell(next: preview.next)
    }
}

struct QuarantineAction: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "action",
        abstract: "Show how far an action is."
    )

    @Argument(help: "Id of the action, such as qa-1.") var id: String
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let path = "/v1/quarantine/actions/" + ServerConnection.segment(id)
            let got = try await server.ask(.get, path)
            let action = try got.decoded(ActionAnswer.self)
            answer.json ? Terminal.put(got) : Terminal.put(action.text)
            try action.judge()
        }
    }
}

struct QuarantineCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "End an action where it is; what it did stays."
    )

    @Argument(help: "Id of the action, such as qa-1.") var id: String
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let path = "/v1/quarantine/actions/" + ServerConnection.segment(id) + "/cancel"
            let got = try await server.ask(.post, path)
            guard !answer.json else { return Terminal.put(got) }
            Terminal.put(try got.decoded(ActionAnswer.self).text)
        }
    }
}
