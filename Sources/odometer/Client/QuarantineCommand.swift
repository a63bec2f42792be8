import ArgumentParser
import WireFormat

/// `odometer quarantine`: what could not be counted, why, and what becomes of it.
struct QuarantineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine",
        abstract: "List events that were rejected or in conflict; mend, release or discard them.",
        discussion: """
            What an edit changes is what a release counts; the bytes as received stay. A release \
            or an action that leaves items open ends with exit code 4.
            """,
        subcommands: [
            QuarantineList.self, QuarantineGroups.self, QuarantineShow.self, QuarantineEdit.self,
            QuarantineRelease.self, QuarantineDiscard.self, QuarantineReopen.self,
            QuarantineAct.self, QuarantineAction.self, QuarantineCancel.self,
        ],
        defaultSubcommand: QuarantineList.self
    )
}

/// Which items.
struct QuarantineFlags: ParsableArguments {
    @Option(help: "Only for this reason, such as time-missing-offset.") var reason: String?
    @Option(help: "Only from this source, as received.") var source: String?
    @Option(help: "Only of this event type, as received.") var type: String?
    @Option(help: "Only of events with this id, as received.") var eventId: String?
    @Option(help: "Only of those that this validation rule rejected.") var rule: String?
    @Option(help: "Only with this text in the bytes as they stand.") var text: String?
    @Option(help: "Only of those that came at this time or later, too; RFC 3339.")
    var seenFrom: String?
    @Option(help: "Only of those that came before this time, too; RFC 3339.") var seenTo: String?

    /// By the names of the API.
    var named: [(String, String)] {
        let all = [
            ("reason", reason), ("source", source), ("type", type), ("eventId", eventId),
            ("rule", rule), ("text", text), ("seenFrom", seenFrom), ("seenTo", seenTo),
        ]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }
}

/// Who changes something, and why.
struct NoteFlags: ParsableArguments {
    @Option(help: "Why; kept with the item.") var reason: String?
    @Option(help: "Who says so; kept with the item.") var author: String?

    var members: JSONObject {
        var members = JSONObject()
        members["author"] = author.map { .string($0) }
        members["reason"] = reason.map { .string($0) }
        return members
    }
}

/// What a repair rule did, as the server tells it.
struct RepairedBy: Decodable {
    var rule: String
    var version: Int
    var item: String?
    var outcome: String?
    var detail: String?

    var text: String {
        let what = [outcome, detail].compactMap(\.self).joined(separator: ", ")
        return "rule \(rule), version \(version)" + (what.isEmpty ? "" : ": \(what)")
    }
}

/// An item as the server tells it.
struct QuarantinedAnswer: Decodable {
    var id: String
    var state: String
    var version: Int
    var reason: String
    var pointer: String
    var detail: String
    var rule: String?
    var source: String?
    var eventId: String?
    var type: String?
    var firstSeenAt: String
    var lastSeenAt: String
    var seen: String
    var original: String?
    var originalBase64: String?
    var edited: String?
    var changedAt: String?
    var author: String?
    var changeReason: String?
    var position: String?
    var repairedBy: RepairedBy?
    var repairTried: RepairedBy?
    var droppedAt: String?

    /// The item for people: a line for each thing known.
    var text: String {
        let known: [(String, String?)] = [
            ("id", id), ("state", state), ("version", "\(version)"), ("reason", reason),
            ("at", pointer), ("detail", detail), ("rule", rule), ("source", source),
            ("event id", eventId),
            ("type", type), ("first seen", firstSeenAt), ("last seen", lastSeenAt),
            ("seen", seen), ("position", position), ("repaired by", repairedBy?.text),
            ("repair tried", repairTried?.text), ("changed", changedAt), ("by", author),
            ("because", changeReason), ("original", original),
            ("original (base 64)", originalBase64), ("edited", edited),
            ("bytes dropped", droppedAt),
        ]
        var table = Table(["", ""])
        for case (let name, let value?) in known where !value.isEmpty { table.add([name, value]) }
        return table.text(withHead: false)
    }
}

struct QuarantineList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List items, the newest first.",
        discussion: "With --json each item has the original bytes."
    )

    @OptionGroup var items: QuarantineFlags
    @Option(help: "Only those that are open, released or discarded.") var state: String?
    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    private struct Page: Decodable {
        var items: [QuarantinedAnswer]
        var next: String?
    }

    func run() async throws {
        let query = list.query + items.named + (state.map { [("state", $0)] } ?? [])
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, "/v1/quarantine", query: query)
            guard !answer.json else { return Terminal.put(got) }
            let page = try got.decoded(Page.self)
            let head = ["ID", "STATE", "LAST SEEN", "REASON", "AT", "SOURCE", "EVENT", "DETAIL"]
            var table = Table(head)
            for item in page.items {
                table.add([
                    item.id, item.state, item.lastSeenAt, item.reason, item.pointer,
                    item.source ?? "-", item.eventId ?? "-", item.detail,
                ])
            }
            Terminal.put(table.text())
            list.tell(next: page.next)
        }
    }
}

struct QuarantineGroups: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups",
        abstract: "List items by reason, rule, source and type, the largest group first."
    )

    @OptionGroup var items: QuarantineFlags
    @Option(help: "Only those that are open, released or discarded.") var state: String?
    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    private struct Page: Decodable {
        struct Group: Decodable {
            var reason: String
            var source: String
            var type: String
            var rule: String?
            var items: String
            var open: String
            var firstSeenAt: String
            var lastSeenAt: String
            var sample: String
        }
        var items: [Group]
        var next: String?
    }

    func run() async throws {
        let query = list.query + items.named + (state.map { [("state", $0)] } ?? [])
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, "/v1/quarantine/groups", query: query)
            guard !answer.json else { return Terminal.put(got) }
            let page = try got.decoded(Page.self)
            var table = Table(
                [
                    "ITEMS", "OPEN", "REASON", "RULE", "SOURCE", "TYPE", "FIRST SEEN", "LAST SEEN",
                    "SAMPLE",
                ],
                numbers: [0, 1]
            )
            for group in page.items {
                table.add([
                    group.items, group.open, group.reason, group.rule ?? "-",
                    group.source.isEmpty ? "-" : group.source,
                    group.type.isEmpty ? "-" : group.type, group.firstSeenAt, group.lastSeenAt,
                    group.sample,
                ])
            }
            Terminal.put(table.text())
            list.tell(next: page.next)
        }
    }
}

struct QuarantineShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one item: the bytes as received, and what became of them."
    )

    @Argument(help: "Id of the item, such as q-7.") var id: String
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let path = "/v1/quarantine/" + ServerConnection.segment(id)
            let got = try await server.ask(.get, path)
            guard !answer.json else { return Terminal.put(got) }
            Terminal.put(try got.decoded(QuarantinedAnswer.self).text)
        }
    }
}
