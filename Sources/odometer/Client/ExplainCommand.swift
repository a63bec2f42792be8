import ArgumentParser

/// `odometer explain`: what became of one event, and why.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say of one event which meters counted it, and why others did not.",
        discussion: """
            For every meter type: the meter, the value, the period it went into; or what did not \
            hold. An event that was not accepted is in `odometer quarantine`.

              odometer explain gateway-eu req-1
            """
    )

    @Argument(help: "Source of the event.") var source: String
    @Argument(help: "Id the source gave it.") var id: String
    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let names = [source, id].map(ServerConnection.segment).joined(separator: "/")
            let got = try await server.ask(.get, "/v1/events/" + names)
            guard !answer.json else { return Terminal.put(got) }
            Terminal.put(try got.decoded(EventAnswer.self).explained)
        }
    }
}

extension EventAnswer {
    /// For people: the event, the meters that counted it, and why others did not.
    var explained: String {
        var facts = Table(["", ""])
        facts.add(["event", "\(event.source) \(event.id)"])
        facts.add(["type", event.type])
        facts.add(["subject", event.subject])
        facts.add(["time", time ?? receivedAt])
        facts.add(["received", "\(receivedAt), position \(position)"])
        facts.add(["status", status])
        if let repairedBy {
            let item = repairedBy.item.map { ", from \($0)" } ?? ""
            facts.add(["repaired by", repairedBy.text + item])
        }
        var counted = Table(["COUNTED BY", "VERSION", "VALUE", "DIMENSIONS", "PERIOD"])
        var others = Table(["NOT BY", "VERSION", "BECAUSE"])
        for line in explanation ?? [] {
            let version = line.version.map { "\($0)" } ?? "-"
            if line.matched {
                counted.add([
                    line.meter ?? line.meterType, version, line.value ?? "-", line.dimensionText,
                    line.period?.text ?? "-",
                ])
            } else {
                others.add([line.meterType, version, line.because ?? ""])
            }
        }
        var said = Table(["CORRECTION", "KIND", "AT", "AUTHOR", "REASON", "COUNTS SINCE"])
        for one in corrections ?? [] {
            let counts = one.counts.map { $0 ? "yes" : "no" } ?? "-"
            said.add([one.id, one.kind, one.at, one.author, one.reason, counts])
        }
        return facts.text(withHead: false)
            + [counted, others, said].filter { !$0.isEmpty }.map { "\n" + $0.text() }.joined()
    }
}
