import ArgumentParser

/// `odometer diff`: why a reading is another one than it was.
struct DiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Explain the difference of a reading between two states of knowledge.",
        discussion: """
              odometer diff --meter-type tokens-in --subject acme --from 2026-11-01T00:00:00Z \\
                --to 2026-12-01T00:00:00Z --as-of 41873

            The amounts of the steps add up to the difference, to the last digit.
            """
    )

    @Option(help: "Meter type.") var meterType: String
    @Option(help: "Subject. Without: over all of them.") var subject: String?
    @Option(name: .customLong("customer"), help: "Only subjects of this customer; may repeat.")
    var customers: [String] = []
    @Option(help: "Start of the range, RFC 3339; in it.") var from: String?
    @Option(help: "End of the range, RFC 3339; no more in it.") var to: String?
    @Option(help: "The earlier state of knowledge: a position or a time.") var asOf: String
    @Option(help: "The later one; now if not said.") var until: String?
    @Option(help: "Read all events under this version of the meter type.") var version: Int?
    @OptionGroup var answer: AnswerFlags

    private struct Difference: Decodable {
        struct State: Decodable {
            var position: String
            var value: String?
            var events: String
        }
        struct Step: Decodable {
            var cause: String
            var correction: String?
            var kind: String?
            var author: String?
            var reason: String?
            var version: Int?
            var upTo: String
            var amount: String?
            var value: String?
            var events: String

            var told: String {
                let parts = [kind, correction, version.map { String($0) }].compactMap(\.self)
                return ([cause] + parts).joined(separator: " ")
            }
        }
        var before: State
        var after: State
        var amount: String?
        var steps: [Step]
    }

    func run() async throws {
        var query = [("meterType", meterType)] + customers.map { ("customer", $0) }
        let single: [(String, String?)] = [
            ("subject", subject), ("from", from), ("to", to), ("asOf", asOf), ("until", until),
            ("version", version.map { "\($0)" }),
        ]
        for case (let name, let value?) in single { query.append((name, value)) }
        try await ServerConnection.open(answer.server) { server in
            let got = try await server.ask(.get, "/v1/usage/diff", query: query)
            guard !answer.json else { return Terminal.put(got) }
            let found = try got.decoded(Difference.self)
            let head = ["POSITION", "WHAT", "EVENTS", "AMOUNT", "VALUE", "WHO AND WHY"]
            var table = Table(head, numbers: [0, 2, 3, 4])
            let before = found.before
            table.add([before.position, "before", before.events, "", before.value ?? "-", ""])
            for step in found.steps {
                let why = [step.author, step.reason].compactMap(\.self).joined(separator: ": ")
                table.add([
                    step.upTo, step.told, step.events, step.amount ?? "-", step.value ?? "-", why,
                ])
            }
            let after = found.after
            table.add([
                after.position, "after", after.events, found.amount ?? "-", after.value ?? "-", "",
            ])
            Terminal.put(table.text())
        }
    }
}
