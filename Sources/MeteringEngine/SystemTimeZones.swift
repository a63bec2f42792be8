import Glibc
public import Metering
import Synchronization

/// The time zones of the machine's zone database, each read once and kept.
///
/// What is kept stays as it was read, so that all readings of one run agree; a restart takes in an
/// updated database. `UTC` needs no database.
public final class SystemTimeZones: TimeZoneSource {
    /// Where Linux keeps compiled zones.
    public static let directoryDefault = "/usr/share/zoneinfo"
    /// The largest zone file that is read; the largest there is has 4 KB.
    static let fileBytesMax = 64 * 1024

    /// The machine's, for who has been given none.
    public static let shared = SystemTimeZones()

    private let directory: String
    /// Only zones that exist come in, so the database bounds it (some 600).
    private let known = Mutex<[String: TimeZoneRules]>(["UTC": .utc])

    public init(directory: String = SystemTimeZones.directoryDefault) {
        self.directory = directory
    }

    /// The rules of a zone; the first time reads a file of a few KB, later times cost 100 ns.
    ///
    /// - Throws: ``TimeZoneError/unknown(name:)`` also where the file cannot be opened.
    public func rules(named name: String) throws(TimeZoneError) -> TimeZoneRules {
        guard Self.isName(name) else { throw .unknown(name: name) }
        if let rules = known.withLock({ $0[name] }) { return rules }
        guard let bytes = Self.bytes(of: directory + "/" + name) else {
            throw .unknown(name: name)
        }
        // Beside the zones lie tables and a list of names; they are no zones at all.
        guard bytes.starts(with: "TZif".utf8) else { throw .unknown(name: name) }
        let rules = try TimeZoneRules(tzif: bytes, name: name)
        known.withLock { $0[name] = rules }
        return rules
    }

    /// Whether a text can be a zone's name: it leads to no file outside the database, and to none
    /// that means another zone on another machine.
    static func isName(_ name: String) -> Bool {
        guard (1...64).contains(name.utf8.count), name != "localtime", name != "posixrules" else {
            return false
        }
        return name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            part.utf8.first.map(isLetter) == true && part.utf8.allSatisfy(isNameByte)
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
    }

    private static func bytes(of path: String) -> [UInt8]? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: fileBytesMax)
        var filled = 0
        while filled < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe read(file, buffer.baseAddress! + filled, buffer.count - filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return Array(bytes[..<filled]) }
            filled += count
        }
        return nil
    }
}
