import Foundation
import Metering
import Testing
import UsageModel

/// Periods that Python found by brute force, of one zone: rows of `Fixtures/calendars.tsv`, whose
/// columns are described in `scripts/generate-calendar-rows.py`.
struct CalendarRows: Sendable, CustomTestStringConvertible {
    struct Row: Sendable {
        /// `never`, `every UNIT INTERVAL ANCHOR|-` or `cron FIELDS`.
        var schedule: String
        /// Seconds.
        var instant: Int64
        /// Seconds; nil at an end of time.
        var start: Int64?
        var end: Int64?
    }

    var name: String
    var file: [UInt8]
    var rows: [Row] = []

    var testDescription: String { name }

    static let all: [CalendarRows] = {
        guard let file = Bundle.module.url(forResource: "calendars", withExtension: "tsv"),
            let text = try? String(contentsOf: file, encoding: .utf8)
        else { return [] }
        var zones: [CalendarRows] = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let fields = line.split(separator: "\t").map(String.init)
            if fields[0] == "f" {
                let bytes = Data(base64Encoded: fields[2]).map(Array.init) ?? []
                zones.append(CalendarRows(name: fields[1], file: bytes))
                continue
            }
            let row = Row(
                schedule: fields[1],
                instant: Int64(fields[2]) ?? 0,
                start: Int64(fields[3]),
                end: Int64(fields[4])
            )
            zones[zones.count - 1].rows.append(row)
        }
        return zones
    }()

    static func named(_ name: String) throws -> TimeZoneRules {
        try #require(all.first { $0.name == name }).rules
    }

    var rules: TimeZoneRules {
        get throws { try TimeZoneRules(tzif: file, name: name) }
    }
}

extension ResetSchedule {
    /// Reads a row's spelling.
    init(row text: String) throws {
        let words = text.split(separator: " ", maxSplits: 1).map(String.init)
        switch words[0] {
        case "never": self = .never
        case "cron": self = .cron(try CronSchedule(words[1]))
        default:
            let parts = words[1].split(separator: " ").map(String.init)
            let unit = try #require(Unit(rawValue: parts[0]))
            let interval = try #require(Int(parts[1]))
            let anchor = Int64(parts[2]).map { Instant(seconds: $0) }
            self = .every(try Cadence(unit, interval: interval, anchor: anchor))
        }
    }
}
