import UsageModel

/// Texts within addresses and forms, percent-encoded (RFC 3986), a space as `%20` everywhere.
enum URLText {
    private static let digits = Array("0123456789ABCDEF".utf8)

    static func encoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if PlainByte.holds(byte) || byte == UInt8(ascii: "~") {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A path whose slashes stay.
    static func encodedPath(_ path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false)
            .map { encoded(String($0)) }
            .joined(separator: "/")
    }

    /// The body of `application/x-www-form-urlencoded`.
    static func form(_ pairs: [(name: String, value: String)]) -> [UInt8] {
        let text = pairs.map { "\(encoded($0.name))=\(encoded($0.value))" }.joined(separator: "&")
        return Array(text.utf8)
    }

    /// Whether an address can be one of a destination.
    ///
    /// - Throws: ``FieldFault`` at the pointer.
    static func check(_ url: String, at pointer: String) throws(FieldFault) {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        let isKnown = ["http:", "https:"].contains(parts[0].lowercased())
        let isWhole = parts.count > 2 && parts[1].isEmpty && !parts[2].isEmpty
        let isPlain = url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        guard isKnown, isWhole, isPlain else {
            throw FieldFault(
                pointer: pointer,
                reason: "this is no address of a server",
                remedy: "write `https://`, the server's name and the path, percent-encoded"
            )
        }
        if parts[2].contains("@") {
            throw FieldFault(
                pointer: pointer,
                reason: "a name and a password within an address are not sent",
                remedy: "take them out, and write a header `Authorization`"
            )
        }
    }
}
