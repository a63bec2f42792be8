import MeteringEngine
import Synchronization
import Testing
import UsageModel

@testable import BillingExport

@Suite("Tokens of OAuth 2", .timeLimit(.minutes(5))) struct AccessTokenTests {
    /// Time that stands until it is moved.
    private final class Clock: Sendable {
        private let seconds = Mutex<Int64>(0)

        func move(_ by: Int64) { seconds.withLock { $0 += by } }

        var now: Instant {
            Instant(microseconds: Sample.now.microseconds + seconds.withLock { $0 } * 1_000_000)
        }
    }

    private static let secret = "s3cr3t &/"

    private static func isToken(_ asked: Loopback.Asked) -> Bool { asked.target == "/token" }

    /// Gives tokens `t0`, `t1`, … and takes what `taken` says.
    private static func script(
        life: String = "3600",
        taken: @escaping @Sendable (String) -> Bool = { _ in true }
    ) -> Loopback.Script {
        { asked, before in
            if isToken(asked) {
                let text = #"{"access_token":"t\#(before)","expires_in":\#(life)}"#
                return Loopback.Reply(200, text)
            }
            return Loopback.Reply(taken(asked.header("authorization") ?? "") ? 200 : 401)
        }
    }

    private func run<Value>(
        _ script: @escaping Loopback.Script,
        clock: Clock = Clock(),
        scope: String = "usage",
        _ work: (any RecordOutlet, Loopback) async throws -> Value
    ) async throws -> Value {
        try await Loopback.run(script) { server in
            var rules = HTTPRules(url: server.url + "/usage")
            rules.authorization = .clientCredentials(
                .init(
                    tokenURL: server.url + "/token",
                    clientID: "me",
                    clientSecret: Self.secret,
                    scope: scope
                )
            )
            var outlets = Outlets(.http(rules))
            outlets.clock = { clock.now }
            return try await outlets.use { try await work($0, server) }
        }
    }

    @Test("a token is fetched once, and again shortly before its end")
    func reuse() async throws {
        let clock = Clock()
        let asked = try await run(Self.script(), clock: clock) { outlet, server in
            for wait in [0, 0, 3_539, 1] as [Int64] {
                clock.move(wait)
                let outcome = await outlet.send(try Sample.batch())
                #expect(outcome.isDelivered)
            }
            return server.asked
        }
        let targets = ["/token", "/usage", "/usage", "/usage", "/token", "/usage"]
        #expect(asked.map(\.target) == targets)
        let uses = asked.filter { !Self.isToken($0) }.map { $0.header("authorization") }
        #expect(uses == ["Bearer t0", "Bearer t0", "Bearer t0", "Bearer t4"])
        #expect(asked[0].text == "grant_type=client_credentials&scope=usage")
        #expect(asked[0].header("authorization") == "Basic bWU6czNjcjN0JTIwJTI2JTJG")
    }

    @Test("those who come at one time share a token")
    func shared() async throws {
        let asked = try await run(Self.script()) { outlet, server in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<16 {
                    group.addTask { await outlet.send(try Sample.batch()).isDelivered }
                }
                for try await isDelivered in group { #expect(isDelivered) }
            }
            return server.asked
        }
        #expect(asked.filter(Self.isToken).count == 1)
        #expect(asked.count == 17)
    }

    @Test("a token that is not taken is fetched again once")
    func refused() async throws {
        let revoked = Self.script { $0 != "Bearer t0" }
        let taken = try await run(revoked) { outlet, server in
            let outcome = await outlet.send(try Sample.batch())
            #expect(outcome.isDelivered)
            return server.asked.map(\.target)
        }
        let never = try await run(Self.script { _ in false }) { outlet, server in
            let outcome = await outlet.send(try Sample.batch())
            #expect(outcome == .refused(status: 401, reason: "answered 401"))
            return server.asked.map(\.target)
        }
        #expect(taken == ["/token", "/usage", "/token", "/usage"])
        #expect(never == taken)
    }

    @Test("a server that wants the secret in the body gets it there, and from then on")
    func inBody() async throws {
        let clock = Clock()
        let script: Loopback.Script = { asked, before in
            guard Self.isToken(asked) else { return Loopback.Reply(200) }
            let isThere = asked.text.contains("client_secret=s3cr3t%20%26%2F")
            let answer = #"{"access_token":"t","expires_in":"100"}"#
            return isThere ? Loopback.Reply(200, answer) : Loopback.Reply(401)
        }
        let asked = try await run(script, clock: clock, scope: "") { outlet, server in
            for _ in 0..<2 {
                let outcome = await outlet.send(try Sample.batch())
                #expect(outcome.isDelivered)
                clock.move(95)
            }
            return server.asked
        }
        let targets = ["/token", "/token", "/usage", "/token", "/usage"]
        #expect(asked.map(\.target) == targets)
        #expect(asked[1].header("authorization") == nil)
    }

    @Test("without a token the delivery is refused or waits, and no secret is told")
    func failures() async throws {
        for (reply, isRefused) in [
            (Loopback.Reply(403, "bad secret \(Self.secret)"), true), (Loopback.Reply(503), false),
            (Loopback.Reply(200, "{}"), false), (Loopback.Reply(400, "unknown"), true),
        ] {
            let outcome = try await run({ _, _ in reply }) { outlet, server in
                let outcome = await outlet.send(try Sample.batch())
                #expect(server.asked.allSatisfy(Self.isToken))
                return outcome
            }
            #expect(outcome.isRefused == isRefused && outcome.isRetried == !isRefused)
            #expect(outcome.reason.hasPrefix("no token: answered \(reply.status)"))
            #expect(!outcome.reason.contains(Self.secret))
        }
    }
}
