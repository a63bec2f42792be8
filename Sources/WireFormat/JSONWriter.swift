public import UsageModel

/// Writes JSON text piece by piece; commas and colons come by themselves.
///
/// What is written is JSON if every object gets names and values in turn and everything that was
/// begun is ended; that is the caller's part and is not checked.
public struct JSONWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    private let isPretty: Bool
    private var depth = 0
    private var needsComma = false
    private var followsName = false

    public init(pretty: Bool = false) { isPretty = pretty }

    public mutating func reserve(_ byteCount: Int) { bytes.reserveCapacity(byteCount) }

    // MARK: Structure

    public mutating func beginObject() { begin(Ascii.openBrace) }
    public mutating func endObject() { end(Ascii.closeBrace) }
    public mutating func beginArray() { begin(Ascii.openBracket) }
    public mutating func endArray() { end(Ascii.closeBracket) }

    private mutating func begin(_ byte: UInt8) {
        prepare()
        bytes.append(byte)
        depth += 1
        needsComma = false
    }

    private mutating func end(_ byte: UInt8) {
        depth -= 1
        // An empty container stays on one line.
        if isPretty, needsComma { breakLine() }
        bytes.append(byte)
        needsComma = true
    }

    /// What comes before a value or name.
    @inline(__always)
    private mutating func prepare() {
        if followsName {
            followsName = false
            return
        }
        if needsComma { bytes.append(Ascii.comma) }
        if isPretty, depth > 0 { breakLine() }
    }

    private mutating func breakLine() {
        bytes.append(Ascii.newline)
        for _ in 0..<depth * 2 { bytes.append(0x20) }
    }

    private mutating func afterName() {
        bytes.append(Ascii.colon)
        if isPretty { bytes.append(0x20) }
        (followsName, needsComma) = (true, true)
    }

    /// A name known at compile time; it must need no escapes.
    public mutating func name(_ name: StaticString) {
        prepare()
        bytes.append(Ascii.quote)
        name.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
        bytes.append(Ascii.quote)
        afterName()
    }

    public mutating func name(_ name: String) {
        prepare()
        quoted(name)
        afterName()
    }

    // MARK: Values

    public mutating func string(_ text: String) {
        prepare()
        quoted(text)
        needsComma = true
    }

    /// A text given as UTF-8 bytes. Bytes that are not UTF-8 become U+FFFD.
    public mutating func string(_ text: UnsafeRawBufferPointer) {
        prepare()
        if unsafe text.allSatisfy({ $0 < 0x80 }) {
            bytes.append(Ascii.quote)
            escape(unsafe RawBytes(text))
            bytes.append(Ascii.quote)
        } else {
            quoted(unsafe String(decoding: text, as: UTF8.self))
        }
        needsComma = true
    }

    /// A JSON value that is spelled already; it is taken as it is.
    public mutating func raw(_ json: UnsafeRawBufferPointer) {
        prepare()
        unsafe bytes.append(contentsOf: json)
        needsComma = true
    }

    /// A JSON value that is spelled already; it is taken as it is.
    public mutating func raw(_ json: [UInt8]) {
        prepare()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    public mutating func integer(_ value: some FixedWidthInteger) {
        prepare()
        bytes.append(contentsOf: String(value).utf8)
        needsComma = true
    }

    public mutating func bool(_ value: Bool) {
        prepare()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
        needsComma = true
    }

    public mutating func null() {
        prepare()
        bytes.append(contentsOf: "null".utf8)
        needsComma = true
    }

    /// An instant as the canonical RFC 3339 text.
    public mutating func instant(_ instant: Instant) {
        prepare()
        bytes.append(Ascii.quote)
        instant.appendRFC3339(to: &bytes)
        bytes.append(Ascii.quote)
        needsComma = true
    }

    public mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let bool): self.bool(bool)
        case .number(let spelling):
            prepare()
            bytes.append(contentsOf: spelling.utf8)
            needsComma = true
        case .string(let text): string(text)
        case .array(let elements):
            beginArray()
            for element in elements { self.value(element) }
            endArray()
        case .object(let object):
            beginObject()
            for member in object.members {
                name(member.name)
                self.value(member.value)
            }
            endObject()
        }
    }

    // MARK: Text

    private mutating func quoted(_ text: String) {
        var text = text
        bytes.append(Ascii.quote)
        text.withUTF8 { escape(unsafe RawBytes(UnsafeRawBufferPointer($0))) }
        bytes.append(Ascii.quote)
    }

    /// A string of whatever bytes, escaped where JSON asks for it and not repaired: what reads it
    /// has to judge it.
    mutating func unjudgedString(_ text: [UInt8]) {
        prepare()
        bytes.append(Ascii.quote)
        unsafe text.withUnsafeBytes { escape(unsafe RawBytes($0)) }
        bytes.append(Ascii.quote)
        needsComma = true
    }

    /// Appends the content of a string: runs that need no escape at once.
    private mutating func escape(_ text: RawBytes) {
        var run = 0
        for at in 0..<text.count {
            let byte = text[at]
            guard byte < 0x20 || byte == Ascii.quote || byte == Ascii.backslash else { continue }
            unsafe bytes.append(contentsOf: text.buffer(run..<at))
            run = at + 1
            appendEscape(byte)
        }
        unsafe bytes.append(contentsOf: text.buffer(run..<text.count))
    }

    private mutating func appendEscape(_ byte: UInt8) {
        bytes.append(Ascii.backslash)
        switch byte {
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0a: bytes.append(UInt8(ascii: "n"))
        case 0x0c: bytes.append(UInt8(ascii: "f"))
        case 0x0d: bytes.append(UInt8(ascii: "r"))
        case 0..<0x20:
            let digits = Array("0123456789abcdef".utf8)
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 15)])
        default: bytes.append(byte)
        }
    }
}
