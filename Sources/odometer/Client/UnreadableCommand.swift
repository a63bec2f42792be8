import ArgumentParser

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
