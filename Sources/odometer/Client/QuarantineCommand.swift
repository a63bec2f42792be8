import ArgumentParser

/// `odometer quarantine`: what could not be counted, and why.
struct QuarantineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine",
        abstract: "List events that were rejected or in conflict, the newest first.",
        discussion: "With --json each item has the original bytes."
    )

    @Option(help: "Only for this reason, such as time-missing-offset.") var reason: String?
    @Option(help: "Only from this source.") var source: String?
    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    private struct Page: Decodable {
        struct Item: Decodable {
            var id: String
            var reason: String
            var pointer: String?
            var detail: String?
            var source: String?
            var eventId: String?
            var lastSeenAt: String?
        }
        var items: [Item]
        var next: String?
    }

    func run() async throws {
        var query = list.query
        if let reason { query.append(("reason", reason)) }
        if let source { query.append(("source", source)) }
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, "/v1/quarantine", query: query)
            guard !answer.json else { return Terminal.put(got) }
            let page = try got.decoded(Page.self)
            var table = Table(["ID", "LAST SEEN", "REASON", "AT", "SOURCE", "EVENT", "DETAIL"])
            for item in page.items {
                table.add([
                    item.id, item.lastSeenAt ?? "-", item.reason, item.pointer ?? "",
                    item.source ?? "-", item.eventId ?? "-", item.detail ?? "",
                ])
            }
            Terminal.put(table.text())
            list.tell(next: page.next)
        }
    }
}

/// `odometer unreadable`: what a meter type matched and could not read.
struct UnreadableCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unreadable",
        abstract: "List events that a meter type matched, but whose value it could not read."
    )

    @Option(help: "Only of this meter type.") var meterType: String?
    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    private struct Page: Decodable {
        struct Item: Decodable {
            var meterType: String
            var reason: String
            var source: String
            var id: String
            var position: String?
        }
        var items: [Item]
        var next: String?
    }

    func run() async throws {
        var query = list.query
        if let meterType { query.append(("meterType", meterType)) }
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, "/v1/unreadable", query: query)
            guard !answer.json else { return Terminal.put(got) }
            let page = try got.decoded(Page.self)
            var table = Table(["POSITION", "METER TYPE", "REASON", "SOURCE", "ID"], numbers: [0])
            for item in page.items {
                table.add([
                    item.position ?? "-", item.meterType, item.reason, item.source, item.id,
                ])
            }
            Terminal.put(table.text())
            list.tell(next: page.next)
        }
    }
}
