import Glibc

/// The server under test on an empty data folder; its log stays when something failed.
struct OdometerServer {
    let folder: ScratchFolder
    let port: UInt16
    let process: ChildProcess

    init(binary: String) throws(BenchError) {
        folder = try ScratchFolder("odometer")
        port = try freePort()
        let listen = "127.0.0.1:\(port)"
        let log = "\(folder.path)/log"
        process = try ChildProcess(
            [binary, "serve", "--data", "\(folder.path)/data", "--listen", listen],
            log: log
        )
        for _ in 0..<1_200 {
            if let answer = try? call("GET", "/readyz", port: port), answer.status == 200 { return }
            guard process.exitStatus() == nil else { break }
            usleep(50_000)
        }
        process.stop([SIGTERM])
        throw BenchError("the server did not become ready: \(fileText(log) ?? "no log")")
    }

    /// Creates the first `count` of the five meter types of the business.
    func createMeterTypes(_ count: Int) throws(BenchError) {
        for body in Self.meterTypes.prefix(count) {
            let answer = try call("POST", "/v1/meter-types", port: port, body: body)
            guard answer.status == 201 else {
                throw BenchError("POST /v1/meter-types: \(Self.text(answer))")
            }
        }
    }

    static let meterTypes = [
        """
        {"key":"tokens-in","name":"Input tokens","eventTypes":["llm.request"],\
        "aggregation":"sum","value":"$.data.tokens.input","unit":"token"}
        """,
        """
        {"key":"tokens-out","name":"Output tokens","eventTypes":["llm.request"],\
        "aggregation":"sum","value":"$.data.tokens.output",\
        "dimensions":{"model":"$.data.model"},"unit":"token"}
        """,
        """
        {"key":"requests","name":"Requests","eventTypes":["llm.request"],\
        "aggregation":"count","unit":"request"}
        """,
        """
        {"key":"largest-request","name":"Largest request","eventTypes":["llm.request"],\
        "aggregation":"max","value":"$.data.tokens.input","unit":"token"}
        """,
        """
        {"key":"storage","name":"Storage","eventTypes":["llm.request"],\
        "aggregation":"latest","value":"$.data.storageBytes","unit":"byte"}
        """,
    ]

    /// Asks the server for the month and compares every total with the workload's.
    func verify(_ totals: WorkloadTotals, meterTypes: Int) throws(BenchError) {
        var expected = [("tokens-in", "", ["\(totals.inputTokens)"])]
        if meterTypes == Self.meterTypes.count {
            let byModel = zip(Inference.models, totals.outputTokensByModel)
                .map { ("\($0)", "\($1)") }.sorted { $0.0 < $1.0 }.map(\.1)
            expected.append(("tokens-out", "&groupBy=model", byModel))
            expected.append(("requests", "", ["\(totals.requests)"]))
            expected.append(("largest-request", "", ["\(totals.largestRequest)"]))
        }
        for (key, query, values) in expected {
            let path =
                "/v1/usage?meterType=\(key)&from=2026-11-01T00:00:00Z"
                + "&to=2027-11-01T00:00:00Z" + query
            let answer = try call("GET", path, port: port)
            let text = Self.text(answer)
            let found = text.split(separator: "\"value\":\"").dropFirst().map {
                String($0.prefix { $0 != "\"" })
            }
            guard answer.status == 200, found == values else {
                throw BenchError("\(key) should read \(values), but: \(text)")
            }
        }
    }

    /// Bytes the process has caused to be written to disk; nil when it is gone.
    func writtenBytes() -> Int? {
        guard let text = fileText("/proc/\(process.pid)/io") else { return nil }
        return text.split(separator: "\n").first { $0.hasPrefix("write_bytes:") }
            .flatMap { Int($0.dropFirst("write_bytes: ".count)) }
    }

    /// Stops the server (gracefully first) and removes its folder.
    func remove() {
        process.stop([SIGTERM])
        folder.remove()
    }

    private static func text(_ answer: HTTPAnswer) -> String {
        String(decoding: answer.bytes.prefix(20_000), as: UTF8.self)
    }
}
