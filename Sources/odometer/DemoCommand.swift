import ArgumentParser
import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import UsageModel
import WireFormat

/// `odometer demo`: a server, the meter types of an AI-API business, and a seeded workload.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract:
            "Run a server and meter a built-in workload: duplicates, conflicts, late, broken.",
        discussion: "The same seed sends the same events: run it twice and nothing counts twice."
    )

    @OptionGroup var flags: ServeFlags
    @Option(help: "How many events are sent.")
    var events = 200_000
    @Option(help: "What the events are drawn from.")
    var seed: UInt64 = 1
    @Flag(help: "Stop when the workload is metered.")
    var once = false

    func run() async throws {
        var configuration = try flags.configuration()
        if flags.logLevel == nil { configuration.logLevel = .warning }
        Logs.start(level: configuration.logLevel, format: configuration.logFormat)
        let demo = DemoRun(server: "http://\(configuration.listen)", events: events, seed: seed)
        let (once, data) = (once, configuration.data)
        try await RunningServer(configuration).run {
            try await demo.run(data: data)
            if once { kill(getpid(), SIGTERM) }
        }
    }
}

/// What the demo does once its server runs.
private struct DemoRun: Sendable {
    private static let batchEvents = 1_000
    /// The server answers within this, or the demo gives up.
    private static let answerSecondsMax: Int64 = 60

    let server: String
    let events: Int
    let seed: UInt64

    func run(data: String) async throws {
        try await waitUntilReady()
        say("Odometer serves \(server) on the data directory \(data)")
        for definition in DemoWorkload.meterTypes {
            _ = try await post("/v1/meter-types", definition, "application/json")
        }
        say(
            "Made \(DemoWorkload.meterTypes.count) meter types: requests, tokens by model, …"
        )
        var workload = DemoWorkload(seed: seed)
        var answered = Answers()
        var sent = 0
        let clock = ContinuousClock()
        let started = clock.now
        while sent < events {
            let lines = min(Self.batchEvents, events - sent)
            let body = workload.batch(lines)
            let answer = try await post("/v1/events", body, "application/x-ndjson")
            answered.add(answer)
            sent += lines
        }
        let elapsed = started.duration(to: clock.now)
        try await report(workload.tally, answered, elapsed)
    }

    private struct Answers {
        var counts: [String: Int] = [:]

        mutating func add(_ answer: JSONValue) {
            for name in ["received", "accepted", "duplicates", "conflicts", "rejected"] {
                if case .number(let text)? = answer[name], let count = Int(text) {
                    counts[name, default: 0] += count
                }
            }
        }

        subscript(_ name: String) -> Int { counts[name] ?? 0 }
    }

    private func report(
        _ tally: DemoWorkload.Tally,
        _ answered: Answers,
        _ elapsed: Duration
    ) async throws {
        let books = try await get("/v1/reconciliation")
        let tokens = try await get("/v1/usage?meterType=tokens-in")
        let (seconds, rest) = elapsed.components
        let tenths = rest / 100_000_000_000_000_000
        say(
            """

            Sent \(tally.sent) events in \(Self.batchEvents)s, one connection, \
            in \(seconds).\(tenths) seconds:
              \(tally.distinct) new, \(tally.duplicates) sent again, \(tally.conflicts) sent again \
            with other content, \(tally.malformed) broken; some late, some out of order.
            Answered: \(answered["accepted"]) accepted, \(answered["duplicates"]) duplicates, \
            \(answered["conflicts"]) conflicts, \(answered["rejected"]) rejected.
            """
        )
        if answered["accepted"] == 0 {
            say("Nothing new: this workload was metered before, and nothing is counted twice.")
        }
        let total = books["total"]
        func count(_ name: String) -> String {
            if case .number(let text)? = total?[name] { return text }
            return total?[name]?.stringValue ?? "?"
        }
        let balances = total?["balances"] == .bool(true)
        say(
            """
            The books: received \(count("received")) = counted \(count("counted")) + unmatched \
            \(count("unmatched")) + duplicate \(count("duplicate")) + conflict \
            \(count("conflict")) + quarantined \(count("quarantined")): \
            \(balances ? "they balance" : "THEY DO NOT BALANCE").
            """
        )
        if case .array(let readings)? = tokens["readings"],
            let value = readings.first?["value"]?.stringValue
        {
            let isRight = value == String(tally.tokensIn)
            say(
                "Input tokens: sent \(tally.tokensIn), counted \(value)"
                    + (isRight ? ", to the last one." : " (other workloads are in here, too).")
            )
        }
        say(
            """

            Try:
              curl '\(server)/v1/usage?meterType=tokens-in&groupBy=model&pretty'
              curl '\(server)/v1/usage?meterType=requests&subject=customer-7&window=day\
            &from=2026-11-01T00:00:00Z&to=2026-11-08T00:00:00Z&timezone=Europe/Berlin&pretty'
              curl '\(server)/v1/quarantine?limit=3&pretty'
            Ctrl-C stops the server.
            """
        )
        guard balances else { throw CommandFailure(.refused, "the books do not balance") }
    }

    private func say(_ text: String) { Terminal.put(text + "\n") }

    private func waitUntilReady() async throws {
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: .seconds(Self.answerSecondsMax))
        while clock.now < end {
            if let answer = try? await HTTPClient.shared.execute(
                HTTPClientRequest(url: server + "/readyz"),
                timeout: .seconds(1)
            ), answer.status == .ok {
                return
            }
            try await clock.sleep(for: .milliseconds(50))
        }
        throw CommandFailure(.unreachable, "the server at \(server) is not ready")
    }

    private func post(_ path: String, _ body: String, _ type: String) async throws -> JSONValue {
        var request = HTTPClientRequest(url: server + path)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: type)
        request.body = .bytes(ByteBuffer(string: body))
        return try await answer(request)
    }

    private func get(_ path: String) async throws -> JSONValue {
        try await answer(HTTPClientRequest(url: server + path))
    }

    private func answer(_ request: HTTPClientRequest) async throws -> JSONValue {
        let response = try await HTTPClient.shared.execute(
            request,
            timeout: .seconds(Self.answerSecondsMax)
        )
        let bytes = try await response.body.collect(upTo: 64 * 1024 * 1024)
        guard (200..<300).contains(Int(response.status.code)) else {
            throw CommandFailure(
                .refused,
                "\(request.url): \(response.status) \(String(buffer: bytes))"
            )
        }
        return try JSONValue.parse(Array(bytes.readableBytesView))
    }
}
