import ArgumentParser
import Foundation
import WireFormat

/// `odometer repair-rules`: what is mended by itself when it comes into quarantine.
struct RepairRulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair-rules",
        abstract: "List, make, change and delete rules that mend what comes into quarantine.",
        discussion: """
            A rule mends and releases each matching item that comes after it, once. What it cannot \
            mend stays open. `odometer quarantine act … --keep-as KEY` makes a rule of an action.
            """,
        subcommands: [
            RepairRulesList.self, RepairRulesShow.self, RepairRulesCreate.self,
            RepairRulesUpdate.self, RepairRulesDelete.self,
        ],
        defaultSubcommand: RepairRulesList.self
    )

    static let root = "/v1/repair-rules"

    static func path(_ key: String) -> String { root + "/" + ServerConnection.segment(key) }
}

/// A rule as the server tells it.
struct RepairRuleAnswer: Decodable {
    struct Repair: Decodable {
        var set: [String: String]?
        var remove: [String]?
    }

    var key: String
    var description: String?
    var match: [String: String]
    var repair: Repair
    var enabled: Bool
    var version: Int
    var author: String?
    var changedAt: String
    var repaired: String
    var failed: String
    var action: String?

    var matchText: String {
        let words = match.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return words.isEmpty ? "all" : words.joined(separator: " ")
    }

    static func show(_ got: ServerAnswer, json: Bool) throws {
        guard !json else { return Terminal.put(got) }
        let rule = try got.decoded(RepairRuleAnswer.self)
        let set = (rule.repair.set ?? [:]).sorted { $0.key < $1.key }
        let lines: [(String, String?)] =
            [
                ("key", rule.key), ("description", rule.description),
                ("state", rule.enabled ? "on" : "off"), ("version", "\(rule.version)"),
                ("matches", rule.matchText),
            ] + set.map { ("sets", "\($0.key)=\($0.value)") }
            + (rule.repair.remove ?? []).map { ("removes", $0) } + [
                ("repaired", rule.repaired), ("left open", rule.failed),
                ("changed", rule.changedAt), ("by", rule.author), ("action", rule.action),
            ]
        var table = Table(["", ""])
        for case (let name, let value?) in lines { table.add([name, value]) }
        Terminal.put(table.text(withHead: false))
    }
}

struct RepairRulesList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the rules, in the order in which they are tried."
    )

    private struct Page: Decodable { var items: [RepairRuleAnswer] }

    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, RepairRulesCommand.root)
            guard !answer.json else { return Terminal.put(got) }
            let head = ["KEY", "STATE", "VERSION", "MATCHES", "REPAIRED", "LEFT OPEN", "BY"]
            var table = Table(head, numbers: [2, 4, 5])
            for rule in try got.decoded(Page.self).items {
                table.add([
                    rule.key, rule.enabled ? "on" : "off", "\(rule.version)", rule.matchText,
                    rule.repaired, rule.failed, rule.author ?? "-",
                ])
            }
            Terminal.put(table.text())
        }
    }
}

struct RepairRulesShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one rule."
    )

    @Argument(help: "Key of the rule.") var key: String
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, RepairRulesCommand.path(key))
            try RepairRuleAnswer.show(got, json: answer.json)
        }
    }
}

/// Which items a rule mends.
struct MatchFlags: ParsableArguments {
    @Option(help: "Only for this reason, such as time-missing-offset.") var matchReason: String?
    @Option(help: "Only from this source, as received.") var matchSource: String?
    @Option(help: "Only of this event type, as received.") var matchType: String?
    @Option(help: "Only of events with this id, as received.") var matchEventId: String?
    @Option(help: "Only with this text in the bytes as received.") var matchText: String?
    @Flag(help: "All items that come; said where no match is.") var matchAll = false

    func validate() throws {
        guard !matchAll || given.isEmpty else {
            throw ValidationError("say a --match-…, or --match-all")
        }
    }

    private var given: JSONObject {
        var match = JSONObject()
        for (name, value) in [
            ("reason", matchReason), ("source", matchSource), ("type", matchType),
            ("eventId", matchEventId), ("text", matchText),
        ] {
            match[name] = value.map { .string($0) }
        }
        return match
    }

    /// nil where nothing is said.
    var document: JSONObject? { given.isEmpty && !matchAll ? nil : given }
}

struct RepairRulesCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a rule for the items that come from now on.",
        discussion: """
              odometer repair-rules create old-clock --match-reason time-missing-offset \\
                --match-source pbx --set '/time=concat($.time, "Z")'

            --apply-to-open starts an action that does the same to the items that are open now. \
            Try a repair first: `odometer quarantine act repair-and-release … --dry-run`.
            """
    )

    @Argument(help: "Key of the rule: a-z 0-9 . _ -") var key: String
    @Option(help: "What it is for.") var description: String?
    @OptionGroup var match: MatchFlags
    @OptionGroup var repair: RepairFlags
    @Flag(help: "Make it, but let it not act yet.") var off = false
    @Flag(help: "Do the same to the items that are open now.") var applyToOpen = false
    @OptionGroup var answer: ChangeFlags

    func validate() throws {
        guard match.document != nil else {
            throw ValidationError("say which items: a --match-…, or --match-all")
        }
        guard repair.document != nil else { throw ValidationError("say --set or --remove") }
    }

    func run() async throws {
        var document: JSONObject = ["key": .string(key), "enabled": .bool(!off)]
        document["description"] = description.map { .string($0) }
        document["match"] = match.document.map { .object($0) }
        document["repair"] = repair.document.map { .object($0) }
        if applyToOpen { document["applyToOpen"] = true }
        let body = ("application/json", JSONValue.object(document).serialized())
        try await ServerConnection.open(answer) { server in
            let got = try await server.ask(.post, RepairRulesCommand.root, body: body)
            try RepairRuleAnswer.show(got, json: answer.json)
        }
    }
}

struct RepairRulesUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change a rule; what is not said stays.",
        discussion: """
              odometer repair-rules update old-clock --no-act --reason 'the clock is mended'

            With --version only that version is changed. Without, it is the one that stands, and \
            whoever changes the rule in between is heard.
            """
    )

    @Argument(help: "Key of the rule.") var key: String
    @Option(help: "Only if this version of it stands.") var version: Int?
    @Option(help: "What it is for.") var description: String?
    @OptionGroup var match: MatchFlags
    @OptionGroup var repair: RepairFlags
    @Flag(inversion: .prefixedNo, help: "Whether it acts.") var act: Bool?
    @Flag(help: "Do the same to the items that are open now.") var applyToOpen = false
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        try await ServerConnection.open(answer) { server in
            let path = RepairRulesCommand.path(key)
            let known = try JSONValue.parse(try await server.ask(.get, path).bytes)
            var document = JSONObject()
            for name in ["version", "description", "match", "repair", "enabled"] {
                document[name] = known[name]
            }
            if let version { document["version"] = .number(String(version)) }
            if let description { document["description"] = .string(description) }
            if let match = match.document { document["match"] = .object(match) }
            if let repair = repair.document { document["repair"] = .object(repair) }
            if let act { document["enabled"] = .bool(act) }
            if applyToOpen { document["applyToOpen"] = true }
            let body = ("application/json", JSONValue.object(document).serialized())
            let got = try await server.ask(.put, path, body: body)
            try RepairRuleAnswer.show(got, json: answer.json)
        }
    }
}

struct RepairRulesDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Take a rule away; what it did stays."
    )

    @Argument(help: "Key of the rule.") var key: String
    @Option(help: "Only if this version of it stands.") var version: Int?
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        let query = version.map { [("version", "\($0)")] } ?? []
        try await ServerConnection.open(answer) { server in
            let got = try await server.ask(.delete, RepairRulesCommand.path(key), query: query)
            guard !answer.json else { return Terminal.put(got) }
            let rule = try got.decoded(RepairRuleAnswer.self)
            Terminal.put("\(rule.key) is deleted, at version \(rule.version)\n")
        }
    }
}
