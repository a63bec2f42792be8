import UsageModel
import WireFormat

/// Draws destinations that a document can hold, each secret a text that stands nowhere else.
struct DestinationDraw {
    private var speller: JSONSpeller
    /// Of the destinations drawn so far.
    private(set) var secrets: [String] = []

    init(seed: UInt64) { speller = JSONSpeller(seed: seed) }

    mutating func destination() -> DestinationDefinition {
        let key = DestinationKey("d-\(speller.draw(below: 100))")!
        var drawn = DestinationDefinition(key: key, name: words(), outlet: outlet())
        drawn.filter.meterTypes = some { MeterTypeKey("m\($0.draw(below: 9))")! }
        drawn.filter.categories = some { "category-\($0.draw(below: 9))" }
        drawn.filter.customers = some { CustomerKey("C_\($0.draw(below: 9))")! }
        drawn.filter.kinds = speller.pick([[], [.final], [.adjustment, .final]])
        drawn.sending.batchSize = 1 + speller.draw(below: Limits.deliveryBatchMax)
        drawn.sending.batchDelay = length(below: 1_000)
        drawn.sending.concurrency = 1 + speller.draw(below: Limits.deliveryConcurrencyMax)
        if chance { drawn.sending.ratePerSecond = 1 + speller.draw(below: Limits.deliveryRateMax) }
        drawn.sending.timeout = length(below: 300)
        drawn.sending.attemptsMax = 1 + speller.draw(below: Limits.deliveryAttemptsMax)
        drawn.sending.retryDelay = length(below: 100)
        drawn.sending.retryDelayMax = speller.pick([TimeLength("100s")!, TimeLength("7d")!])
        (drawn.isPaused, drawn.sendsEarlier) = (chance, chance)
        return drawn
    }

    private mutating func outlet() -> OutletRules {
        switch speller.draw(below: 6) {
        case 0:
            let secrets = (0...speller.draw(below: Limits.webhookSecretsMax)).map { _ in webhook() }
            return .webhook(WebhookRules(url: url(), secrets: secrets, headers: headers()))
        case 1: return .http(http())
        case 2: return .files(files())
        case 3:
            var rules = StripeRules(apiKey: secret())
            if chance { rules.url = url() }
            rules.eventName = words() + "${meterType}"
            rules.customerField = speller.pick(["stripe_customer_id", "c"])
            return .stripe(rules)
        case 4:
            var rules = CloudEventsRules(url: url(), headers: headers())
            if chance { (rules.source, rules.type) = ("/a/b?c", "x.y") }
            return .cloudEvents(rules)
        default: return .stdout
        }
    }

    private mutating func http() -> HTTPRules {
        var rules = HTTPRules(url: url() + "/${customerExternalRef}")
        rules.method = speller.pick(HTTPRules.Method.allCases)
        rules.headers = headers()
        rules.isForm = chance
        let body: JSONValue = rules.isForm ? .object(speller.object(depth: 1)) : speller.value()
        if body != .null { rules.body = String(decoding: body.serialized(), as: UTF8.self) }
        switch speller.draw(below: 3) {
        case 0: rules.authorization = .header(name: "X-Auth", value: "Bearer " + secret())
        case 1:
            rules.authorization = .clientCredentials(
                HTTPRules.ClientCredentials(
                    tokenURL: url(),
                    clientID: "client",
                    clientSecret: secret(),
                    scope: chance ? "" : "usage:write all"
                )
            )
        default: break
        }
        rules.expected = some { 200 + $0.draw(below: 300) }
        rules.known = some { 200 + $0.draw(below: 300) }
        return rules
    }

    private mutating func files() -> FileRules {
        var rules = FileRules(place: .directory("/var/lib/odometer/out"))
        if chance {
            rules.place = .bucket(
                FileRules.Bucket(
                    endpoint: url(),
                    region: "eu-central-1",
                    name: "usage.records",
                    prefix: chance ? "" : "2026/",
                    accessKey: "AKIA",
                    secretKey: secret()
                )
            )
        }
        rules.format = speller.pick(FileRules.Format.allCases)
        if chance { rules.fileName = "${date}/${first}" }
        (rules.isZipped, rules.hasManifest) = (chance, chance)
        return rules
    }

    // MARK: Parts

    private var chance: Bool {
        mutating get { speller.chance(1, in: 2) }
    }

    private mutating func some<Value>(_ draw: (inout JSONSpeller) -> Value) -> [Value] {
        (0..<speller.draw(below: 4)).map { _ in draw(&speller) }
    }

    private mutating func words() -> String { speller.pick(["", "Billing", "é \"quoted\" 😀"]) }

    private mutating func length(below limit: Int) -> TimeLength {
        TimeLength("\(1 + speller.draw(below: limit))s")!
    }

    private mutating func url() -> String {
        speller.pick([
            "https://example.com", "http://127.0.0.1:8080/a?b=c", "https://[::1]:1/%20",
            "HTTPS://EXAMPLE.com:65535/a@b",
        ])
    }

    private mutating func headers() -> [MetadataMember] {
        var headers = some { MetadataMember(name: "X-\($0.draw(below: 1 << 30))", value: "ü\"") }
        if chance { headers.append(MetadataMember(name: "x-API-key", value: secret())) }
        if chance { headers.append(MetadataMember(name: "Some-TOKEN", value: secret())) }
        return headers
    }

    private mutating func secret() -> String {
        let text = "hush\(secrets.count)-\(speller.draw(below: 1 << 40))"
        secrets.append(text)
        return text
    }

    private mutating func webhook() -> String {
        let bytes = (0..<(24 + speller.draw(below: 41))).map { _ in
            UInt8(speller.draw(below: 256))
        }
        let text = Base64.encode(bytes, .standard)
        secrets.append(text)
        return "whsec_" + text
    }
}
