import ArgumentParser

/// `odometer books`: does it balance?
struct BooksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "books",
        abstract: "Show the books: everything received, and what became of it.",
        discussion: """
            received = counted + unmatched + duplicate + conflict + quarantined, at every moment. \
            Where that does not hold, the exit code is 1.
            """
    )

    @Option(name: .customLong("group-by"), help: "source, type or hour (of arrival); may repeat.")
    var groupBy: [String] = []
    @Option(help: "Received from this hour on, RFC 3339.") var from: String?
    @Option(help: "Received before this hour, RFC 3339.") var to: String?
    @Option(help: "Only from this source.") var source: String?
    @Option(help: "Only of this event type.") var type: String?
    @OptionGroup var answer: AnswerFlags

    /// A count is a number or, past 2^53, a text.
    private struct Count: Decodable {
        var text: String

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let number = try? value.decode(Int64.self) {
                text = "\(number)"
            } else {
                text = try value.decode(String.self)
            }
        }
    }

    private struct Line: Decodable {
        var source: String?
        var type: String?
        var hour: String?
        var received: Count
        var counted: Count
        var unmatched: Count
        var duplicate: Count
        var conflict: Count
        var quarantined: Count
        var unreadable: Count?
        var voided: Count?
        var balances: Bool?
    }

    /// What became of what was rejected or in conflict.
    private struct Quarantine: Decodable {
        struct Standing: Decodable {
            var open: Count
            var released: Count
            var discarded: Count
        }
        var total: Standing
    }

    private struct Page: Decodable {
        var position: String
        var total: Line
        var lines: [Line]?
        var balances: Bool?
        var quarantine: Quarantine?
    }

    func run() async throws {
        var query: [(String, String)] = []
        let single: [(String, String?)] = [
            ("from", from), ("to", to), ("source", source), ("type", type),
        ]
        for case (let name, let value?) in single { query.append((name, value)) }
        if !groupBy.isEmpty { query.append(("groupBy", groupBy.joined(separator: ","))) }
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, "/v1/reconciliation", query: query)
            let page = try got.decoded(Page.self)
            if answer.json {
                Terminal.put(got)
            } else {
                Self.show(page)
            }
            let lines = [page.total] + (page.lines ?? [])
            guard page.balances ?? true, lines.allSatisfy(Self.balances) else {
                throw CommandFailure(.refused, "the books do not balance")
            }
        }
    }

    private static func balances(_ line: Line) -> Bool {
        let parts = [
            line.counted, line.unmatched, line.duplicate, line.conflict, line.quarantined,
        ].compactMap { Int64($0.text) }
        return parts.reduce(0, +) == Int64(line.received.text) && line.balances ?? true
    }

    private static func show(_ page: Page) {
        let lines = page.lines ?? []
        let groups: [(String, (Line) -> String?)] = [
            ("SOURCE", { $0.source }), ("TYPE", { $0.type }), ("HOUR", { $0.hour }),
        ].filter { group in lines.contains { group.1($0) != nil } }
        let counts = [
            "RECEIVED", "COUNTED", "UNMATCHED", "DUPLICATE", "CONFLICT", "QUARANTINED",
            "UNREADABLE", "VOIDED",
        ]
        let head = (groups.isEmpty ? [""] : groups.map(\.0)) + counts
        var table = Table(head, numbers: Set((head.count - counts.count)..<head.count))
        func add(_ names: [String], _ line: Line) {
            table.add(
                names + [
                    line.received.text, line.counted.text, line.unmatched.text,
                    line.duplicate.text, line.conflict.text, line.quarantined.text,
                    line.unreadable?.text ?? "0", line.voided?.text ?? "0",
                ]
            )
        }
        for line in lines { add(groups.map { $0.1(line) ?? "-" }, line) }
        let blanks = Array(repeating: "", count: max(groups.count - 1, 0))
        add(["total"] + blanks, page.total)
        Terminal.put(table.text())
        Terminal.say(
            "as of position \(page.position); the books "
                + (([page.total] + lines).allSatisfy(balances) ? "balance" : "DO NOT BALANCE")
        )
        guard let standing = page.quarantine?.total else { return }
        let became = [standing.open, standing.released, standing.discarded].map(\.text)
        guard became.contains(where: { $0 != "0" }) else { return }
        Terminal.say(
            "in quarantine: \(became[0]) open, \(became[1]) released, \(became[2]) discarded"
        )
    }
}
