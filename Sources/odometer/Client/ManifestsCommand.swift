import ArgumentParser
import UsageModel
import WireFormat

/// `odometer manifests`: what sources say that they sent, held against what is here.
struct ManifestsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manifests",
        abstract: "Register what a source sent, and show the difference to what is here.",
        discussion: """
            `odometer ingest --manifest` registers what it sends.
            """,
        subcommands: [ManifestsList.self, ManifestsShow.self, ManifestsRegister.self],
        defaultSubcommand: ManifestsList.self
    )

    static let root = "/v1/manifests"

    static func path(_ id: String) -> String { root + "/" + ServerConnection.segment(id) }
}

/// A manifest as the server tells it.
struct ManifestAnswer: Decodable {
    struct Sum: Decodable {
        var path: String
        var value: String
    }

    struct Standing: Decodable {
        var status: String
        var received: String
        var rowsDifference: String
        var voided: String
        var quarantined: String
        var sum: String?
        var sumDifference: String?
        var unreadable: String?
    }

    var id: String
    var source: String
    var type: String?
    var from: String
    var to: String
    var rows: String
    var sum: Sum?
    var at: String
    var author: String?
    var standing: Standing?

    static var table: Table {
        Table(
            ["ID", "STATUS", "SOURCE", "ROWS", "HERE", "DIFFERENCE", "SUM", "HERE", "DIFFERENCE"],
            numbers: [3, 4, 5, 6, 7, 8]
        )
    }

    var row: [String] {
        [
            id, standing?.status ?? "-", source, rows, standing?.received ?? "-",
            standing?.rowsDifference ?? "-", sum?.value ?? "-", standing?.sum ?? "-",
            standing?.sumDifference ?? "-",
        ]
    }

    var text: String {
        let known: [(String, String?)] = [
            ("id", id), ("source", source), ("type", type), ("from", from), ("to", to),
            ("registered", at), ("by", author), ("status", standing?.status), ("rows", rows),
            ("here", standing?.received), ("difference", standing?.rowsDifference),
            ("void of these", standing?.voided), ("open in quarantine", standing?.quarantined),
            ("sum of", sum?.path), ("as claimed", sum?.value), ("sum here", standing?.sum),
            ("difference", standing?.sumDifference), ("unreadable", standing?.unreadable),
        ]
        var table = Table(["", ""])
        for case (let name, let value?) in known { table.add([name, value]) }
        return table.text(withHead: false)
    }

    /// Registers a claim.
    ///
    /// - Parameter token: nil: the claim itself, so that the same one twice is one manifest.
    static func register(
        _ claim: SourceManifest.Claim,
        token: String?,
        _ server: ServerConnection
    ) async throws -> ManifestAnswer {
        let document = JSONValue.object(ManifestDocument.write(claim))
        let words = document.serialized(pretty: false).reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        let got = try await server.ask(
            .post,
            ManifestsCommand.root,
            headers: [("idempotency-key", token ?? "claim:\(String(words, radix: 16))")],
            body: ("application/json", document.serialized())
        )
        return try got.decoded(ManifestAnswer.self)
    }
}

struct ManifestsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List manifests, the newest first."
    )

    private struct Page: Decodable {
        var items: [ManifestAnswer]
        var next: String?
    }

    @Option(help: "Only of this source.") var source: String?
    @Flag(help: "Hold each against the ledger; reads the events of its time.") var compare = false
    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        let query =
            list.query + (source.map { [("source", $0)] } ?? [])
            + (compare ? [("compare", "true")] : [])
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, ManifestsCommand.root, query: query)
            guard !answer.json else { return Terminal.put(got) }
            let page = try got.decoded(Page.self)
            var table = compare ? ManifestAnswer.table : Table(Self.head, numbers: [5])
            for one in page.items {
                table.add(
                    compare
                        ? one.row
                        : [
                            one.id, one.source, one.type ?? "-", one.from, one.to, one.rows,
                            one.at, one.author ?? "-",
                        ]
                )
            }
            Terminal.put(table.text())
            list.tell(next: page.next)
        }
    }

    private static let head = ["ID", "SOURCE", "TYPE", "FROM", "TO", "ROWS", "REGISTERED", "BY"]
}

struct ManifestsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one manifest, and how it stands now.",
        discussion: "Exit code 4 where it does not balance."
    )

    @Argument(help: "Id of the manifest: m-12.") var id: String
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, ManifestsCommand.path(id))
            let manifest = try got.decoded(ManifestAnswer.self)
            answer.json ? Terminal.put(got) : Terminal.put(manifest.text)
            guard manifest.standing?.status == "balanced" else {
                throw CommandFailure(.incomplete)
            }
        }
    }
}

struct ManifestsRegister: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register",
        abstract: "Register what a source sent.",
        discussion: """
              odometer manifests register --source gateway-eu --from 2026-11-01T00:00:00Z \\
                --to 2026-11-02T00:00:00Z --rows 1200 --sum-path '$.data.tokens' --sum 98213.5

            The times are those of the events, the last one not included. The same words twice are \
            one manifest.
            """
    )

    @Option(help: "Source of the events.") var source: String
    @Option(help: "Only events of this type, or prefix.*") var type: String?
    @Option(help: "The times begin here, RFC 3339.") var from: String
    @Option(help: "The times lie before this, RFC 3339.") var to: String
    @Option(help: "How many events were sent.") var rows: Int64
    @Option(help: "Path of the field that was added up, such as '$.data.tokens'.")
    var sumPath: String?
    @Option(help: "Its sum.") var sum: String?
    @Option(help: "Your own name for the manifest: made twice, it is one.")
    var idempotencyKey: String?
    @OptionGroup var answer: ChangeFlags

    private func claim() throws(CommandFailure) -> SourceManifest.Claim {
        var document: JSONObject = [
            "source": .string(source), "from": .string(from), "to": .string(to),
            "rows": .number(String(rows)),
        ]
        document["type"] = type.map { .string($0) }
        if sumPath != nil || sum != nil {
            var claimed = JSONObject()
            claimed["path"] = sumPath.map { .string($0) }
            claimed["value"] = sum.map { .string($0) }
            document["sum"] = .object(claimed)
        }
        do throws(ManifestDocument.Faults) {
            return try ManifestDocument.read(.object(document))
        } catch {
            let lines = error.all.map { "\($0.pointer): \($0.reason); \($0.remedy)" }
            throw CommandFailure(.usage, lines.joined(separator: "\n"))
        }
    }

    func run() async throws {
        let claim = try claim()
        try await ServerConnection.open(answer) { server in
            let known = try await ManifestAnswer.register(claim, token: idempotencyKey, server)
            let got = try await server.ask(.get, ManifestsCommand.path(known.id))
            guard !answer.json else { return Terminal.put(got) }
            Terminal.put(try got.decoded(ManifestAnswer.self).text)
        }
    }
}
