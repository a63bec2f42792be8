import Crypto
import MeteringEngine
import Testing
import UsageModel
import WireFormat

@testable import BillingExport

/// What is kept of what a try sends, for whoever reads it later.
@Suite("What was sent", .timeLimit(.minutes(5))) struct SentRequestTests {
    private static let hidden = [
        "hush-hush-1", "letmein-22", "s3cr3t-333", "sk_test_4444", "key-55555-abcdefgh",
    ]

    /// Answers with all it was sent, as a careless server does.
    private static let echo: Loopback.Script = { asked, _ in
        if asked.target.hasPrefix("/token") {
            return Loopback.Reply(200, #"{"access_token":"token-666666","expires_in":3600}"#)
        }
        return Loopback.Reply(200, asked.target + asked.headers.map { $0.value }.joined())
    }

    private static func kinds(_ origin: String) -> [(name: String, rules: OutletRules)] {
        let headers = [
            MetadataMember(name: "X-Api-Key", value: hidden[0]),
            MetadataMember(name: "Accept", value: "application/json"),
        ]
        let url = origin + "/in/\(hidden[4])?key=\(hidden[1])&n=1"
        let secret = "whsec_" + String(repeating: "TWFu", count: 8)
        var http = HTTPRules(url: url)
        http.headers = headers
        http.authorization = .clientCredentials(
            .init(
                tokenURL: origin + "/token",
                clientID: "me",
                clientSecret: hidden[2],
                scope: ""
            )
        )
        var stripe = StripeRules(apiKey: hidden[3])
        stripe.url = origin
        var events = CloudEventsRules(url: url)
        events.headers = headers
        return [
            ("webhook", .webhook(WebhookRules(url: url, secrets: [secret], headers: headers))),
            ("http", .http(http)), ("stripe", .stripe(stripe)), ("events", .cloudEvents(events)),
        ]
    }

    /// What is kept of one try.
    private static func noted(
        _ outlets: Outlets,
        _ batch: DeliveryBatch
    ) async throws -> RequestLog {
        let log = RequestLog()
        _ = try await RequestLog.$current.withValue(log) { try await outlets.send(batch) }
        return log
    }

    @Test("each kind writes down its request, and no secret of it") func kinds() async throws {
        try await Loopback.run(Self.echo) { server in
            for (name, rules) in Self.kinds(server.url) {
                let log = try await Self.noted(Outlets(rules), try Sample.batch())
                let asked = try #require(server.asked.last)
                let sent = try #require(log.requests.first)
                #expect(log.count == 1, "\(name)")
                #expect(sent.method == "POST", "\(name)")
                #expect(sent.status == 200, "\(name)")
                #expect(sent.bodyBytes == asked.body.count, "\(name)")
                #expect(sent.bodyDigest == SHA256.hash(data: asked.body).hex, "\(name)")
                // As they left, but for those that the client adds.
                let added: Set = ["host", "content-length", "transfer-encoding", "connection"]
                let names = asked.headers.map { $0.name.lowercased() }.filter {
                    !added.contains($0)
                }
                #expect(Set(sent.headers.map(\.name)) == Set(names), "\(name)")
                let key = sent.headers.first { $0.name == "idempotency-key" }?.value
                #expect(key == asked.header("idempotency-key"), "\(name)")
                let text = String(
                    decoding: JSONValue.object(SentRequestDocument.write(sent)).serialized(),
                    as: UTF8.self
                )
                for secret in Self.hidden + ["token-666666", "TWFuTWFu"] {
                    #expect(!text.contains(secret), "\(name) tells \(secret): \(text)")
                }
                if name != "stripe" {
                    let start = server.url + "/in/"
                    let address = sent.address
                    #expect(address == start + "[secret]?key=[secret]&n=[secret]", "\(name)")
                }
            }
        }
    }

    @Test("of many requests the last are kept, and a token that was forgotten is seen as two")
    func many() async throws {
        try await Loopback.run(
            { asked, before in
                guard asked.target == "/token" else {
                    return Loopback.Reply(
                        before == 1 ? 401 : before < 9 ? 200 : 503,
                        "answer \(before)"
                    )
                }
                return Loopback.Reply(200, #"{"access_token":"t\#(before)-666666"}"#)
            },
            { server in
                var rules = HTTPRules(url: server.url + "/usage")
                rules.body = #"{"id":"${id}"}"#
                rules.authorization = .clientCredentials(
                    .init(
                        tokenURL: server.url + "/token",
                        clientID: "me",
                        clientSecret: Self.hidden[2],
                        scope: ""
                    )
                )
                let log = try await Self.noted(Outlets(.http(rules)), try Sample.batch(count: 9))
                // A token, one that is not taken, a token, and on to the one that fails.
                #expect(log.count == server.asked.count - 2)
                #expect(log.requests.count == Limits.deliveryRequestsKeptMax)
                #expect(log.requests.last?.status == 503)
                #expect(log.requests.last?.answer == "answer \(server.asked.count - 1)")
                #expect(log.requests.dropLast().allSatisfy { $0.status == 200 })
            }
        )
    }

    @Test("no answer is told with its reason, and nothing is written down where nobody asks")
    func none() async throws {
        let rules = HTTPRules(url: "http://127.0.0.1:9/usage")
        let log = try await Self.noted(Outlets(.http(rules)), try Sample.batch())
        let sent = try #require(log.requests.first)
        #expect((sent.status, sent.answer) == (nil, "connection refused"))
        #expect(RequestLog.current == nil)
        let unasked = try await Outlets(.http(rules)).send(try Sample.batch())
        #expect(!unasked.isDelivered)
    }

    @Test("a file and its manifest are two, each with its name, and lines of the output are one")
    func files() async throws {
        try await FilesTests.inDirectory { path in
            var files = FileRules(place: .directory(path))
            (files.fileName, files.format, files.hasManifest) = ("usage-${first}", .ndjson, true)
            let batch = try Sample.batch(count: 2)
            let log = try await Self.noted(Outlets(.files(files)), batch)
            let lines = try await Self.noted(Outlets(.stdout), batch)
            let names = ["usage-17.ndjson", "usage-17.ndjson.manifest.json"]
            #expect(log.requests.map(\.address) == names.map { "\(path)/\($0)" })
            #expect(log.requests.map(\.method) == ["WRITE", "WRITE"])
            #expect(lines.requests.map(\.address) == ["standard output"])
            #expect(lines.requests.first?.bodyDigest == log.requests.first?.bodyDigest)
            #expect(lines.requests.first?.bodyBytes == batch.lines.count)
        }
    }
}
