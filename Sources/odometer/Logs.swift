import Foundation
import Logging
import Synchronization
import UsageModel

/// How a log line is spelled.
enum LogFormat: String, CaseIterable, Sendable {
    /// `time=… level=info label=… msg="…" key=value`
    case logfmt
    /// One JSON object a line, all values texts.
    case json
}

/// Structured logs to standard error. What is logged names events (source, id), never carries them:
/// payloads belong to the customer.
enum Logs {
    /// Sends every logger's lines to standard error. Call once, before the first logger is made.
    static func start(level: Logger.Level, format: LogFormat) {
        LoggingSystem.bootstrap { label in
            LogWriter(label: label, logLevel: level, format: format)
        }
    }
}

/// Writes one line per message, whole: lines of several threads do not mix.
struct LogWriter: LogHandler {
    private static let gate = Mutex(())

    let label: String
    var logLevel: Logger.Level
    let format: LogFormat
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(label: String, logLevel: Logger.Level, format: LogFormat) {
        (self.label, self.logLevel, self.format) = (label, logLevel, format)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = metadata
        if let provided = metadataProvider?.get() {
            fields.merge(provided) { _, provided in provided }
        }
        if let explicit = event.metadata { fields.merge(explicit) { _, explicit in explicit } }
        let microseconds = Int64(Foundation.Date().timeIntervalSince1970 * 1_000_000)
        let line = Self.line(
            [
                ("time", Instant(microseconds: microseconds).rfc3339),
                ("level", event.level.rawValue), ("label", label), ("msg", "\(event.message)"),
            ] + fields.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") },
            format: format
        )
        Self.gate.withLock { _ in FileHandle.standardError.write(Data(line.utf8)) }
    }

    /// One line with its end.
    static func line(_ fields: [(name: String, value: String)], format: LogFormat) -> String {
        switch format {
        case .json:
            "{"
                + fields.map { "\(JSONText.quote($0.name)):\(JSONText.quote($0.value))" }
                .joined(separator: ",") + "}\n"
        case .logfmt:
            fields.map { "\($0.name)=\(logfmt($0.value))" }.joined(separator: " ") + "\n"
        }
    }

    /// Quoted where a reader could not tell its end otherwise.
    private static func logfmt(_ value: String) -> String {
        let isPlain =
            !value.isEmpty
            && value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3D && $0 < 0x7F }
        return isPlain ? value : JSONText.quote(value)
    }
}
