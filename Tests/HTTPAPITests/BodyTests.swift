import Compression
import HTTPTypes
import Testing
import WireFormat

@testable import HTTPAPI

@Suite("Bodies") struct BodyTests {
    private static func packed(_ coding: String, _ bytes: [UInt8]) throws -> [UInt8] {
        try unsafe bytes.withUnsafeBytes { raw in
            coding == "zstd"
                ? try unsafe Zstd.compress(raw, level: 3) : try unsafe Gzip.compress(raw)
        }
    }

    private func post(
        _ edge: Edge,
        _ body: [UInt8],
        _ coding: String
    ) async throws -> Edge.Reply {
        try await edge.ask(
            .post,
            "/v1/events",
            body,
            [.contentType: "application/json", .contentEncoding: coding]
        )
    }

    @Test("packed bodies are unpacked", arguments: ["gzip", "x-gzip", "GZIP", "zstd", "identity"])
    func packedBodies(coding: String) async throws {
        let plain = Array(Edge.event("a").utf8)
        let name = coding == "zstd" ? "zstd" : "gzip"
        let body = coding == "identity" ? plain : try Self.packed(name, plain)

        let reply = try await post(Edge(), body, coding)

        #expect(reply.status == 200)
        #expect(reply.json["accepted"]?.integerValue == 1)
    }

    @Test("a packing that is not known, or damaged, is refused", arguments: ["br", "gzip, zstd"])
    func unknownCoding(coding: String) async throws {
        let body = try Self.packed("gzip", Array(Edge.event("a").utf8))

        let unknown = try await post(Edge(), body, coding)
        let damaged = try await post(Edge(), Array(body.dropLast(9)), "gzip")

        #expect(unknown.status == 415)
        #expect(unknown.problem == "unsupported-encoding")
        #expect(unknown.headers[.acceptEncoding] == "gzip, zstd")
        #expect(damaged.status == 415)
        #expect(damaged.problem == "unsupported-encoding")
    }

    @Test("the limit holds for the body as sent and as unpacked", arguments: ["gzip", "zstd"])
    func tooLarge(coding: String) async throws {
        let edge = Edge { $0.bodyBytesMax = 100_000 }
        let event = Edge.event("a")
        let fits = Array((event + String(repeating: " ", count: 100_000 - event.utf8.count)).utf8)

        for body in [fits, fits + [0x20]] {
            let plain = try await post(edge, body, "identity")
            let packed = try await post(edge, try Self.packed(coding, body), coding)
            let isOver = body.count > 100_000

            #expect(plain.status == (isOver ? 413 : 200))
            #expect(packed.status == (isOver ? 413 : 200))
            if isOver {
                #expect(plain.problem == "body-too-large")
                #expect(plain.headers[.connection] == "close")
                #expect(packed.problem == "body-too-large")
            }
        }
    }

    @Test("bodies under way are bounded over all calls, and what is over is refused")
    func budget() async throws {
        let edge = Edge { $0.bodyBytesInFlightMax = 400 }

        let small = try await edge.send("a")
        let large = try await edge.send("a", "b", "c")
        let after = try await edge.send("d")

        #expect(small.status == 200)
        #expect(large.status == 503)
        #expect(large.problem == "busy")
        #expect(large.headers[.retryAfter] == "1")
        #expect(after.status == 200)
    }

    @Test("a share returns what it took, whichever way the call ends")
    func shares() throws {
        let budget = BodyBudget(bytesMax: 100)
        func failing() throws {
            var share = BodyShare(of: budget)
            try share.take(60)
            #expect(budget.bytesInFlight == 60)
            try share.take(60)
        }

        #expect(throws: Refusal.self) { try failing() }
        #expect(budget.bytesInFlight == 0)

        var share = BodyShare(of: budget)
        try share.take(100)
        share.giveBack(40)
        #expect(budget.bytesInFlight == 60)
        share.end()
        #expect(budget.bytesInFlight == 0)
    }
}
