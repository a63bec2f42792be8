import HTTPTypes
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

@Suite("Pages of other sites, and the API") struct SiteTests {
    private static let site = HTTPField.Name("Sec-Fetch-Site")!

    @Test(
        "a page of another site sends nothing, whatever the server listens on",
        arguments: ["127.0.0.1", "0.0.0.0"],
        [
            ([.origin: "https://evil.example"], 403), ([.origin: "null"], 403),
            ([SiteTests.site: "cross-site"], 403), ([SiteTests.site: "same-site"], 403),
            ([.origin: "http://localhost", SiteTests.site: "same-origin"], 200), ([:], 200),
        ] as [(HTTPFields, Int)]
    )
    func foreign(host: String, sent: (HTTPFields, Int)) async throws {
        let edge = Edge { $0.host = host }

        let plain = try await edge.post("/v1/events", Edge.event("a"), type: "text/plain", sent.0)
        let reply = try await edge.post("/v1/events", Edge.event("a"), sent.0)
        let read = try await edge.ask(.get, "/v1/events", nil, sent.0)

        #expect(reply.status == sent.1)
        #expect(plain.status == (sent.1 == 200 ? 415 : 403))
        #expect(reply.problem == (sent.1 == 200 ? nil : "page-foreign"))
        #expect(read.items.count == (sent.1 == 200 ? 1 : 0))
        let gone = try await edge.ask(.delete, "/v1/meter-types/none", nil, sent.0)
        #expect(gone.status == (sent.1 == 200 ? 404 : 403))
    }

    @Test("another name that leads to loopback is told what to do; probes are answered")
    func names() async throws {
        try await LiveServer.run { server in
            for (path, host, status) in [
                ("/v1/status", "evil.example", 421), ("/metrics", "evil.example", 421),
                ("/none", "evil.example", 421), ("/v1/status", "localhost:1", 200),
                ("/healthz", "10.1.2.3", 200), ("/readyz", "10.1.2.3", 200),
            ] {
                try await Wire.with(server.port) { wire in
                    try await wire.send(
                        "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n"
                    )
                    let answer = try await wire.read(until: "\r\n\r\n")
                    #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(path) at \(host)")
                    guard status == 421 else { return }
                    let problem = try await wire.read(until: "}")
                    #expect(problem.contains("/problems/host-unknown"), "\(path)")
                    #expect(problem.contains("evil.example"), "\(path)")
                }
            }
        }
    }
}
