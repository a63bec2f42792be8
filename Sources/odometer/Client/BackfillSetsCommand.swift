import ArgumentParser
import WireFormat

/// `odometer backfill-sets`: events that come to count together, or not at all.
struct BackfillSetsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backfill-sets",
        abstract: "Send events that count once all of them are there.",
        discussion: """
              odometer backfill-sets open "outage of 3 November" --reason "queue was restored"
              odometer ingest restored.ndjson --backfill-set bs-1
              odometer backfill-sets close bs-1 --reason "checked" --dry-run
              odometer backfill-sets close bs-1 --reason "checked"

            A set can be reverted at any time later, and closed again.
            """,
        subcommands: [
            BackfillSetsList.self, BackfillSetsShow.self, BackfillSetsOpen.self,
            BackfillSetsClose.self, BackfillSetsRevert.self,
        ],
        defaultSubcommand: BackfillSetsList.self
    )

    static func path(_ id: String, _ what: String = "") -> String {
        "/v1/backfill-sets/" + ServerConnection.segment(id) + what
    }
}

private struct BackfillSetLine: Decodable {
    static let head = ["ID", "STATE", "EVENTS", "AT", "AUTHOR", "NAME"]

    var id: String
    var name: String
    var state: String
    var events: Int
    var at: String
    var author: String

    var cells: [String] { [id, state, String(events), at, author, name] }
}

struct BackfillSetsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List backfill sets, the newest first."
    )

    private struct Page: Decodable {
        var items: [BackfillSetLine]
        var next: String?
    }

    @Option(help: "Only those that are open, closed or reverted.") var state: String?
    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let query = list.query + (state.map { [("state", $0)] } ?? [])
            let got = try await server.ask(.get, "/v1/backfill-sets", query: query)
            guard !answer.json else { return Terminal.put(got) }
            let page = try got.decoded(Page.self)
            var table = Table(BackfillSetLine.head, numbers: [2])
            for one in page.items { table.add(one.cells) }
            Terminal.put(table.text())
            list.tell(next: page.next)
        }
    }
}

struct BackfillSetsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one backfill set."
    )

    @Argument(help: "Id of the set: bs-1.") var id: String
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, BackfillSetsCommand.path(id))
            guard !answer.json else { return Terminal.put(got) }
            var table = Table(BackfillSetLine.head, numbers: [2])
            table.add(try got.decoded(BackfillSetLine.self).cells)
            Terminal.put(table.text())
        }
    }
}

struct BackfillSetsOpen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open",
        abstract: "Open a set: its events do not count until it is closed.",
        discussion: """
            With --source, --subject, --type, --from, --to or --expression, the events that fit \
            all of them make room for the set when it is closed, but for those that were sent to \
            it again.

              odometer backfill-sets open "November from the gateway" --reason "hours were lost" \\
                --source gateway-eu --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z
            """
    )

    @Argument(help: "What the set is for.") var name: String
    @OptionGroup(title: "What makes room for it") var replacing: SelectionFlags
    @OptionGroup var who: WhoFlags
    @Option(help: "Your own name for the request: made twice, it opens one set.")
    var idempotencyKey: String?
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        var document = who.document
        document["name"] = .string(name)
        let selection = replacing.document
        if !selection.members.isEmpty { document["replaceExisting"] = .object(selection) }
        let body = (type: "application/json", bytes: JSONValue.object(document).serialized())
        let headers = idempotencyKey.map { [(name: "Idempotency-Key", value: $0)] } ?? []
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(
                .post,
                "/v1/backfill-sets",
                headers: headers,
                body: body
            )
            guard !answer.json else { return Terminal.put(got) }
            Terminal.put(try got.decoded(BackfillSetLine.self).id + "\n")
        }
    }
}

struct BackfillSetsClose: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close",
        abstract: "Let all events of a set count, at once; or compare with --dry-run."
    )

    @Argument(help: "Id of the set: bs-1.") var id: String
    @OptionGroup var flags: CorrectionFlags

    func run() async throws { try await flags.ask(at: BackfillSetsCommand.path(id, "/close")) }
}

struct BackfillSetsRevert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revert",
        abstract: "Let no event of a set count any more, however long ago it was closed."
    )

    @Argument(help: "Id of the set: bs-1.") var id: String
    @OptionGroup var flags: CorrectionFlags

    func run() async throws { try await flags.ask(at: BackfillSetsCommand.path(id, "/revert")) }
}
