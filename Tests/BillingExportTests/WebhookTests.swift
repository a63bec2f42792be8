import Crypto
import Foundation
import MeteringEngine
import Testing
import UsageModel
import WireFormat

@testable import BillingExport

@Suite("Webhooks", .timeLimit(.minutes(5))) struct WebhookTests {
    /// Of the test vector of the specification.
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    private static let second = "whsec_" + Data((0..<32).map(UInt8.init)).base64EncodedString()

    private func asked(
        _ batches: [DeliveryBatch],
        secrets: [String] = [secret]
    ) async throws -> [Loopback.Asked] {
        try await Loopback.run { server in
            let headers = [
                MetadataMember(name: "X-Tenant", value: "7"),
                MetadataMember(name: "Webhook-Id", value: "mine"),
            ]
            let rules = WebhookRules(url: server.url + "/in", secrets: secrets, headers: headers)
            try await Outlets(.webhook(rules)).use { outlet in
                for batch in batches { #expect(await outlet.send(batch).isDelivered) }
            }
            return server.asked
        }
    }

    @Test("the signature is the one of the specification's test vector")
    func vector() throws {
        let signature = try WebhookSignature(secrets: [Self.secret], at: "/secrets")
        let value = signature.value(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            seconds: 1_614_265_330,
            body: Array(#"{"test": 2432232314}"#.utf8)
        )
        #expect(value == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    /// HMAC (RFC 2104) written out, so that no library is asked twice.
    private func signature(_ key: [UInt8], _ message: String) -> String {
        let key = key + Array(repeating: 0, count: 64 - key.count)
        let inner = SHA256.hash(data: key.map { $0 ^ 0x36 } + Array(message.utf8))
        let outer = SHA256.hash(data: key.map { $0 ^ 0x5C } + Array(inner))
        return "v1," + Data(outer).base64EncodedString()
    }

    @Test("a record is sent as an event of its kind, signed with every secret")
    func signed() async throws {
        let batch = try Sample.batch([try Sample.record(kind: .adjustment)])
        let sent = try await asked([batch], secrets: [Self.secret, Self.second])
        let one = try #require(sent.first)
        let id = batch.items[0].record.id.text

        #expect((one.method, one.target) == ("POST", "/in"))
        #expect(one.all("webhook-id") == [id])
        #expect(one.header("idempotency-key") == id)
        #expect(one.header("webhook-timestamp") == "1796083230")
        #expect(one.header("content-type") == "application/json")
        #expect(one.header("x-tenant") == "7")
        let message = "\(id).1796083230.\(one.text)"
        let first = try #require(Data(base64Encoded: String(Self.secret.dropFirst(6))))
        let expected = [signature(Array(first), message), signature(Array(0..<32), message)]
        #expect(one.header("webhook-signature") == expected.joined(separator: " "))

        let body = try JSONValue.parse(one.body)
        #expect(body["type"] == "usage-record.adjustment")
        #expect(body["timestamp"] == "2026-12-01T00:00:30.250Z")
        var data = try #require(body["data"]?.objectValue)
        #expect(data["deliveryNumber"] == "17")
        data["deliveryNumber"] = nil
        #expect(UsageRecordDocument.read(data) == batch.items[0].record)
    }

    @Test("several records are one event, the same at each try but for when it is sent")
    func several() async throws {
        let batch = try Sample.batch(count: 3)
        var later = batch
        (later.attempt, later.sentAt) = (
            2, Instant(microseconds: Sample.now.microseconds + 9_000_000)
        )
        let sent = try await asked([batch, later])

        #expect(sent.count == 2 && sent[0].body == sent[1].body)
        #expect(sent.map { $0.header("webhook-id") } == ["billing-17-19", "billing-17-19"])
        #expect(sent[1].header("webhook-timestamp") == "1796083239")
        let body = try JSONValue.parse(sent[0].body)
        #expect(body["type"] == "usage-record.batch")
        let numbers = body["data"]?["items"]?.arrayValue?.map { $0["deliveryNumber"] }
        #expect(numbers == ["17", "18", "19"])
    }

    @Test("a try says that it is one")
    func tries() async throws {
        let sent = try await asked([try Sample.batch(isTest: true)])
        let body = try JSONValue.parse(sent[0].body)
        #expect(body["type"] == "odometer.test")
        #expect(body["data"]?["test"] == true)
    }

    @Test(
        "a secret or an address that is none is a fault of the definition",
        arguments: [
            ("https://x/", "whsec_", "/secrets/0"), ("https://x/", "MfKQ9r8GKYqr", "/secrets/0"),
            ("https://x/", "whsec_c2hvcnQ=", "/secrets/0"),
            ("https://x/", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La!!!!", "/secrets/0"),
            ("ftp://x/", secret, "/url"), ("x", secret, "/url"), ("https:///in", secret, "/url"),
            ("https://x/a b", secret, "/url"), ("", secret, "/url"),
            ("https://me:word@x/", secret, "/url"), ("https://x/", nil, "/secrets"),
        ]
    )
    func faults(url: String, secret: String?, pointer: String) async throws {
        let rules = WebhookRules(url: url, secrets: secret.map { [$0] } ?? [])
        #expect(try await Outlets(.webhook(rules)).fault()?.pointer == pointer)
    }

    @Test("an address that is a key itself is not told, though the other side repeats it")
    func addressAsKey() async throws {
        let key = "T0123456789abcdefXYZ"
        let outcome = try await Loopback.run({ asked, _ in
            Loopback.Reply(404, "Cannot POST \(asked.target)")
        }) { server in
            let url = server.url + "/services/\(key)?token=abcdef"
            let rules = WebhookRules(url: url, secrets: [Self.secret])
            return try await Outlets(.webhook(rules)).send(try Sample.batch())
        }
        let words = "Cannot POST /services/[secret]?token=[secret]"
        #expect(outcome == .refused(status: 404, reason: "answered 404: \(words)"))
    }

    @Test("a header that would break the request apart keeps it from being sent")
    func brokenHeader() async throws {
        let headers = [MetadataMember(name: "X", value: "a\r\nY: b")]
        let rules = WebhookRules(url: "http://x/", secrets: [Self.secret], headers: headers)
        let outcome = try await Outlets(.webhook(rules)).send(try Sample.batch())
        #expect(outcome.isRefused)
        #expect(outcome.reason.contains("control character"))
    }
}
