import ArgumentParser
import WireFormat

/// `odometer deliveries`: what became of each record at a destination.
struct DeliveriesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliveries",
        abstract: "List deliveries of a destination, or send some again.",
        subcommands: [DeliveriesList.self, DeliveriesResend.self],
        defaultSubcommand: DeliveriesList.self
    )
}

/// A delivery as the server tells it.
struct DeliveryAnswer: Decodable {
    struct Record: Decodable {
        var id: String
        var kind: String
        var meter: String
        var amount: String?
    }

    var number: String
    var state: String
    var attempts: Int
    var nextAttemptAt: String?
    var lastAttemptAt: String?
    var status: Int?
    var answer: String?
    var record: Record
}

struct DeliveriesList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the deliveries of a destination in the order of their numbers."
    )

    private struct Page: Decodable {
        var items: [DeliveryAnswer]
        var next: String?
    }

    @Option(help: "Key of the destination.") var destination: String
    @Option(name: .customLong("state"), help: "pending, delivered or failed; may repeat.")
    var states: [String] = []
    @OptionGroup var whose: RecordFlags
    @Option(help: "Only of later numbers.") var after: Int?
    @OptionGroup var list: ListFlags
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        var query = [("destination", destination)] + list.query + whose.query
        query += states.map { ("state", $0) }
        if let after { query.append(("after", String(after))) }
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, "/v1/deliveries", query: query)
            guard !answer.json else { return Terminal.put(got) }
            let page = try got.decoded(Page.self)
            var table = Table(
                [
                    "NUMBER", "STATE", "TRIES", "STATUS", "KIND", "METER", "AMOUNT", "LAST",
                    "ANSWER",
                ],
                numbers: [0, 2, 3, 6]
            )
            for one in page.items {
                table.add([
                    one.number, one.state, "\(one.attempts)", one.status.map(String.init) ?? "-",
                    one.record.kind, one.record.meter, one.record.amount ?? "-",
                    one.lastAttemptAt ?? "-", one.answer ?? "-",
                ])
            }
            Terminal.put(table.text())
            list.tell(next: page.next)
        }
    }
}

struct DeliveriesResend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resend",
        abstract: "Send again: all that failed, a range of numbers, or records by their ids.",
        discussion: """
              odometer deliveries resend --destination billing --failed
              odometer deliveries resend --destination billing --from 17 --to 20
              odometer deliveries resend --destination billing --record ur_…

            The idempotency keys are those of before.
            """
    )

    private struct Answer: Decodable { var resent: String }

    @Option(help: "Key of the destination.") var destination: String
    @Flag(help: "All that failed.") var failed = false
    @Option(help: "From this number on.") var from: Int?
    @Option(help: "To this number, itself included.") var to: Int?
    @Option(name: .customLong("record"), help: "Id of a record; may repeat.")
    var records: [String] = []
    @OptionGroup var answer: ChangeFlags

    func validate() throws {
        let ways = [failed, from != nil || to != nil, !records.isEmpty]
        guard ways.count(where: { $0 }) == 1, (from == nil) == (to == nil) else {
            throw ValidationError("say one of --failed, --from with --to, and --record")
        }
    }

    func run() async throws {
        var document: JSONObject = ["destination": .string(destination)]
        if failed { document["state"] = "failed" }
        document["from"] = from.map { .string(String($0)) }
        document["to"] = to.map { .string(String($0)) }
        if !records.isEmpty { document["records"] = .array(records.map { .string($0) }) }
        let body = (type: "application/json", bytes: JSONValue.object(document).serialized())
        try await ServerConnection.open(answer) { server in
            let got = try await server.ask(.post, "/v1/deliveries/resend", body: body)
            guard !answer.json else { return Terminal.put(got) }
            Terminal.put("\(try got.decoded(Answer.self).resent) are sent again\n")
        }
    }
}
