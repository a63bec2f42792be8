import UsageModel

// What a request is made of: its address and its headers.
extension FieldReader {
    static let addressRemedy = "give an address such as https://example.com/usage"

    /// An http or https address. Whether a template behind the host is one is not looked at.
    mutating func address(_ name: String, isTemplate: Bool = false) -> String? {
        guard let text = string(name) else { return nil }
        if let reason = Self.addressFault(text, isTemplate: isTemplate) {
            fault(name, reason.what, reason.remedy)
        }
        return text
    }

    /// Headers in their order, but for those that the sender sets itself.
    mutating func headers(
        _ name: String,
        countMax: Int,
        nameBytesMax: Int,
        valueBytesMax: Int
    ) -> [MetadataMember]? {
        guard let value = value(name) else { return nil }
        guard let object = value.objectValue else {
            fault(name, "it is \(value.kindName)", "give names and texts: {\"X-Team\":\"billing\"}")
            return nil
        }
        guard object.count <= countMax else {
            fault(name, "there are \(object.count)", "give at most \(countMax)")
            return nil
        }
        var names: Set<String> = []
        var headers: [MetadataMember] = []
        for member in object.members {
            let place = name + "/" + Self.escaped(member.name)
            headerName(member.name, at: place, bytesMax: nameBytesMax)
            if !names.insert(member.name.lowercased()).inserted {
                fault(place, "it stands twice, in other letters", "name each header once")
            }
            guard let text = member.value.stringValue, text.utf8.count <= valueBytesMax,
                !text.utf8.contains(where: Self.isControl)
            else {
                let remedy = "give a text on one line, to \(valueBytesMax) bytes"
                fault(place, "it is no text, too long, or holds a control character", remedy)
                continue
            }
            headers.append(MetadataMember(name: member.name, value: text))
        }
        return headers
    }

    /// Judges the name of a header: a token of RFC 9110 that is not the sender's to set.
    mutating func headerName(_ name: String, at place: String, bytesMax: Int) {
        let folded = name.lowercased()
        if !(1...bytesMax).contains(name.utf8.count) || !name.utf8.allSatisfy(Self.isTokenByte) {
            fault(place, "it is no name of a header", "give 1 to \(bytesMax) letters, digits or -")
        } else if Self.headersOfSender.contains(folded) || folded.hasPrefix("webhook-") {
            fault(place, "this header is ours to set", "leave it out")
        }
    }

    /// What says where a request ends and whom it is for; a second word on it is an attack.
    private static let headersOfSender: Set = [
        "connection", "content-length", "host", "transfer-encoding",
    ]

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        PlainByte.holds(byte) || "!#$%&'*+^`|~".utf8.contains(byte)
    }

    // MARK: Addresses

    private static func addressFault(
        _ text: String,
        isTemplate: Bool
    ) -> (what: String, remedy: String)? {
        let most = Limits.urlBytesMax
        if text.utf8.count > most {
            return ("it has \(text.utf8.count) bytes", "give at most \(most)")
        }
        let scheme = ["https://", "http://"].first { text.lowercased().hasPrefix($0) }
        guard let scheme else {
            return ("it begins with neither https:// nor http://", addressRemedy)
        }
        let rest = text.utf8.dropFirst(scheme.utf8.count)
        let authority = rest.prefix { !"/?#".utf8.contains($0) }
        if authority.contains(UInt8(ascii: "@")) {
            return ("it names a user", "say who asks in a header or in authorization")
        }
        if !isAuthority(Array(authority)) {
            return ("it has no host, or one that is none", addressRemedy)
        }
        let path = rest.dropFirst(authority.count)
        if isTemplate {
            if !path.contains(where: isControl) { return nil }
            return ("it holds a control character", "write it on one line, without tabs")
        }
        if path.allSatisfy(isAddressByte) { return nil }
        return ("it holds what an address cannot", "write %20 for a blank, and others likewise")
    }

    /// A host and perhaps a port: `example.com`, `10.0.0.7:8080`, `[::1]:8080`.
    private static func isAuthority(_ bytes: [UInt8]) -> Bool {
        var (host, rest) = (bytes[...], ArraySlice<UInt8>())
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")) else { return false }
            (host, rest) = (bytes[1..<end], bytes[(end + 1)...])
            let isAddress = host.allSatisfy { isHexDigit($0) || ":.".utf8.contains($0) }
            guard isAddress, host.contains(UInt8(ascii: ":")) else { return false }
        } else {
            let end = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
            (host, rest) = (bytes[..<end], bytes[end...])
            guard !host.isEmpty, host.allSatisfy(PlainByte.holds) else { return false }
        }
        if rest.isEmpty { return true }
        guard rest.first == UInt8(ascii: ":"), (2...6).contains(rest.count) else { return false }
        let digits = rest.dropFirst()
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        return (1...65_535).contains(Int(String(decoding: digits, as: UTF8.self)) ?? 0)
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        (0x21...0x7e).contains(byte) && !"\"<>\\^`{|}".utf8.contains(byte)
    }
}
