import ArgumentParser
import WireFormat

/// `odometer audit`: who changed what.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "List who changed what, export it, or check that nobody touched it.",
        subcommands: [AuditList.self, AuditExport.self, AuditVerify.self],
        defaultSubcommand: AuditList.self
    )
}

/// Which entries are meant.
struct AuditFlags: ParsableArguments {
    @Option(name: .customLong("kind"), help: "Only of this kind of thing; may repeat.")
    var kinds: [String] = []
    @Option(name: .customLong("key"), help: "Only of the thing of this key or id; may repeat.")
    var keys: [String] = []
    @Option(name: .customLong("by"), help: "Only by who called themselves so; may repeat.")
    var actors: [String] = []
    @Option(name: .customLong("action"), help: "Only this action; may repeat.")
    var actions: [String] = []
    @Option(help: "Only from this time on, RFC 3339.") var from: String?
    @Option(help: "Only before this time, RFC 3339.") var to: String?

    var query: [(String, String)] {
        var query = kinds.map { ("kind", $0) } + keys.map { ("key", $0) }
        query += actors.map { ("actor", $0) } + actions.map { ("action", $0) }
        for case (let name, let value?) in [("from", from), ("to", to)] {
            query.append((name, value))
        }
        return query
    }
}

struct AuditList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List changes, newest first."
    )

    private struct Page: Decodable {
        struct Entry: Decodable {
            var number: String
            var at: String
            var actor: String?
            var address: String?
            var action: String
            var kind: String
            var key: String
            var reason: String?
        }

        var items: [Entry]
        var head: String
        var next: String?
    }

    @OptionGroup var which: AuditFlags
    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, "/v1/audit", query: which.query + list.query)
            guard !answer.json else { return Terminal.put(got) }
            let page = try got.decoded(Page.self)
            var table = Table(
                ["NUMBER", "AT", "WHO", "FROM", "ACTION", "KIND", "KEY", "REASON"],
                numbers: [0]
            )
            for one in page.items {
                table.add([
                    one.number, one.at, one.actor ?? "-", one.address ?? "-", one.action,
                    one.kind, one.key, one.reason ?? "-",
                ])
            }
            Terminal.put(table.text())
            list.tell(next: page.next)
        }
    }
}

struct AuditExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write all changes as NDJSON, oldest first, and the head of the trail.",
        discussion: """
            The last line is the head of the trail: {"head":"NUMBER:HASH"}. Keep it where who \
            runs the server cannot change it: `odometer audit verify --head NUMBER:HASH` says \
            then whether entries are missing at the end. `odometer audit verify --file FILE` \
            checks the export itself, if it is whole.
            """
    )

    private struct Line: Decodable { var number: String }

    @OptionGroup var which: AuditFlags
    @OptionGroup var server: ServerFlags

    func run() async throws {
        try await ServerConnection.open(server) { server in
            var after = "0"
            while true {
                let query = which.query + [("after", after), ("limit", "1000")]
                let got = try await server.ask(
                    .get,
                    "/v1/audit",
                    query: query + [("format", "ndjson")],
                    accept: "application/x-ndjson"
                )
                // Pages are followed until one is empty: its head is the end of what was written.
                guard let last = got.bytes.split(separator: UInt8(ascii: "\n")).last else {
                    let head: JSONObject = [AuditDocument.headName: .string(got.auditHead ?? "")]
                    Terminal.put(JSONValue.object(head).serialized() + [UInt8(ascii: "\n")])
                    return Terminal.say("head: \(got.auditHead ?? "")")
                }
                Terminal.put(got.bytes)
                var page = got
                page.bytes = Array(last)
                after = try page.decoded(Line.self).number
            }
        }
    }
}
