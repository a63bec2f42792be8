import Crypto
import FileIntake
import Foundation

/// How far files were acknowledged in earlier runs: one small file for each file sent.
///
/// It only saves work. What it says is believed only where the file still begins with the very same
/// rows, mapped the same way, and the server still has the position it had then; otherwise
/// everything is sent, and counts once all the same.
struct ResumeState: Sendable {
    private struct Entry: Codable {
        var version = 1
        var rows: Int
        /// Hex, see `RowKey`.
        var digest: String
        /// The server's position when it had answered for the rows.
        var position: UInt64
    }

    private let directory: String
    private let server: String
    private let fingerprint: [String]
    private let positionNow: UInt64
    private var unsaved: [String: Entry] = [:]

    /// - Parameters:
    ///   - fingerprint: Everything that says how rows become events.
    ///   - positionNow: Where the server's log stands.
    init(directory: String, server: String, fingerprint: [String], positionNow: UInt64) {
        (self.directory, self.server) = (directory, server)
        (self.fingerprint, self.positionNow) = (fingerprint, positionNow)
    }

    /// `$XDG_STATE_HOME/odometer/ingest`, or below `~/.local/state`.
    static func directory(environment: [String: String]) -> String {
        let home =
            environment["XDG_STATE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
            ?? (environment["HOME"] ?? ".") + "/.local/state"
        return home + "/odometer/ingest"
    }

    /// How far a file was acknowledged; nil where nothing is known that can be believed.
    func mark(of path: String) -> Watermark? {
        guard let data = FileManager.default.contents(atPath: place(of: path)),
            let entry = try? JSONDecoder().decode(Entry.self, from: data), entry.version == 1,
            entry.position <= positionNow, let digest = Self.bytes(hex: entry.digest)
        else { return nil }
        return Watermark(row: entry.rows, digest: digest)
    }

    mutating func note(_ mark: Watermark, of path: String, position: UInt64) {
        guard mark.row > 0 else { return }
        let digest = mark.digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let known = max(position, unsaved[path]?.position ?? 0)
        unsaved[path] = Entry(rows: mark.row, digest: digest, position: known)
    }

    /// Writes what changed, each file whole or not at all.
    mutating func save() throws(CommandFailure) {
        guard !unsaved.isEmpty else { return }
        do {
            try FileManager.default.createDirectory(
                atPath: directory,
                withIntermediateDirectories: true
            )
            for (path, entry) in unsaved {
                let data = try JSONEncoder().encode(entry)
                try data.write(to: URL(fileURLWithPath: place(of: path)), options: .atomic)
            }
            unsaved = [:]
        } catch {
            throw CommandFailure(
                .refused,
                "cannot keep the resume state in \(directory): \(error.localizedDescription)"
            )
        }
    }

    private func place(of path: String) -> String {
        var hasher = SHA256()
        for text in [server, URL(fileURLWithPath: path).standardizedFileURL.path] + fingerprint {
            hasher.update(data: Data("\(text.utf8.count):\(text)".utf8))
        }
        let name = hasher.finalize().prefix(16)
            .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "\(directory)/\(name).json"
    }

    private static func bytes(hex: String) -> [UInt8]? {
        let digits = Array(hex)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(digits[index...(index + 1)]), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }
}
