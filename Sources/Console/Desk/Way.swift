/// Addresses: of our pages, and of the API.
enum Way {
    /// A path of segments, each percent-encoded: `Way.path("console", "events", source, id)`.
    static func path(_ segments: String...) -> String {
        segments.map { "/" + encoded($0) }.joined()
    }

    /// A path with a query; what is empty is left out, but for dimensions, which may be empty.
    ///
    /// - Parameter bare: Names that stand without a value.
    static func link(
        _ path: String,
        _ query: [(String, String)],
        bare: [String] = []
    ) -> String {
        let kept = query.filter { !$0.1.isEmpty || $0.0.hasPrefix("dimension.") }
        let parts = kept.map { encoded($0.0) + "=" + encoded($0.1) } + bare.map(encoded)
        return parts.isEmpty ? path : path + "?" + parts.joined(separator: "&")
    }

    static func encoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: bytes.append(byte)
            default:
                let digits = Array("0123456789ABCDEF".utf8)
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func event(_ source: String, _ id: String) -> String {
        path("console", "events", source, id)
    }
    static func item(_ id: String) -> String { path("console", "quarantine", "items", id) }
    static func record(_ id: String) -> String { path("console", "records", id) }
    static func correction(_ id: String) -> String { path("console", "corrections", id) }
    static func set(_ id: String) -> String { path("console", "backfill-sets", id) }
    static func meter(_ id: String) -> String { path("console", "meters", id) }
    static func meterType(_ key: String) -> String { path("console", "meter-types", key) }
    static func customer(_ key: String) -> String { path("console", "customers", key) }
    static func destination(_ key: String) -> String { path("console", "destinations", key) }
    static func delivery(_ destination: String, _ number: String) -> String {
        path("console", "deliveries", destination, number)
    }
}
