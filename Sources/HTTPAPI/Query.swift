import MeteringEngine
import UsageModel
import WireFormat

/// The parameters of a call, read one by one; what nobody asked for is refused by name.
///
/// `+` is a space, as forms spell it; in a time, where no space can stand, it is a plus again.
/// Faults are gathered, so that a caller sees all of them at once: ask ``finish()`` at the end.
struct Query {
    private struct Item {
        var name: String
        /// nil where the parameter has no `=`.
        var value: String?
        var isKnown = false
    }

    private var items: [Item] = []
    private var known: [String] = []
    private var faults: [FieldFault] = []

    /// - Throws: `invalid-field` for what is not percent-encoded UTF-8, or too much of it.
    init(_ text: Substring) throws(Refusal) {
        for part in text.split(separator: "&") {
            guard items.count < Self.itemsMax else {
                throw Refusal(.limitExceeded, "a query has at most \(Self.itemsMax) parameters")
            }
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = PercentCoding.decode(halves[0], plusIsSpace: true)
            let value = halves.count > 1 ? PercentCoding.decode(halves[1], plusIsSpace: true) : ""
            guard let name, let value else {
                throw Refusal(.invalidField, "the query is not percent-encoded UTF-8")
            }
            items.append(Item(name: name, value: halves.count > 1 ? value : nil))
        }
    }

    /// The most parameters of one call.
    static let itemsMax = 1_000

    // MARK: Texts

    mutating func texts(_ name: String) -> [String] {
        known.append(name)
        var found: [String] = []
        for index in items.indices where items[index].name == name {
            items[index].isKnown = true
            found.append(items[index].value ?? "")
        }
        return found
    }

    mutating func text(_ name: String) -> String? {
        let found = texts(name)
        if found.count > 1 {
            fault(name, "it stands \(found.count) times", "say it once")
        }
        return found.first
    }

    /// The values of a parameter that may repeat or hold several, separated by commas. Empty ones
    /// stay: where a script's variable was not set, the question must not become a wider one.
    mutating func list(_ name: String) -> [String] {
        texts(name).flatMap {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// The parameters `prefix.NAME=value`; `prefix.NAME` alone asks for events without a value.
    mutating func named(_ prefix: String) -> [UsageReading.Value] {
        known.append(prefix + "NAME")
        var found: [UsageReading.Value] = []
        for index in items.indices where items[index].name.hasPrefix(prefix) {
            items[index].isKnown = true
            let name = String(items[index].name.dropFirst(prefix.count))
            found.append(UsageReading.Value(name: name, value: items[index].value))
        }
        return found
    }

    // MARK: Values

    /// A flag is set by `name` alone, `name=true` or `name=1`.
    mutating func flag(_ name: String) -> Bool {
        guard let text = text(name) else { return false }
        switch text {
        case "", "true", "1": return true
        case "false", "0": return false
        default:
            fault(name, "it is neither true nor false", "say \(name)=true or leave it out")
            return false
        }
    }

    mutating func number(_ name: String, in range: ClosedRange<Int>, default value: Int) -> Int {
        guard let text = text(name) else { return value }
        guard let number = Int(text), range.contains(number) else {
            let bounds = "a whole number from \(range.lowerBound) to \(range.upperBound)"
            fault(name, "it is not \(bounds)", "give \(bounds)")
            return value
        }
        return number
    }

    /// A state of knowledge.
    enum Knowledge {
        case position(Position)
        case instant(Instant)
    }

    mutating func knowledge(_ name: String) -> Knowledge? {
        guard let text = text(name) else { return nil }
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = UInt64(text)
        {
            return .position(Position(value))
        }
        if let instant = Instant(rfc3339: Self.withPlus(text)) { return .instant(instant) }
        fault(
            name,
            "it is neither a position nor a time",
            "give the position of an answer, such as 184467, or 2026-11-01T00:00:00Z"
        )
        return nil
    }

    mutating func instant(_ name: String) -> Instant? {
        guard let text = text(name) else { return nil }
        if let instant = Instant(rfc3339: Self.withPlus(text)) { return instant }
        fault(name, "it is not a time", "give RFC 3339 with an offset: 2026-11-01T00:00:00Z")
        return nil
    }

    /// An unescaped `+01:00` has become ` 01:00`; the only space there can be at that place.
    private static func withPlus(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard bytes.count > 6, bytes[bytes.count - 6] == UInt8(ascii: " ") else { return text }
        return String(text.dropLast(6)) + "+" + text.suffix(5)
    }

    /// The range of `from` and `to`; all time on a side that is left out.
    mutating func range() -> Range<Instant> {
        let from = instant("from") ?? .earliest
        let to = instant("to") ?? Self.endOfTime
        guard from <= to else {
            fault("to", "it lies before from", "give a range from ≤ to")
            return from..<from
        }
        return from..<to
    }

    /// The first instant after all that can be spelled.
    static let endOfTime = Instant(microseconds: Instant.latest.microseconds + 1)

    /// One of a few words.
    mutating func word<Word: RawRepresentable & CaseIterable>(_ name: String) -> Word?
    where Word.RawValue == String {
        guard let text = text(name) else { return nil }
        return word(text, of: name)
    }

    mutating func words<Word: RawRepresentable & CaseIterable>(_ name: String) -> [Word]
    where Word.RawValue == String {
        list(name).compactMap { word($0, of: name) }
    }

    private mutating func word<Word: RawRepresentable & CaseIterable>(
        _ text: String,
        of name: String
    ) -> Word? where Word.RawValue == String {
        if let word = Word(rawValue: text) { return word }
        let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
        fault(name, "\"\(text)\" is not one of its words", "choose from: \(words)")
        return nil
    }

    private enum Order: String, CaseIterable { case asc, desc }

    /// `order`: whether the newest comes first.
    mutating func isDescending() -> Bool {
        let order: Order? = word("order")
        return order == .desc
    }

    /// The number of a version of a meter type.
    mutating func version() -> Int? {
        guard let text = text("version") else { return nil }
        if let number = Int(text), number > 0 { return number }
        fault("version", "it is not a version", "give a whole number from 1 on")
        return nil
    }

    mutating func meterType(_ text: String, of name: String = "meterType") -> MeterTypeKey? {
        if let key = MeterTypeKey(text) { return key }
        let rule = "1 to \(MeterTypeKey.bytesMax) of a-z 0-9 . _ -"
        fault(name, "\"\(text)\" is no key of a meter type", "a key is \(rule)")
        return nil
    }

    /// The meter types that a parameter names, each once.
    mutating func meterTypes() -> [MeterTypeKey] {
        var keys: [MeterTypeKey] = []
        for text in list("meterType") {
            guard let key = meterType(text), !keys.contains(key) else { continue }
            keys.append(key)
        }
        return keys
    }

    /// A number of a dense sequence, after which a list begins; 0 unless said.
    mutating func sequence(_ name: String) -> Int64 {
        guard let text = text(name) else { return 0 }
        if let number = Int64(text), number >= 0 { return number }
        fault(name, "it is not a whole number from 0 on", "give the number of the last one")
        return 0
    }

    /// `after`: the position that a list of events follows.
    mutating func followed() -> Position? {
        guard let text = text("after") else { return nil }
        if let number = Int64(text), number >= 0 { return Position(UInt64(number)) }
        fault("after", "it is not a position", "give `lookedUpTo` or `position` of an answer, or 0")
        return nil
    }

    /// The customers that a parameter names, each once.
    mutating func customers() -> [CustomerKey] {
        var keys: [CustomerKey] = []
        for text in texts("customer") {
            guard let key = CustomerKey(text) else {
                let rule = "1 to \(Limits.customerKeyBytesMax) of A-Z a-z 0-9 . _ -"
                fault("customer", "\"\(text)\" is no key of a customer", "a key is \(rule)")
                continue
            }
            if !keys.contains(key) { keys.append(key) }
        }
        return keys
    }

    // MARK: Judgement

    mutating func fault(_ name: String, _ reason: String, _ remedy: String) {
        faults.append(FieldFault(pointer: name, reason: reason, remedy: remedy))
    }

    /// Says that all parameters were asked for.
    ///
    /// - Throws: `unknown-parameter` with the names nobody asked for, else `invalid-field`.
    mutating func finish() throws(Refusal) {
        _ = flag("pretty")
        let unknown = items.filter { !$0.isKnown }.map(\.name)
        guard unknown.isEmpty else {
            let remedy = "known here: " + Set(known).sorted().joined(separator: ", ")
            let faults = unknown.map {
                FieldFault(pointer: $0, reason: "there is no such parameter", remedy: remedy)
            }
            let names = unknown.map { "\"\($0)\"" }.joined(separator: ", ")
            throw Refusal(.unknownParameter, "not known here: \(names)", faults: faults)
        }
        guard faults.isEmpty else { throw .fields(faults) }
    }
}

extension Query {
    /// How many items of a list one answer holds.
    static let limitDefault = 100
    static let limitMax = 1_000

    mutating func limit() -> Int {
        number("limit", in: 1...Self.limitMax, default: Self.limitDefault)
    }

    /// What a cursor is bound to: all parameters but those that may change from page to page.
    ///
    /// FNV-1a over the parameters as decoded, in their order.
    var fingerprint: UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        for item in items where !["limit", "cursor", "pretty"].contains(item.name) {
            item.name.utf8.forEach(add)
            add(item.value == nil ? 1 : 0)
            item.value?.utf8.forEach(add)
            add(0)
        }
        return hash
    }

    /// The cursor of the page before, if the caller sent one.
    mutating func cursor(_ kind: Cursor.Kind) throws(Refusal) -> Cursor? {
        guard let text = text("cursor") else { return nil }
        return try Cursor(text, kind, fingerprint: fingerprint)
    }
}
