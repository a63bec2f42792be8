/// Makes the JSON object of an event that came in CloudEvents binary mode (`ce-*` headers, the body
/// is the data). The object is what is stored, and goes through ``decodeEvents(_:framing:)`` as
/// ``EventFraming/cloudEvent`` like any other: that is where the verdict is given.
///
/// - A header's value is decoded as the HTTP binding says: quotes are taken off, then one round of
///   percent-decoding. The content type becomes `datacontenttype`.
/// - A JSON body (`application/json`, `…+json`, or no content type) becomes `data` as it is.
/// - A `text/…` body in UTF-8 becomes `data` as a string; any other body `data_base64`.
/// - An empty body is no data.
///
/// - Parameter attributes: Names without `ce-`, in any case; values as in the header. A name that
///   comes twice is written twice, and rejected as a duplicate.
/// - Throws: ``MalformedBody`` if a JSON body is not JSON.
public func structuredEvent(
    fromBinary attributes: [(name: String, value: String)],
    contentType: String?,
    body: [UInt8]
) throws(MalformedBody) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    for (name, value) in attributes {
        writer.name(name.lowercased())
        writer.unjudgedString(headerText(value))
    }
    if let contentType {
        writer.name("datacontenttype")
        writer.string(contentType)
    }
    if !body.isEmpty {
        let mediaType = MediaType(contentType)
        if mediaType.isJSON {
            writer.name("data")
            writer.raw(try jsonText(body))
        } else if mediaType.isUTF8Text, let text = String(validating: body, as: UTF8.self),
            !body.contains(0)
        {
            writer.name("data")
            writer.string(text)
        } else {
            writer.name("data_base64")
            writer.unjudgedString(Array(Base64.encode(body, .standard).utf8))
        }
    }
    writer.endObject()
    return writer.bytes
}

/// The body without byte order mark and spaces around it, if it is JSON by structure.
private func jsonText(_ body: [UInt8]) throws(MalformedBody) -> [UInt8] {
    var bytes = body
    let (start, end) = prepareForScan(&bytes)
    guard end > start else {
        throw MalformedBody(offset: end, reason: SyntaxFault.bodyEmpty.rawValue)
    }
    let fault: MalformedBody? = unsafe bytes.withUnsafeBytes { buffer in
        var scanner = JSONScanner(
            bytes: unsafe RawBytes(buffer),
            end: end,
            isLines: false,
            levelMax: 0
        )
        defer { scanner.names.deallocate() }
        let behind = scanner.value(scanner.skipSpace(start))
        if behind == end { return nil }
        return behind < 0
            ? MalformedBody(
                offset: scanner.syntaxOffset,
                reason: scanner.syntaxFault.rawValue
            )
            : MalformedBody(
                offset: scanner.skipSpace(behind),
                reason: SyntaxFault.trailing.rawValue
            )
    }
    if let fault { throw fault }
    return Array(bytes[start..<end])
}

/// What a content type says of a body, as far as it matters here.
private struct MediaType {
    var isJSON: Bool
    var isUTF8Text: Bool

    init(_ contentType: String?) {
        guard let contentType else {
            (isJSON, isUTF8Text) = (true, false)
            return
        }
        let parts = contentType.lowercased().split(separator: ";").map { part in
            part.filter { $0 != " " && $0 != "\t" && $0 != "\"" }
        }
        let essence = parts.first ?? ""
        let charset = parts.dropFirst().first { $0.hasPrefix("charset=") }?.dropFirst(8)
        isJSON = essence == "application/json" || essence.hasSuffix("+json")
        isUTF8Text =
            essence.hasPrefix("text/")
            && (charset == nil || charset == "utf-8" || charset == "utf8" || charset == "us-ascii")
    }
}

/// The text of a header's value.
private func headerText(_ value: String) -> [UInt8] {
    var bytes = Array(value.utf8)
    if bytes.count >= 2, bytes.first == Ascii.quote, bytes.last == Ascii.quote {
        var unquoted: [UInt8] = []
        var at = 1
        while at < bytes.count - 1 {
            if bytes[at] == Ascii.backslash, at + 1 < bytes.count - 1 { at += 1 }
            unquoted.append(bytes[at])
            at += 1
        }
        bytes = unquoted
    }
    var text: [UInt8] = []
    var at = 0
    while at < bytes.count {
        if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count {
            let (high, low) = (Ascii.hexValue(bytes[at + 1]), Ascii.hexValue(bytes[at + 2]))
            if high < 16, low < 16 {
                text.append(UInt8(high << 4 | low))
                at += 3
                continue
            }
        }
        text.append(bytes[at])
        at += 1
    }
    return text
}
