public import UsageModel

/// How a destination is spelled: `PUT /v1/destinations/{key}`, and in the store.
///
///     {"name":"Billing","filter":{"meterTypes":["kwh"],"categories":["energy"],
///      "customers":["acme"],"kinds":["final","adjustment"]},
///      "batchSize":1,"batchDelay":"0s","concurrency":4,"ratePerSecond":50,"timeout":"10s",
///      "attemptsMax":20,"retryDelay":"1s","retryDelayMax":"1h","paused":false,"start":"now",
///      "webhook":{"url":"https://…","secrets":["whsec_…"]}}
///
/// One of `webhook`, `http`, `files`, `stripe`, `cloudEvents` and `stdout` is required; all else is
/// optional, and has the default of ``DestinationDefinition`` where it is left out or null. `key`
/// may stand in the body if it is the key of the address. Templates are taken as they are: whether
/// they can be filled in is for the outlets to say. A fault never quotes a secret.
public enum DestinationDocument {
    public typealias Faults = MeterTypeDocument.Faults

    /// What answers say instead of a secret. Where a `PUT` says it, the stored secret stays.
    public static let hidden = "(hidden)"
    /// The most members of one list in `filter`.
    public static let filterMembersMax = 1_000
    /// The longest `timeout`, in minutes.
    public static let timeoutMinutesMax = 5
    /// The most headers.
    public static let headersMax = 32
    /// The longest name of a header, in bytes.
    public static let headerNameBytesMax = 128
    /// The longest value of a header that is no template, in UTF-8 bytes.
    public static let headerValueBytesMax = 8_192
    /// The longest key, token or other secret, in bytes.
    public static let secretBytesMax = 8_192
    /// The most status codes in `expected` and in `known`.
    public static let statusCodesMax = 100
    /// The longest path of a directory, and the longest prefix of a bucket, in UTF-8 bytes.
    public static let pathBytesMax = 1_024
    /// The longest word that another system knows something by, in UTF-8 bytes: an id of a client,
    /// a region, a bucket, a field.
    public static let wordBytesMax = 256

    static let kinds = ["webhook", "http", "files", "stripe", "cloudEvents", "stdout"]
    private static let fields = [
        "key", "name", "filter", "batchSize", "batchDelay", "concurrency", "ratePerSecond",
        "timeout", "attemptsMax", "retryDelay", "retryDelayMax", "paused", "start",
    ]
    private static let ours = ["revision", "createdAt", "changedAt", "retiredAt", "state", "lag"]

    private enum Start: String, CaseIterable {
        case now
        case first
    }

    /// Reads a destination; all faults, each with its pointer.
    ///
    /// - Parameter replacing: What is stored, for secrets that the document says are hidden; they
    ///   are kept where they go to the same machines.
    public static func read(
        _ value: JSONValue,
        key: DestinationKey,
        replacing: DestinationDefinition? = nil
    ) throws(Faults) -> DestinationDefinition {
        var reader = FieldReader(value, at: "", known: fields + kinds, ours: ours)
        guard reader.isObject else { throw reader.faults }
        if let stated = reader.string("key"), stated != key.text {
            reader.fault("key", "the address has another", "leave it out, or say \"\(key)\"")
        }
        // A stand-in until the outlet is read: without one there is a fault, so it leads nowhere.
        var destination = DestinationDefinition(key: key, outlet: .stdout)
        destination.name = reader.text("name", bytesMax: MeterTypeDocument.nameBytesMax) ?? ""
        destination.filter = filter(&reader)
        destination.sending = sending(&reader)
        destination.isPaused = reader.flag("paused") ?? false
        let start: Start? = reader.word("start")
        destination.sendsEarlier = start == .first
        destination.outlet = outlet(&reader, stored: replacing?.outlet) ?? .stdout
        guard reader.faults.all.isEmpty else { throw reader.faults }
        if let replacing, destination.outlet.origins != replacing.outlet.origins {
            // A secret goes to whom it was given for: elsewhere, there is none that is stored.
            return try read(value, key: key)
        }
        return destination
    }

    private static func filter(_ reader: inout FieldReader) -> RecordFilter {
        let known = ["meterTypes", "categories", "customers", "kinds"]
        let filter = reader.object("filter", known: known) { reader in
            let most = filterMembersMax
            var filter = RecordFilter()
            filter.meterTypes =
                reader.list(
                    "meterTypes",
                    countMax: most,
                    of: "key of a meter type",
                    "give keys such as \"tokens-in\""
                ) { $0.stringValue.flatMap(MeterTypeKey.init) } ?? []
            let bytes = 1...MeterTypeDocument.categoryBytesMax
            filter.categories =
                reader.list(
                    "categories",
                    countMax: most,
                    of: "category",
                    "give texts of \(bytes.lowerBound) to \(bytes.upperBound) bytes"
                ) { value in value.stringValue.flatMap { bytes.contains($0.utf8.count) ? $0 : nil }
                }
                ?? []
            filter.customers =
                reader.list(
                    "customers",
                    countMax: most,
                    of: "key of a customer",
                    "give 1 to \(Limits.customerKeyBytesMax) of A-Z a-z 0-9 . _ -"
                ) { $0.stringValue.flatMap(CustomerKey.init) } ?? []
            let words = DefinitionReader.words(UsageRecord.Kind.self)
            filter.kinds =
                reader.list(
                    "kinds",
                    countMax: most,
                    of: "kind of record",
                    "choose from: \(words)"
                ) { $0.stringValue.flatMap(UsageRecord.Kind.init) } ?? filter.kinds
            return filter
        }
        return filter ?? RecordFilter()
    }

    private static func sending(_ reader: inout FieldReader) -> SendingRules {
        var rules = SendingRules()
        func whole(_ name: String, most: Int) -> Int? { reader.whole(name, in: 1...most) }
        rules.batchSize = whole("batchSize", most: Limits.deliveryBatchMax) ?? rules.batchSize
        let waitMax = TimeLength("\(Limits.deliveryWaitDaysMax)d")!
        rules.batchDelay =
            reader.length("batchDelay", from: .zero, to: waitMax) ?? rules.batchDelay
        rules.concurrency =
            whole("concurrency", most: Limits.deliveryConcurrencyMax) ?? rules.concurrency
        rules.ratePerSecond = whole("ratePerSecond", most: Limits.deliveryRateMax)
        let timeoutMax = TimeLength("\(timeoutMinutesMax)m")!
        rules.timeout = reader.length("timeout", from: .second, to: timeoutMax) ?? rules.timeout
        rules.attemptsMax =
            whole("attemptsMax", most: Limits.deliveryAttemptsMax) ?? rules.attemptsMax
        rules.retryDelay =
            reader.length("retryDelay", from: .second, to: waitMax) ?? rules.retryDelay
        rules.retryDelayMax =
            reader.length("retryDelayMax", from: .second, to: waitMax) ?? rules.retryDelayMax
        let (delay, most) = (rules.retryDelay, rules.retryDelayMax)
        let bounds = TimeLength.second.microseconds...waitMax.microseconds
        if delay.microseconds > most.microseconds, bounds.contains(delay.microseconds),
            bounds.contains(most.microseconds)
        {
            let remedy = "give at most \(most), or a longer retryDelayMax"
            reader.fault("retryDelay", "retryDelayMax is shorter: \(most)", remedy)
        }
        return rules
    }

    // MARK: Writing

    /// Writes a destination with all that it has, secrets too: for the store. Reading the document
    /// gives an equal one.
    public static func write(_ destination: DestinationDefinition) -> JSONObject {
        let (filter, sending) = (destination.filter, destination.sending)
        var document: JSONObject = [
            "key": .string(destination.key.text), "name": .string(destination.name),
        ]
        document["filter"] = [
            "meterTypes": .array(filter.meterTypes.map { .string($0.text) }),
            "categories": .array(filter.categories.map(JSONValue.string)),
            "customers": .array(filter.customers.map { .string($0.text) }),
            "kinds": .array(filter.kinds.map { .string($0.rawValue) }),
        ]
        document["batchSize"] = .number(String(sending.batchSize))
        document["batchDelay"] = .string(sending.batchDelay.description)
        document["concurrency"] = .number(String(sending.concurrency))
        document["ratePerSecond"] = sending.ratePerSecond.map { .number(String($0)) }
        document["timeout"] = .string(sending.timeout.description)
        document["attemptsMax"] = .number(String(sending.attemptsMax))
        document["retryDelay"] = .string(sending.retryDelay.description)
        document["retryDelayMax"] = .string(sending.retryDelayMax.description)
        document["paused"] = .bool(destination.isPaused)
        let start: Start = destination.sendsEarlier ? .first : .now
        document["start"] = .string(start.rawValue)
        document[destination.outlet.kind] = .object(write(destination.outlet))
        return document
    }

    /// The same for answers: instead of each secret it says ``hidden``.
    public static func shown(_ destination: DestinationDefinition) -> JSONObject {
        var destination = destination
        destination.outlet = hiding(destination.outlet)
        return write(destination)
    }

    /// The values that ``shown(_:)`` hides, in their order: to tell whether they changed.
    public static func secrets(of destination: DestinationDefinition) -> [JSONValue] {
        func hidden(_ whole: JSONValue, _ shown: JSONValue) -> [JSONValue] {
            if shown == .string(Self.hidden) { return [whole] }
            if let whole = whole.objectValue, let shown = shown.objectValue {
                return zip(whole.members, shown.members).flatMap { hidden($0.value, $1.value) }
            }
            if let whole = whole.arrayValue, let shown = shown.arrayValue {
                return zip(whole, shown).flatMap { hidden($0, $1) }
            }
            return []
        }
        return hidden(.object(write(destination)), .object(shown(destination)))
    }
}
