import Crypto
import MeteringEngine
import Testing
import UsageModel
import WireFormat

@testable import BillingExport

@Suite("Buckets", .timeLimit(.minutes(5))) struct BucketTests {
    private static let accessKey = "AKIAIOSFODNN7EXAMPLE"
    private static let secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

    private static let signature = RequestSignature(
        accessKey: accessKey,
        secretKey: secretKey,
        region: "us-east-1"
    )

    /// "Signature Calculations for the Authorization Header" of the S3 API reference, PUT object.
    @Test("a PUT is signed as Amazon's published example is")
    func putVector() throws {
        let time = try #require(Instant(rfc3339: "2013-05-24T00:00:00Z"))
        let digest = SHA256.hash(data: Array("Welcome to Amazon S3.".utf8)).hex
        let value = Self.signature.authorization(
            "PUT",
            "/" + URLText.encodedPath("test$file.text"),
            [
                ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                ("host", "examplebucket.s3.amazonaws.com"),
                ("x-amz-date", RequestSignature.date(time)),
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"), ("x-amz-content-sha256", digest),
            ],
            digest: digest,
            at: time
        )
        #expect(
            value == "AWS4-HMAC-SHA256 Credential=\(Self.accessKey)/20130524/us-east-1/s3/"
                + "aws4_request, SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;"
                + "x-amz-storage-class, Signature="
                + "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        )
    }

    @Test("a GET is signed as Amazon's published example is")
    func getVector() throws {
        let time = try #require(Instant(rfc3339: "2013-05-24T00:00:00.9Z"))
        let digest = SHA256.hash(data: [UInt8]()).hex
        let value = Self.signature.authorization(
            "GET",
            "/test.txt",
            [
                ("host", "examplebucket.s3.amazonaws.com"), ("range", "bytes=0-9"),
                ("x-amz-content-sha256", digest), ("x-amz-date", "20130524T000000Z"),
            ],
            digest: digest,
            at: time
        )
        #expect(
            value.hasSuffix("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
        )
    }

    private func rules(_ endpoint: String, prefix: String = "in put/") -> FileRules {
        FileRules(
            place: .bucket(
                .init(
                    endpoint: endpoint,
                    region: "eu-central-1",
                    name: "usage",
                    prefix: prefix,
                    accessKey: Self.accessKey,
                    secretKey: Self.secretKey
                )
            )
        )
    }

    @Test("the file is put first and then its manifest, signed as they are sent")
    func puts() async throws {
        let (asked, host) = try await Loopback.run { server in
            let outlets = Outlets(.files(rules(server.url + "/store/")))
            let outcome = try await outlets.send(try Sample.batch(count: 2))
            #expect(outcome == .delivered(status: 200, reference: "billing-17-18.csv"))
            return (server.asked, "127.0.0.1:\(server.port)")
        }
        let target = "/store/usage/in%20put/billing-17-18.csv"
        #expect(asked.map(\.method) == ["PUT", "PUT"])
        #expect(asked.map(\.target) == [target, target + ".manifest.json"])
        for one in asked {
            let digest = SHA256.hash(data: one.body).hex
            #expect(one.header("x-amz-content-sha256") == digest)
            #expect(one.all("host") == [host])
            #expect(one.header("x-amz-date") == "20261201T000030Z")
            let signed = ["content-type", "host", "x-amz-content-sha256", "x-amz-date"]
            let signature = RequestSignature(
                accessKey: Self.accessKey,
                secretKey: Self.secretKey,
                region: "eu-central-1"
            )
            let expected = signature.authorization(
                "PUT",
                one.target,
                signed.map { ($0, one.header($0) ?? "") },
                digest: digest,
                at: Sample.now
            )
            #expect(one.header("authorization") == expected)
        }
        #expect(try JSONValue.parse(asked[1].body)["file"] == "billing-17-18.csv")
    }

    @Test("without the file there is no manifest, and no secret is told")
    func refused() async throws {
        let answer = "<Error><Code>AccessDenied</Code> \(Self.secretKey)</Error>"
        let outcome = try await Loopback.run({ _, _ in Loopback.Reply(403, answer) }) { server in
            let outcome = try await Outlets(.files(rules(server.url))).send(try Sample.batch())
            #expect(server.asked.count == 1)
            return outcome
        }
        let reason = "answered 403: <Error><Code>AccessDenied</Code> [secret]</Error>"
        #expect(outcome == .refused(status: 403, reason: reason))
    }

    @Test(
        "an address or a prefix that is none is a fault of the definition",
        arguments: [
            ("s3.example.com", "", "/bucket/endpoint"), ("https://x", "a/../b", "/bucket/prefix"),
            ("https://x", "/a", "/bucket/prefix"),
        ]
    )
    func faults(endpoint: String, prefix: String, pointer: String) async throws {
        let rules = rules(endpoint, prefix: prefix)
        #expect(try await Outlets(.files(rules)).fault()?.pointer == pointer)
    }
}
