import Testing
import UsageModel
import WireFormat

@Suite("Faults in documents of destinations (DestinationDocument)") struct DestinationFaultTests {
    static func faults(
        _ members: String,
        replacing: DestinationDefinition? = nil
    ) -> [FieldFault] {
        do {
            _ = try DestinationDocumentTests.read(members, replacing: replacing)
            return []
        } catch let faults as DestinationDocument.Faults {
            return faults.all
        } catch {
            return [FieldFault(pointer: "no JSON: \(error)", reason: "", remedy: "")]
        }
    }

    static func pointers(
        _ members: String,
        replacing: DestinationDefinition? = nil
    ) -> [String] {
        faults(members, replacing: replacing).map(\.pointer)
    }

    private static func judge(_ members: String, _ pointers: [String]) {
        let faults = faults(members)
        #expect(faults.map(\.pointer) == pointers)
        #expect(faults.allSatisfy { !$0.reason.isEmpty && !$0.remedy.isEmpty })
        #expect(faults.allSatisfy { !($0.reason + $0.remedy).contains("hush") })
    }

    private static func long(_ count: Int) -> String { String(repeating: "x", count: count) }

    private static func times(_ count: Int, _ text: String) -> String {
        Array(repeating: text, count: count).joined(separator: ",")
    }

    @Test(
        "each limit of sending holds, and what lies within is taken",
        arguments: [
            ("\"batchSize\":0", "/batchSize"), ("\"batchSize\":10000", nil),
            ("\"batchSize\":10001", "/batchSize"), ("\"batchSize\":\"1\"", "/batchSize"),
            ("\"batchSize\":1.0", "/batchSize"),
            ("\"batchSize\":99999999999999999999", "/batchSize"),
            ("\"batchDelay\":\"0s\"", nil), ("\"batchDelay\":\"7d\"", nil),
            ("\"batchDelay\":\"169h\"", "/batchDelay"), ("\"batchDelay\":5", "/batchDelay"),
            ("\"batchDelay\":\"1w\"", "/batchDelay"),
            ("\"concurrency\":0", "/concurrency"), ("\"concurrency\":64", nil),
            ("\"concurrency\":65", "/concurrency"),
            ("\"ratePerSecond\":0", "/ratePerSecond"), ("\"ratePerSecond\":10000", nil),
            ("\"ratePerSecond\":10001", "/ratePerSecond"),
            ("\"timeout\":\"0s\"", "/timeout"), ("\"timeout\":\"1s\"", nil),
            ("\"timeout\":\"5m\"", nil), ("\"timeout\":\"301s\"", "/timeout"),
            ("\"attemptsMax\":0", "/attemptsMax"), ("\"attemptsMax\":100", nil),
            ("\"attemptsMax\":101", "/attemptsMax"),
            ("\"retryDelay\":\"0s\"", "/retryDelay"), ("\"retryDelay\":\"1h\"", nil),
            ("\"retryDelay\":\"2h\"", "/retryDelay"),
            ("\"retryDelay\":\"8d\"", "/retryDelay"),
            ("\"retryDelay\":\"7d\",\"retryDelayMax\":\"7d\"", nil),
            ("\"retryDelay\":\"3s\",\"retryDelayMax\":\"2s\"", "/retryDelay"),
            ("\"retryDelayMax\":\"0s\"", "/retryDelayMax"),
            ("\"retryDelayMax\":\"8d\"", "/retryDelayMax"),
            ("\"paused\":\"yes\"", "/paused"), ("\"start\":\"last\"", "/start"),
            ("\"start\":7", "/start"), ("\"start\":\"now\"", nil),
            ("\"name\":7", "/name"), ("\"name\":\"\(long(257))\"", "/name"),
            ("\"key\":\"other\"", "/key"), ("\"key\":7", "/key"),
        ] as [(String, String?)]
    )
    func sending(members: String, pointer: String?) {
        Self.judge(members + ",\"stdout\":{}", pointer.map { [$0] } ?? [])
    }

    @Test(
        "a filter names what there can be",
        arguments: [
            ("7", ["/filter"]), ("{\"kind\":[]}", ["/filter/kind"]),
            ("{\"meterTypes\":\"kwh\"}", ["/filter/meterTypes"]),
            (
                "{\"meterTypes\":[\"kwh\",\"A B\",7]}",
                ["/filter/meterTypes/1", "/filter/meterTypes/2"]
            ),
            ("{\"meterTypes\":[\(times(1_000, "\"a\""))]}", []),
            ("{\"meterTypes\":[\(times(1_001, "\"a\""))]}", ["/filter/meterTypes"]),
            ("{\"categories\":[\"\",\"\(long(64))\"]}", ["/filter/categories/0"]),
            ("{\"categories\":[\"\(long(65))\"]}", ["/filter/categories/0"]),
            ("{\"customers\":[\"a b\"]}", ["/filter/customers/0"]),
            ("{\"kinds\":[\"final\",\"draft\"]}", ["/filter/kinds/1"]),
        ]
    )
    func filter(filter: String, pointers: [String]) {
        Self.judge("\"stdout\":{},\"filter\":\(filter)", pointers)
    }

    @Test(
        "there is one kind, and what a document has besides is refused by name",
        arguments: [
            ("", [""]), ("\"stdout\":null", [""]), ("\"stdout\":7", ["/stdout"]),
            ("\"stdout\":{\"a/b\":1}", ["/stdout/a~1b"]),
            ("\"stdout\":{},\"stripe\":{\"apiKey\":\"k\"}", ["/stdout"]),
            ("\"stdout\":{},\"kafka\":{}", ["/kafka"]),
            (
                "\"stdout\":{},\"revision\":1,\"createdAt\":1,\"lag\":null",
                ["/revision", "/createdAt", "/lag"]
            ),
            (
                "\"webhook\":{\"secret\":1}",
                ["/webhook/secret", "/webhook/url", "/webhook/secrets"]
            ),
            ("\"http\":[]", ["/http"]),
            ("\"stripe\":{}", ["/stripe/apiKey"]), ("\"cloudEvents\":{}", ["/cloudEvents/url"]),
            ("\"files\":{}", ["/files/directory"]),
        ]
    )
    func kinds(members: String, pointers: [String]) {
        Self.judge(members, pointers)
    }

    @Test(
        "what an address cannot be is refused, of a template behind the host only",
        arguments: [
            ("https://example.com", true, true), ("http://a.b:65535/c?d=e#f", true, true),
            ("https://[2001:db8::1]:8080/", true, true), ("HTTP://A", true, true),
            ("ftp://a", false, false), ("https://", false, false), ("https:///x", false, false),
            ("//a", false, false), ("a", false, false), ("", false, false),
            ("https://hush@a", false, false), ("https://u:hush@a/", false, false),
            ("https://a:0", false, false), ("https://a:65536", false, false),
            ("https://a:", false, false), ("https://a:+1", false, false),
            ("https://[::1", false, false), ("https://[x]", false, false),
            ("https://[::1]8", false, false), ("https://a\\\\b", false, false),
            ("https://${customer}.a", false, false), ("https://a\\n/", false, false),
            ("https://a/b c", false, true), ("https://a/\\n", false, false),
            ("https://a/é", false, true), ("https://a/${upper(unit)}", false, true),
            ("https://a/" + long(2_038), true, true), ("https://a/" + long(2_039), false, false),
        ]
    )
    func addresses(text: String, isAddress: Bool, isTemplate: Bool) {
        let (plain, filled) = (isAddress ? [] : ["/url"], isTemplate ? [] : ["/http/url"])
        Self.judge("\"cloudEvents\":{\"url\":\"\(text)\"}", plain.map { "/cloudEvents" + $0 })
        Self.judge("\"http\":{\"url\":\"\(text)\"}", filled)
        Self.judge(
            "\"stripe\":{\"apiKey\":\"k\",\"url\":\"\(text)\"}",
            plain.map { "/stripe" + $0 }
        )
    }

    @Test(
        "a webhook needs secrets that are some",
        arguments: [
            ("[]", ["/secrets"]), ("\"whsec_\"", ["/secrets"]),
            ("[\(times(8, "\"whsec_\(long(32))\""))]", []),
            ("[\(times(9, "\"whsec_\(long(32))\""))]", ["/secrets"]),
            ("[\"whsec_\(long(31))\",\"hush\",7]", ["/secrets/0", "/secrets/1", "/secrets/2"]),
            // 23, 64 and 65 bytes; then the alphabet of addresses, bits left over, no padding.
            ("[\"whsec_\(long(28))eHh4\"]", []), ("[\"whsec_\(long(28))eHg=\"]", ["/secrets/0"]),
            ("[\"whsec_\(long(84))eA==\"]", []), ("[\"whsec_\(long(84))eHg=\"]", ["/secrets/0"]),
            ("[\"whsec_\(long(31))_\"]", ["/secrets/0"]),
            ("[\"whsec_\(long(32))eB==\"]", ["/secrets/0"]),
            ("[\"whsec_\(long(32))eA\"]", ["/secrets/0"]),
            ("[\"WHSEC_\(long(32))\"]", ["/secrets/0"]),
        ]
    )
    func secrets(secrets: String, pointers: [String]) {
        let members = "\"webhook\":{\"url\":\"https://a\",\"secrets\":\(secrets)}"
        Self.judge(members, pointers.map { "/webhook" + $0 })
    }

    @Test(
        "headers are tokens that are not ours to set",
        arguments: [
            ("7", [""]), ("{\"\":\"a\"}", ["/"]), ("{\"a b\":\"a\"}", ["/a b"]),
            ("{\"a/b\":\"a\"}", ["/a~1b"]), ("{\"é\":\"a\"}", ["/é"]),
            ("{\"!#$%&'*+-.^_`|~\":\"\"}", []),
            ("{\"content-LENGTH\":\"1\"}", ["/content-LENGTH"]), ("{\"Host\":\"a\"}", ["/Host"]),
            ("{\"Webhook-Id\":\"1\"}", ["/Webhook-Id"]),
            ("{\"Transfer-Encoding\":\"1\"}", ["/Transfer-Encoding"]),
            ("{\"A\":\"1\",\"a\":\"2\"}", ["/a"]), ("{\"A\":7}", ["/A"]),
            ("{\"A\":\"a\\r\\nhush: 1\"}", ["/A"]), ("{\"A\":\"a\\u007f\"}", ["/A"]),
            ("{\"\(long(128))\":\"\"}", []), ("{\"\(long(129))\":\"\"}", ["/" + long(129)]),
            ("{\"A\":\"\(long(8_192))\"}", []), ("{\"A\":\"\(long(8_193))\"}", ["/A"]),
            ("{\((0..<32).map { "\"h\($0)\":\"\"" }.joined(separator: ","))}", []),
            ("{\((0..<33).map { "\"h\($0)\":\"\"" }.joined(separator: ","))}", [""]),
        ]
    )
    func headers(headers: String, pointers: [String]) {
        let members = "\"cloudEvents\":{\"url\":\"https://a\",\"headers\":\(headers)}"
        Self.judge(members, pointers.map { "/cloudEvents/headers" + $0 })
    }

    @Test(
        "a request is what can be sent",
        arguments: [
            ("\"method\":\"GET\"", ["/method"]),
            ("\"headers\":{\"A\":\"\(long(65_536))\"}", []),
            ("\"headers\":{\"A\":\"\(long(65_537))\"}", ["/headers/A"]),
            ("\"body\":\"\(long(65_534))\"", []), ("\"body\":\"\(long(65_535))\"", ["/body"]),
            ("\"form\":1", ["/form"]), ("\"form\":true", ["/body"]),
            ("\"form\":true,\"body\":[]", ["/body"]),
            ("\"expected\":[200,499]", []), ("\"expected\":200", ["/expected"]),
            ("\"expected\":[199,\"200\",200.0]", ["/expected/0", "/expected/1", "/expected/2"]),
            ("\"known\":[500]", ["/known/0"]), ("\"known\":[\(times(101, "409"))]", ["/known"]),
            ("\"authorization\":\"hush\"", ["/authorization"]),
            ("\"authorization\":{}", ["/authorization/value"]),
            ("\"authorization\":{\"value\":\"\"}", ["/authorization/value"]),
            ("\"authorization\":{\"value\":\"hush é\"}", ["/authorization/value"]),
            ("\"authorization\":{\"value\":\"hush\\n\"}", ["/authorization/value"]),
            ("\"authorization\":{\"value\":\"\(long(8_193))\"}", ["/authorization/value"]),
            (
                "\"authorization\":{\"header\":\"Host\",\"value\":\"a\"}",
                ["/authorization/header"]
            ),
            (
                "\"headers\":{\"AUTHORIZATION\":\"a\"},\"authorization\":{\"value\":\"hush\"}",
                ["/headers/AUTHORIZATION"]
            ),
            (
                "\"authorization\":{\"clientID\":\"\(long(257))\",\"value\":\"hush\"}",
                [
                    "/authorization/value", "/authorization/tokenURL", "/authorization/clientID",
                    "/authorization/clientSecret",
                ]
            ),
        ]
    )
    func requests(members: String, pointers: [String]) {
        Self.judge("\"http\":{\"url\":\"https://a\",\(members)}", pointers.map { "/http" + $0 })
    }

    @Test(
        "files go to one place, and not out of it",
        arguments: [
            ("\"directory\":\"/\"", []), ("\"directory\":\"/a/..b/c..\"", []),
            ("\"directory\":\"a\"", ["/directory"]), ("\"directory\":\"\"", ["/directory"]),
            ("\"directory\":\"/a/../b\"", ["/directory"]),
            ("\"directory\":\"/..\"", ["/directory"]),
            ("\"directory\":\"/a\\n\"", ["/directory"]),
            ("\"directory\":\"/\(long(1_024))\"", ["/directory"]),
            ("\"directory\":\"/a\",\"format\":\"parquet\"", ["/format"]),
            ("\"directory\":\"/a\",\"name\":\"../x\"", ["/name"]),
            ("\"directory\":\"/a\",\"name\":\"/x\"", ["/name"]),
            ("\"directory\":\"/a\",\"name\":\"\"", ["/name"]),
            ("\"directory\":\"/a\",\"name\":\"\(long(65_537))\"", ["/name"]),
            ("\"directory\":\"/a\",\"gzip\":1,\"manifest\":1", ["/gzip", "/manifest"]),
            ("\"bucket\":7", ["/bucket"]),
            (
                "\"directory\":\"/a\",\"bucket\":{\"prefix\":\"\(long(1_025))\"}",
                [
                    "/directory", "/bucket/endpoint", "/bucket/region", "/bucket/name",
                    "/bucket/prefix", "/bucket/accessKey", "/bucket/secretKey",
                ]
            ),
            (
                "\"bucket\":{\"endpoint\":\"http://a\",\"region\":\"r\",\"name\":\"a/b\","
                    + "\"accessKey\":\"a\",\"secretKey\":\"hush hush\"}",
                ["/bucket/name", "/bucket/secretKey"]
            ),
        ]
    )
    func files(members: String, pointers: [String]) {
        Self.judge("\"files\":{\(members)}", pointers.map { "/files" + $0 })
    }

    @Test(
        "texts and templates have their bounds",
        arguments: [
            ("stripe", "eventName", 65_536), ("stripe", "customer", 65_536),
            ("stripe", "value", 65_536), ("stripe", "customerField", 256),
            ("stripe", "valueField", 256), ("stripe", "apiKey", 8_192),
            ("cloudEvents", "source", 256), ("cloudEvents", "type", 256),
        ]
    )
    func texts(kind: String, name: String, most: Int) {
        let rest = kind == "stripe" ? "\"apiKey\":\"k\"" : "\"url\":\"https://a\""
        let required = name == "apiKey" ? "" : rest + ","
        for (text, isTaken) in [
            (Self.long(most), true), (Self.long(most + 1), false), ("", false), ("a\\nb", false),
        ] {
            let members = "\"\(kind)\":{\(required)\"\(name)\":\"\(text)\"}"
            Self.judge(members, isTaken ? [] : ["/\(kind)/\(name)"])
        }
    }

    @Test("a document that is no object says what it could be")
    func noObject() {
        let faults = #expect(throws: DestinationDocument.Faults.self) {
            try DestinationDocument.read([], key: DestinationDocumentTests.key)
        }
        #expect(faults?.all.map(\.pointer) == [""])
    }
}
