/// The name a destination is known by, for ever: spelled as the key of a meter type.
public struct DestinationKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let text: String

    /// - Returns: nil where the text breaks the rule above.
    public init?(_ text: String) {
        guard MeterTypeKey(text) != nil else { return nil }
        self.text = text
    }

    public static func < (one: Self, other: Self) -> Bool {
        one.text.utf8.lexicographicallyPrecedes(other.text.utf8)
    }

    public var description: String { text }
}

/// Where usage records go, and how, as somebody wrote it down.
public struct DestinationDefinition: Hashable, Sendable {
    public var key: DestinationKey
    public var name: String
    public var outlet: OutletRules
    public var filter: RecordFilter
    public var sending: SendingRules
    /// Nothing is sent while it holds; what is due waits.
    public var isPaused: Bool
    /// Whether records that were made before the destination are sent too.
    public var sendsEarlier: Bool

    public init(key: DestinationKey, name: String = "", outlet: OutletRules) {
        (self.key, self.name, self.outlet) = (key, name, outlet)
        (filter, sending) = (RecordFilter(), SendingRules())
        (isPaused, sendsEarlier) = (false, false)
    }
}

/// Which records a destination takes. What is empty takes all.
public struct RecordFilter: Hashable, Sendable {
    public var meterTypes: [MeterTypeKey] = []
    /// Categories of the meter type.
    public var categories: [String] = []
    public var customers: [CustomerKey] = []
    public var kinds: [UsageRecord.Kind] = [.final, .adjustment]

    public init() {}

    public func takes(_ record: UsageRecord) -> Bool {
        func holds<Value: Equatable>(_ values: [Value], _ value: Value?) -> Bool {
            values.isEmpty || value.map(values.contains) ?? false
        }
        return holds(meterTypes, record.meter.meterType)
            && holds(categories, record.labels.category)
            && holds(customers, record.customer) && holds(kinds, record.kind)
    }
}

/// How fast, how many together, and how often.
public struct SendingRules: Hashable, Sendable {
    /// Records of one sending: 1 to ``Limits/deliveryBatchMax``. Where it is more than 1, one batch
    /// is sent after the other, in their order.
    public var batchSize = 1
    /// How long a batch that is not full waits for more.
    public var batchDelay = TimeLength.zero
    /// Sendings that are under way at one time: 1 to ``Limits/deliveryConcurrencyMax``; records of
    /// one meter always go one after the other.
    public var concurrency = 4
    /// The most sendings in a second, evenly spaced; nil: as fast as it goes.
    public var ratePerSecond: Int?
    /// How long an answer is waited for.
    public var timeout = TimeLength.tenSeconds
    /// How often a sending is tried before it is given up: 1 to ``Limits/deliveryAttemptsMax``.
    public var attemptsMax = 20
    /// Before the second try; twice as long before each further one, to ``retryDelayMax``. A random
    /// part of up to a half is left out, so that not all come at once.
    public var retryDelay = TimeLength.second
    public var retryDelayMax = TimeLength.hour

    public init() {}
}

/// The kinds of destinations, each with what it needs.
public enum OutletRules: Hashable, Sendable {
    case webhook(WebhookRules)
    case http(HTTPRules)
    case files(FileRules)
    case stripe(StripeRules)
    case cloudEvents(CloudEventsRules)
    case stdout

    /// The word of the wire.
    public var kind: String {
        switch self {
        case .webhook: "webhook"
        case .http: "http"
        case .files: "files"
        case .stripe: "stripe"
        case .cloudEvents: "cloudEvents"
        case .stdout: "stdout"
        }
    }
}

/// A POST of the record as JSON, signed as Standard Webhooks says.
public struct WebhookRules: Hashable, Sendable {
    public var url: String
    /// `whsec_` and base64 of 24 to 64 bytes. The first signs, and so do the others: a receiver
    /// that knows any one of them takes it, so that secrets can be rotated. 1 to
    /// ``Limits/webhookSecretsMax``.
    public var secrets: [String]
    public var headers: [MetadataMember]

    public init(url: String, secrets: [String], headers: [MetadataMember] = []) {
        (self.url, self.secrets, self.headers) = (url, secrets, headers)
    }
}

/// A request that a template makes of a record: for any billing system that has an API.
public struct HTTPRules: Hashable, Sendable {
    public enum Method: String, CaseIterable, Hashable, Sendable {
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
    }

    public enum Authorization: Hashable, Sendable {
        case none
        /// A header that says who asks: `Authorization`, `Bearer …`.
        case header(name: String, value: String)
        /// OAuth 2 client credentials (RFC 6749 §4.4).
        case clientCredentials(ClientCredentials)
    }

    public struct ClientCredentials: Hashable, Sendable {
        public var tokenURL: String
        public var clientID: String
        public var clientSecret: String
        public var scope: String

        public init(tokenURL: String, clientID: String, clientSecret: String, scope: String) {
            (self.tokenURL, self.clientID) = (tokenURL, clientID)
            (self.clientSecret, self.scope) = (clientSecret, scope)
        }
    }

    public var method = Method.post
    /// A template; what is put in is percent-encoded.
    public var url: String
    /// Their values are templates.
    public var headers: [MetadataMember] = []
    /// The text of a JSON value whose strings are templates; nil: the record as it is.
    public var body: String?
    /// The body is sent as a form; then it is one object.
    public var isForm = false
    public var authorization = Authorization.none
    /// The codes that say it was taken; empty: 200 to 299.
    public var expected: [Int] = []
    /// The codes that say that it is known already, which is as good.
    public var known: [Int] = [409]

    public init(url: String) { self.url = url }
}

/// Files in a directory or a bucket.
public struct FileRules: Hashable, Sendable {
    public enum Format: String, CaseIterable, Hashable, Sendable {
        case csv
        case ndjson
        case json
    }

    public enum Place: Hashable, Sendable {
        /// The path of a directory that is there.
        case directory(String)
        case bucket(Bucket)
    }

    /// A bucket of a store that speaks S3.
    public struct Bucket: Hashable, Sendable {
        /// Of the store: `https://s3.eu-central-1.amazonaws.com`.
        public var endpoint: String
        public var region: String
        public var name: String
        /// Put before every name.
        public var prefix: String
        public var accessKey: String
        public var secretKey: String

        public init(
            endpoint: String,
            region: String,
            name: String,
            prefix: String,
            accessKey: String,
            secretKey: String
        ) {
            (self.endpoint, self.region, self.name) = (endpoint, region, name)
            (self.prefix, self.accessKey, self.secretKey) = (prefix, accessKey, secretKey)
        }
    }

    public var place: Place
    public var format = Format.csv
    /// A template over the batch: `destination`, `first`, `last`, `count`, `date`, `meterType`.
    public var fileName = "${destination}-${first}-${last}"
    public var isZipped = false
    /// Whether a manifest is written beside each file.
    public var hasManifest = true

    public init(place: Place) { self.place = place }
}

/// Meter events of Stripe.
public struct StripeRules: Hashable, Sendable {
    /// Of the API; another for tests only.
    public var url = "https://api.stripe.com"
    public var apiKey: String
    /// Templates over the record.
    public var eventName = "${meterType}"
    public var customer = "${customerExternalRef}"
    public var value = "${amount}"
    /// The names in the payload, as the meter in Stripe calls them.
    public var customerField = "stripe_customer_id"
    public var valueField = "value"

    public init(apiKey: String) { self.apiKey = apiKey }
}

/// CloudEvents over HTTP, in the structured mode; batches in the batched mode.
public struct CloudEventsRules: Hashable, Sendable {
    public var url: String
    public var source: String
    public var type: String
    public var headers: [MetadataMember]

    public init(
        url: String,
        source: String = "/odometer",
        type: String = "odometer.usage-record",
        headers: [MetadataMember] = []
    ) {
        (self.url, self.source, self.type, self.headers) = (url, source, type, headers)
    }
}

/// A destination as the ledger keeps it.
public struct Destination: Hashable, Sendable {
    public var definition: DestinationDefinition
    /// Counts its changes, from 1.
    public var revision: Int
    public var createdAt: Instant
    public var changedAt: Instant
    /// From here on it gets nothing more.
    public var retiredAt: Instant?

    public init(
        definition: DestinationDefinition,
        revision: Int,
        createdAt: Instant,
        changedAt: Instant,
        retiredAt: Instant? = nil
    ) {
        (self.definition, self.revision, self.createdAt) = (definition, revision, createdAt)
        (self.changedAt, self.retiredAt) = (changedAt, retiredAt)
    }

    public var key: DestinationKey { definition.key }
}
