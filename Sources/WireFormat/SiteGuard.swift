import UsageModel

/// Whether a request may come from where its headers say: no page of another site reads or changes
/// anything in the name of somebody who only opened it.
///
/// - A server that listens on loopback is asked by the names of this machine. Another name that
///   leads there is how a page elsewhere would read answers (DNS rebinding).
/// - What changes something is not sent by a page of another origin. A browser says where a page is
///   from; what is no browser says nothing, and is let through.
///
/// Looks at bytes and allocates nothing where a header is absent: it stands before every call.
public struct SiteGuard: Sendable {
    public enum Fault: Error, Hashable, Sendable {
        /// The host that was asked for is none of this server's.
        case foreignHost(String)
        /// A page of there sent the request: an origin, or the browser's word for it.
        case foreignPage(String)
    }

    /// Whether only this machine reaches the server.
    public let isLoopback: Bool
    /// In small letters.
    private let names: [String]

    /// - Parameters:
    ///   - host: What the server listens on.
    ///   - names: Further names by which it is asked, without ports.
    public init(listensOn host: String, allowing names: [String] = []) {
        isLoopback = Self.isLocal(host.utf8)
        self.names = names.map { $0.lowercased() }
    }

    /// - Parameters:
    ///   - authority: The host that was asked for, with its port; nil where none was said, which no
    ///     browser does.
    ///   - isChange: Whether the request may change something.
    ///   - origin: What `Origin` says.
    ///   - site: What `Sec-Fetch-Site` says.
    /// - Returns: nil where the request may be answered.
    public func fault(
        authority: String?,
        isChange: Bool,
        origin: @autoclosure () -> String?,
        site: @autoclosure () -> String?
    ) -> Fault? {
        if isLoopback || !names.isEmpty, let authority {
            let host = Self.host(of: authority)
            guard Self.isLocal(host) || isNamed(host) else { return .foreignHost(authority) }
        }
        guard isChange else { return nil }
        if let site = site(), site == "cross-site" || site == "same-site" {
            // A page under a name that the operator gave is a page of ours.
            guard let origin = origin(), isOwn(origin, authority, namedOnly: true) else {
                return .foreignPage(site)
            }
        }
        if let origin = origin(), !isOwn(origin, authority, namedOnly: false) {
            return .foreignPage(origin)
        }
        return nil
    }

    /// Whether an origin is that of this server, whichever scheme brought it here, or bears one of
    /// its further names.
    private func isOwn(_ origin: String, _ authority: String?, namedOnly: Bool) -> Bool {
        let bytes = origin.utf8
        var rest = bytes[...]
        for scheme in ["http://", "https://"] where bytes.starts(with: scheme.utf8) {
            rest = bytes.dropFirst(scheme.utf8.count)
        }
        guard rest.startIndex != bytes.startIndex else { return false }
        if !namedOnly, let authority, Self.isSame(rest, authority.utf8[...]) { return true }
        return isNamed(Self.host(of: Substring(rest)))
    }

    private func isNamed(_ host: Substring.UTF8View) -> Bool {
        names.contains { Self.isSame($0.utf8[...], host) }
    }

    private static func isSame(_ one: Substring.UTF8View, _ other: Substring.UTF8View) -> Bool {
        one.elementsEqual(other) { small($0) == small($1) }
    }

    private static func small(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// Whether a host is this machine by its own names: `localhost`, `127.x.x.x`, `::1`.
    private static func isLocal(_ host: some Collection<UInt8>) -> Bool {
        func reads(_ name: String) -> Bool { name.utf8.elementsEqual(host.lazy.map(small)) }
        if reads("localhost") || reads("::1") || reads("[::1]") { return true }
        var (parts, value, digits) = (0, 0, 0)
        for byte in host {
            if byte == UInt8(ascii: ".") {
                guard digits > 0, parts > 0 || value == 127 else { return false }
                (parts, value, digits) = (parts + 1, 0, 0)
            } else {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), digits < 3 else {
                    return false
                }
                (value, digits) = (value * 10 + Int(byte - UInt8(ascii: "0")), digits + 1)
                guard value <= 255 else { return false }
            }
        }
        return parts == 3 && digits > 0
    }

    /// The host without its port.
    private static func host(of authority: some StringProtocol) -> Substring.UTF8View {
        let bytes = Substring(authority).utf8
        if bytes.first == UInt8(ascii: "[") {
            let end = bytes.firstIndex(of: UInt8(ascii: "]"))
            return end.map { bytes[...$0] } ?? bytes[..<bytes.startIndex]
        }
        return bytes.prefix { $0 != UInt8(ascii: ":") }
    }

    /// Whether a text can be given as a name of a server: a host name or IPv4 address, no port.
    public static func isName(_ text: String) -> Bool {
        (1...Limits.hostNameBytesMax).contains(text.utf8.count)
            && text.utf8.allSatisfy(PlainByte.holds)
    }
}
