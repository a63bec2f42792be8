import Testing
import UsageModel
import WireFormat

@Suite("Documents of destinations") struct DestinationDocumentTests {
    static let key = DestinationKey("billing")!
    static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    static let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

    static func parse(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8)) }

    static func read(
        _ members: String,
        replacing: DestinationDefinition? = nil
    ) throws -> DestinationDefinition {
        try DestinationDocument.read(parse("{\(members)}"), key: key, replacing: replacing)
    }

    private static func outlet(_ members: String) throws -> OutletRules {
        let read = try read(members)
        let again = try DestinationDocument.read(
            .object(DestinationDocument.write(read)),
            key: key
        )
        #expect(again == read)
        return read.outlet
    }

    @Test("a document with every field is read, written and read again as the same")
    func whole() throws {
        let read = try Self.read(
            """
            "key":"billing","name":"Billing","filter":{"meterTypes":["kwh","m3"],
            "categories":["energy"],"customers":["acme"],"kinds":["final"]},
            "batchSize":100,"batchDelay":"90s","concurrency":8,"ratePerSecond":50,
            "timeout":"1m","attemptsMax":7,"retryDelay":"2s","retryDelayMax":"2h",
            "paused":true,"start":"first","stdout":{}
            """
        )

        #expect(read.key == Self.key)
        #expect(read.name == "Billing")
        #expect(read.filter.meterTypes.map(\.text) == ["kwh", "m3"])
        #expect(read.filter.categories == ["energy"])
        #expect(read.filter.customers.map(\.text) == ["acme"])
        #expect(read.filter.kinds == [.final])
        #expect(read.sending.batchSize == 100)
        #expect(read.sending.batchDelay == TimeLength("90s"))
        #expect(read.sending.concurrency == 8)
        #expect(read.sending.ratePerSecond == 50)
        #expect(read.sending.timeout == TimeLength("60s"))
        #expect(read.sending.attemptsMax == 7)
        #expect(read.sending.retryDelay == TimeLength("2s"))
        #expect(read.sending.retryDelayMax == TimeLength("120m"))
        #expect(read.isPaused && read.sendsEarlier)
        #expect(read.outlet == .stdout)
        let written = JSONValue.object(DestinationDocument.write(read))
        #expect(try DestinationDocument.read(written, key: Self.key) == read)
    }

    @Test("what is left out or null has its default, also where it replaces something")
    func least() throws {
        let bare = try Self.read("\"stdout\":{}")
        let nulls = try Self.read(
            """
            "stdout":{},"webhook":null,"key":null,"name":null,"filter":null,"batchSize":null,
            "batchDelay":null,"concurrency":null,"ratePerSecond":null,"timeout":null,
            "attemptsMax":null,"retryDelay":null,"retryDelayMax":null,"paused":null,"start":null
            """
        )
        var before = bare
        (before.name, before.isPaused, before.sending.batchSize) = ("Before", true, 9)

        #expect(bare == DestinationDefinition(key: Self.key, outlet: .stdout))
        #expect(nulls == bare)
        #expect(try Self.read("\"stdout\":{},\"filter\":{}", replacing: before) == bare)
    }

    // MARK: Kinds

    @Test("a webhook is read and written")
    func webhook() throws {
        let outlet = try Self.outlet(
            """
            "webhook":{"url":"https://example.com/in?a=b",
            "secrets":["\(Self.secret)","\(Self.other)"],
            "headers":{"X-Team":"billing","Authorization":"Basic x"}}
            """
        )
        let headers = [
            MetadataMember(name: "X-Team", value: "billing"),
            MetadataMember(name: "Authorization", value: "Basic x"),
        ]
        let url = "https://example.com/in?a=b"
        let secrets = [Self.secret, Self.other]
        #expect(outlet == .webhook(WebhookRules(url: url, secrets: secrets, headers: headers)))
    }

    @Test("a request is read and written, its body as the text of its JSON")
    func http() throws {
        var rules = HTTPRules(url: "https://example.com/${customerExternalRef}")
        #expect(try Self.outlet("\"http\":{\"url\":\"\(rules.url)\"}") == .http(rules))

        rules.method = .put
        rules.headers = [MetadataMember(name: "Idempotency-Key", value: "${id}")]
        rules.body = #"{"amount":1.50,"to":["${customer}"]}"#
        rules.isForm = true
        rules.authorization = .header(name: "Authorization", value: "Bearer a b")
        (rules.expected, rules.known) = ([200, 204], [])
        let members = """
            "http":{"method":"PUT","url":"\(rules.url)","headers":{"Idempotency-Key":"${id}"},
            "body":{ "amount": 1.50, "to" : ["${customer}"] },"form":true,"authorization":
            """
        let rest = #","expected":[200,204],"known":[]}"#
        let header = #"{"value":"Bearer a b"}"#
        #expect(try Self.outlet(members + header + rest) == .http(rules))

        rules.authorization = .clientCredentials(
            HTTPRules.ClientCredentials(
                tokenURL: "https://id.example.com/token",
                clientID: "odometer",
                clientSecret: "hush",
                scope: "usage"
            )
        )
        let credentials = """
            {"tokenURL":"https://id.example.com/token","clientID":"odometer","clientSecret":"hush",
            "scope":"usage"}
            """
        #expect(try Self.outlet(members + credentials + rest) == .http(rules))
    }

    @Test("any JSON value is a body", arguments: ["\"${delta}\"", "1.50", "[1,\"a\"]", "true"])
    func bodies(text: String) throws {
        let outlet = try Self.outlet("\"http\":{\"url\":\"http://a\",\"body\":\(text)}")
        guard case .http(let rules) = outlet else { return #expect(Bool(false)) }
        #expect(rules.body == text)
    }

    @Test("files are read and written, of a directory and of a bucket")
    func files() throws {
        var rules = FileRules(place: .directory("/var/spool/usage"))
        #expect(try Self.outlet(#""files":{"directory":"/var/spool/usage"}"#) == .files(rules))

        rules.place = .bucket(
            FileRules.Bucket(
                endpoint: "https://s3.example.com",
                region: "eu",
                name: "usage",
                prefix: "",
                accessKey: "AK",
                secretKey: "S/K+="
            )
        )
        (rules.format, rules.fileName) = (.ndjson, "${date}/${first}")
        (rules.isZipped, rules.hasManifest) = (true, false)
        let outlet = try Self.outlet(
            """
            "files":{"bucket":{"endpoint":"https://s3.example.com","region":"eu","name":"usage",
            "accessKey":"AK","secretKey":"S/K+="},"format":"ndjson","name":"${date}/${first}",
            "gzip":true,"manifest":false}
            """
        )
        #expect(outlet == .files(rules))
    }

    @Test("Stripe and CloudEvents are read and written")
    func others() throws {
        var stripe = StripeRules(apiKey: "sk_1")
        #expect(try Self.outlet(#""stripe":{"apiKey":"sk_1"}"#) == .stripe(stripe))
        (stripe.url, stripe.eventName, stripe.customer) = ("http://localhost:1", "a", "${customer}")
        (stripe.value, stripe.customerField, stripe.valueField) = ("${value}", "c", "v")
        let outlet = try Self.outlet(
            """
            "stripe":{"apiKey":"sk_1","url":"http://localhost:1","eventName":"a","value":"${value}",
            "customer":"${customer}","customerField":"c","valueField":"v"}
            """
        )
        #expect(outlet == .stripe(stripe))

        var events = CloudEventsRules(url: "http://a/")
        #expect(try Self.outlet(#""cloudEvents":{"url":"http://a/"}"#) == .cloudEvents(events))
        (events.source, events.type) = ("//x", "y")
        events.headers = [MetadataMember(name: "A", value: "")]
        let members =
            #""cloudEvents":{"url":"http://a/","source":"//x","type":"y","headers":{"A":""}}"#
        #expect(try Self.outlet(members) == .cloudEvents(events))
    }

    // MARK: Secrets

    /// Goal: what is stored is read back as it was, no answer has a secret in it, and an answer
    /// that is sent back changes nothing. Method: destinations are drawn by seed.
    @Test("destinations survive the store and their own answers", arguments: UInt64(1)...300)
    func drawn(seed: UInt64) throws {
        var draw = DestinationDraw(seed: seed)
        let drawn = draw.destination()
        let shown = DestinationDocument.shown(drawn)
        let answer = String(decoding: JSONValue.object(shown).serialized(), as: UTF8.self)
        let stored = JSONValue.object(DestinationDocument.write(drawn)).serialized()

        #expect(try DestinationDocument.read(JSONValue.parse(stored), key: drawn.key) == drawn)
        for secret in draw.secrets { #expect(!answer.contains(secret)) }
        #expect(answer.contains("(hidden)") == !draw.secrets.isEmpty)
        let back = try DestinationDocument.read(
            Self.parse(answer),
            key: drawn.key,
            replacing: drawn
        )
        #expect(back == drawn)
        if !draw.secrets.isEmpty {
            #expect(throws: DestinationDocument.Faults.self) {
                try DestinationDocument.read(Self.parse(answer), key: drawn.key)
            }
        }
    }

    @Test("a hidden secret of a webhook is the stored one of its place")
    func places() throws {
        let url = "\"url\":\"https://a\""
        let before = try Self.read("\"webhook\":{\(url),\"secrets\":[\"\(Self.secret)\"]}")

        let rotated = "\"webhook\":{\(url),\"secrets\":[\"(hidden)\",\"\(Self.other)\"]}"
        let after = try Self.read(rotated, replacing: before)
        let moved = "\"webhook\":{\(url),\"secrets\":[\"\(Self.other)\",\"(hidden)\"]}"

        #expect(
            after.outlet == .webhook(.init(url: "https://a", secrets: [Self.secret, Self.other]))
        )
        #expect(DestinationFaultTests.pointers(moved, replacing: before) == ["/webhook/secrets/1"])
    }

    @Test(
        "a secret is kept for the same kind only",
        arguments: [
            (#""webhook":{"url":"http://a","secrets":["(hidden)"]}"#, "/webhook/secrets/0"),
            (#""stripe":{"apiKey":"(hidden)"}"#, "/stripe/apiKey"),
            (
                #""http":{"url":"http://a","authorization":{"value":"(hidden)"}}"#,
                "/http/authorization/value"
            ),
            (
                #""http":{"url":"http://a","headers":{"x-api-key":"(hidden)"}}"#,
                "/http/headers/x-api-key"
            ),
            (
                #""files":{"bucket":{"endpoint":"http://a","region":"r","name":"n","#
                    + #""accessKey":"a","secretKey":"(hidden)"}}"#, "/files/bucket/secretKey"
            ),
        ]
    )
    func kinds(members: String, pointer: String) throws {
        let header = #"{"url":"http://a","headers":{"X-API-Key":"hush"}}"#
        let others = [
            "\"stdout\":{}", "\"cloudEvents\":\(header)",
            #""http":{"url":"http://a","authorization":{"tokenURL":"http://a","clientID":"a","#
                + #""clientSecret":"hush"}}"#,
        ]
        for other in others {
            let before = try Self.read(other)
            #expect(DestinationFaultTests.pointers(members, replacing: before) == [pointer])
        }
    }

    @Test("a header that is no secret may say (hidden), and one that is keeps what is stored")
    func headers() throws {
        let header = #""http":{"url":"http://a","headers":{"X-API-Key":"hush","X-A":"1"}}"#
        let before = try Self.read(header)
        let after = try Self.read(
            #""http":{"url":"http://a/b","headers":{"x-api-key":"(hidden)","X-A":"(hidden)"}}"#,
            replacing: before
        )
        var rules = HTTPRules(url: "http://a/b")
        rules.headers = [
            MetadataMember(name: "x-api-key", value: "hush"),
            MetadataMember(name: "X-A", value: "(hidden)"),
        ]
        #expect(after.outlet == .http(rules))
    }

    @Test(
        "a hidden secret stays with the machine that it was given for",
        arguments: [("https://a.example/other", true), ("https://b.example/usage", false)]
    )
    func secretStays(url: String, isKept: Bool) throws {
        let key = try #require(DestinationKey("billing"))
        var rules = StripeRules(apiKey: "sk_test_1")
        rules.url = "https://a.example/usage"
        let stored = DestinationDefinition(key: key, outlet: .stripe(rules))
        let text = #"{"stripe":{"apiKey":"(hidden)","url":"\#(url)"}}"#
        let value = try JSONValue.parse(Array(text.utf8))

        do throws(DestinationDocument.Faults) {
            let read = try DestinationDocument.read(value, key: key, replacing: stored)
            #expect(isKept)
            #expect(read.outlet.kind == "stripe")
            if case .stripe(let kept) = read.outlet { #expect(kept.apiKey == "sk_test_1") }
        } catch {
            #expect(!isKept)
            #expect(error.all.map(\.pointer) == ["/stripe/apiKey"])
        }
    }
}
