/// The name of a meter: its meter type and its subject, in one text that fits an address as it is.
///
///     tokens-in~acme             tokens-in, acme
///     prints~floor~203~2Froom    prints, "floor 3/room"
///
/// The text is the key of the meter type, a `~`, and the subject, in which every byte but
/// `A-Z a-z 0-9 . _ -` is `~` and two upper-case hex digits. Each pair has one text, and each text
/// at most one pair, so that no table of ids is kept.
public struct MeterID: Hashable, Sendable, CustomStringConvertible {
    public let meterType: MeterTypeKey
    /// 1 to ``Limits/subjectBytesMax`` bytes.
    public let subject: String

    /// - Returns: nil for a subject that no event can have: an empty or too long one.
    public init?(meterType: MeterTypeKey, subject: String) {
        guard (1...Limits.subjectBytesMax).contains(subject.utf8.count) else { return nil }
        (self.meterType, self.subject) = (meterType, subject)
    }

    /// Reads the text; nil for one that is not spelled exactly as ``text`` spells it.
    public init?(_ text: String) {
        guard let end = text.utf8.firstIndex(of: Self.escape),
            let key = MeterTypeKey(String(text[..<end])),
            let subject = Self.decode(text[end...].utf8.dropFirst())
        else { return nil }
        self.init(meterType: key, subject: subject)
        guard self.text == text else { return nil }
    }

    public var text: String {
        var bytes = Array(meterType.text.utf8) + [Self.escape]
        for byte in subject.utf8 {
            if PlainByte.holds(byte) {
                bytes.append(byte)
            } else {
                bytes += [Self.escape, Self.digit(byte >> 4), Self.digit(byte & 15)]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    public var description: String { text }

    private static let escape = UInt8(ascii: "~")

    private static func decode(_ text: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            if byte == escape {
                guard let high = rest.popFirst().flatMap(value),
                    let low = rest.popFirst().flatMap(value)
                else { return nil }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
