import MeteringEngine
import Testing
import UsageModel

@testable import BillingExport

@Suite("What answers mean", .timeLimit(.minutes(5))) struct AnswerTests {
    private func send(
        _ reply: Loopback.Reply,
        timeout: String = "10s",
        change: (inout HTTPRules) -> Void = { _ in }
    ) async throws -> DeliveryOutcome {
        try await Loopback.run({ _, _ in reply }) { server in
            var rules = HTTPRules(url: server.url + "/usage")
            change(&rules)
            var outlets = Outlets(.http(rules))
            outlets.timeout = timeout
            return try await outlets.send(try Sample.batch())
        }
    }

    @Test(
        "a status says whether a record is taken, tried again or refused",
        arguments: [
            (200, "delivered"), (201, "delivered"), (202, "delivered"), (204, "delivered"),
            (409, "delivered"), (301, "refused"), (302, "refused"), (307, "refused"),
            (308, "refused"), (400, "refused"), (401, "refused"), (402, "refused"),
            (403, "refused"), (404, "refused"), (410, "refused"), (413, "refused"),
            (422, "refused"), (408, "retry"), (425, "retry"), (429, "retry"), (500, "retry"),
            (502, "retry"), (503, "retry"), (504, "retry"), (507, "retry"),
        ]
    )
    func statuses(status: Int, word: String) async throws {
        let outcome = try await send(Loopback.Reply(status))
        switch outcome {
        case .delivered(let told, _): #expect((told, word) == (status, "delivered"))
        case .retry(let told, let reason, let after):
            #expect((told, word, after) == (status, "retry", nil))
            #expect(reason == "answered \(status)")
        case .refused(let told, let reason):
            #expect((told, word) == (status, "refused"))
            #expect(reason.hasPrefix("answered \(status)"))
        }
    }

    @Test("a redirect is not followed, and said to be none")
    func redirects() async throws {
        let reply = Loopback.Reply(302, headers: [("location", "http://127.0.0.1:1/other")])
        #expect(try await send(reply).reason.contains("redirects are not followed"))
    }

    @Test(
        "how long to wait is read as seconds or as a date",
        arguments: [
            ("7", 7), ("0", 0), ("999999999999999999999", 604_800), ("", nil), ("soon", nil),
            ("-1", nil), ("1.5", nil), ("Tue, 01 Dec 2026 00:01:00 GMT", 30),
            ("Tue, 01 Dec 2026 00:00:00 GMT", 0), ("Tue, 01 Dec 2026 00:01:00 CET", nil),
            ("Tue, 32 Dec 2026 00:01:00 GMT", nil),
        ]
    )
    func retryAfter(text: String, seconds: Int?) async throws {
        let reply = Loopback.Reply(429, headers: [("retry-after", text)])
        let outcome = try await send(reply)
        #expect(outcome == .retry(status: 429, reason: "answered 429", after: seconds))
    }

    @Test("codes that are expected, and those that say it is known, are named")
    func expected() async throws {
        let only = try await send(Loopback.Reply(200)) { $0.expected = [202] }
        let named = try await send(Loopback.Reply(404)) { $0.expected = [200, 404] }
        let known = try await send(Loopback.Reply(422)) { $0.known = [422] }
        let conflict = try await send(Loopback.Reply(409)) { $0.known = [] }
        #expect(only.isRefused)
        #expect(named.isDelivered)
        #expect(known.isDelivered)
        #expect(conflict.isRefused)
    }

    @Test("a reason holds the beginning of the answer, on one line, and what it calls the record")
    func words() async throws {
        let long = String(repeating: "x", count: 500)
        let refused = try await send(Loopback.Reply(422, "no\r\n\tsuch  customer \(long)"))
        let taken = try await send(Loopback.Reply(201, #"{"id":"evt_9"}"#))
        let numbered = try await send(Loopback.Reply(201, #"{"id":9,"x":1}"#))

        #expect(refused.reason.hasPrefix("answered 422: no such customer xxx"))
        #expect(refused.reason.count == "answered 422: ".count + AnswerRules.shownMax)
        #expect(taken == .delivered(status: 201, reference: "evt_9"))
        #expect(numbered == .delivered(status: 201, reference: "9"))
    }

    @Test("what was sent as a secret is not told, though the other side repeats it")
    func secrets() async throws {
        let reply = Loopback.Reply(403, "key sk_123456 of Bearer sk_123456, x-key: other-secret")
        let outcome = try await send(reply) { rules in
            rules.authorization = .header(name: "Authorization", value: "Bearer sk_123456")
            rules.headers = [.init(name: "X-Key", value: "other-secret")]
            rules.url += "?token=query-secret&n=${deliveryNumber}"
        }
        let query = try await send(Loopback.Reply(404, "no query-secret here")) { rules in
            rules.url += "?token=query-secret&n=${deliveryNumber}"
        }
        #expect(outcome.reason == "answered 403: key [secret] of [secret], x-key: [secret]")
        #expect(query.reason == "answered 404: no [secret] here")
    }

    @Test("of a long answer only the beginning is read")
    func longAnswer() async throws {
        var reply = Loopback.Reply(500)
        reply.body = Array(repeating: UInt8(ascii: "y"), count: 8 * 1024 * 1024)
        #expect(try await send(reply).isRetried)
    }

    @Test("no connection, no answer and no answer in time are tried again")
    func unreachable() async throws {
        let closed = try await Outlets(.http(HTTPRules(url: "http://127.0.0.1:1/")))
            .send(try Sample.batch())
        let hungUp = try await send(Loopback.Reply(.hangUp))
        let silent = try await send(Loopback.Reply(.silent), timeout: "1s")
        #expect(closed == .retry(status: nil, reason: "connection refused", after: nil))
        #expect(hungUp.isRetried)
        #expect(silent == .retry(status: nil, reason: "no answer within 1s", after: nil))
    }

    @Test("a status that came stands, though the answer never ends")
    func unfinished() async throws {
        #expect(try await send(Loopback.Reply(.unfinished), timeout: "1s").isDelivered)
    }
}
