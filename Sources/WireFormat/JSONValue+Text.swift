import UsageModel

extension JSONValue {
    /// Reads a JSON text: one value, spaces around it, a UTF-8 byte order mark tolerated.
    ///
    /// As strict as an event: no repeated names, no lone surrogates, no NUL, at most
    /// ``Limits/eventDepthMax`` levels, numbers within ``Limits/numberBytesMax``.
    ///
    /// - Throws: ``MalformedBody`` with the first byte at fault.
    /// - Complexity: O(n), two passes; allocates what it returns.
    public static func parse(_ bytes: [UInt8]) throws(MalformedBody) -> JSONValue {
        guard bytes.count <= Int(Int32.max) else {
            throw MalformedBody(fault: .tooLarge, offset: 0, reason: "the text is over 2 GiB")
        }
        var bytes = bytes
        let (start, end) = prepareForScan(&bytes)
        guard end > start else {
            throw MalformedBody(offset: end, reason: SyntaxFault.bodyEmpty.rawValue)
        }
        let outcome: Result<JSONValue, MalformedBody> = unsafe bytes.withUnsafeBytes { buffer in
            let raw = unsafe RawBytes(buffer)
            if let fault = scanDocument(raw, start: start, end: end) { return .failure(fault) }
            var builder = JSONBuilder(bytes: raw, at: start, end: end)
            return .success(builder.value())
        }
        return try outcome.get()
    }

    /// Reads JSON that a ``JSONWriter`` of this process wrote: it is not checked again. Unlike what
    /// ``parse(_:)`` takes it may be nested by some levels more than an event, and quote a NUL.
    ///
    /// - Parameter bytes: One sound JSON text; of any other the outcome is undefined.
    /// - Returns: null where there is no text.
    /// - Complexity: O(n), one pass; allocates what it returns.
    public static func read(trusted bytes: [UInt8]) -> JSONValue {
        var bytes = bytes
        let (start, end) = prepareForScan(&bytes)
        guard end > start else { return .null }
        return unsafe bytes.withUnsafeBytes { buffer in
            let raw = unsafe RawBytes(buffer)
            var builder = JSONBuilder(bytes: raw, at: start, end: end)
            return builder.value()
        }
    }

    /// The text of this value, in UTF-8; `pretty` puts each member on a line, indented by two.
    public func serialized(pretty: Bool = false) -> [UInt8] {
        var writer = JSONWriter(pretty: pretty)
        writer.value(self)
        return writer.bytes
    }
}

/// Checks that the bytes are one JSON value without any fault.
func scanDocument(_ bytes: RawBytes, start: Int, end: Int) -> MalformedBody? {
    var scanner = JSONScanner(
        bytes: bytes,
        end: end,
        isLines: false,
        levelMax: Limits.eventDepthMax
    )
    defer { scanner.names.deallocate() }
    let first = scanner.skipSpace(start)
    let behind = scanner.value(first)
    if behind < 0 {
        return MalformedBody(
            offset: scanner.syntaxOffset,
            reason: scanner.syntaxFault.rawValue
        )
    }
    if scanner.faultOffset != .max {
        return MalformedBody(
            offset: scanner.faultOffset,
            reason: scanner.faultReason.explanation
        )
    }
    if behind == end { return nil }
    return MalformedBody(
        offset: scanner.skipSpace(behind),
        reason: SyntaxFault.trailing.rawValue
    )
}

/// Makes values out of text that was scanned; recursion is as deep as the scan allowed.
private struct JSONBuilder {
    let bytes: RawBytes
    var at: Int
    let end: Int

    mutating func value() -> JSONValue {
        at = trustedSpaceEnd(bytes, at, end: end)
        let start = at
        switch bytes[start] {
        case Ascii.openBrace: return .object(object())
        case Ascii.openBracket: return .array(array())
        case Ascii.quote: return .string(string())
        default: break
        }
        at = trustedValueEnd(bytes, start, end: end)
        switch bytes[start] {
        case UInt8(ascii: "t"): return .bool(true)
        case UInt8(ascii: "f"): return .bool(false)
        case UInt8(ascii: "n"): return .null
        default: return .number(String(decoding: bytes.array(start..<at), as: UTF8.self))
        }
    }

    /// Takes the byte if it is next.
    private mutating func take(_ byte: UInt8) -> Bool {
        at = trustedSpaceEnd(bytes, at, end: end)
        guard at < end, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    private mutating func string() -> String {
        let close = trustedStringEnd(bytes, at + 1, end: end)
        let content = at + 1..<close
        at = close + 1
        guard bytes.containsBackslash(content) else {
            return String(decoding: bytes.array(content), as: UTF8.self)
        }
        var text: [UInt8] = []
        appendUnescaped(bytes.slice(content), to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func array() -> [JSONValue] {
        at += 1
        var elements: [JSONValue] = []
        if take(Ascii.closeBracket) { return elements }
        repeat { elements.append(value()) } while take(Ascii.comma)
        _ = take(Ascii.closeBracket)
        return elements
    }

    private mutating func object() -> JSONObject {
        at += 1
        var members: [JSONObject.Member] = []
        if take(Ascii.closeBrace) { return JSONObject() }
        repeat {
            at = trustedSpaceEnd(bytes, at, end: end)
            let name = string()
            _ = take(Ascii.colon)
            members.append(JSONObject.Member(name: name, value: value()))
        } while take(Ascii.comma)
        _ = take(Ascii.closeBrace)
        return JSONObject(trusted: members)
    }
}
