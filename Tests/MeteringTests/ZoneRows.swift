import Foundation
import Metering
import Testing
import UsageModel

/// What Python's zoneinfo says of one zone: the rows of `Fixtures/zones.tsv`, whose columns are
/// described in `scripts/generate-zone-rows.py`.
struct ZoneRows: Sendable, CustomTestStringConvertible {
    var name: String
    /// The compiled file, slim, and for some zones fat as well.
    var files: [[UInt8]] = []
    var instants: [[Int64]] = []
    var windows: [[Int64]] = []
    var locals: [[Int64]] = []

    var testDescription: String { name }

    static let all: [ZoneRows] = {
        guard let file = Bundle.module.url(forResource: "zones", withExtension: "tsv"),
            let text = try? String(contentsOf: file, encoding: .utf8)
        else { return [] }
        var zones: [ZoneRows] = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let fields = line.split(separator: "\t").map(String.init)
            if fields[0] == "f" {
                if zones.last?.name != fields[1] { zones.append(ZoneRows(name: fields[1])) }
                let bytes = Data(base64Encoded: fields[3]).map(Array.init) ?? []
                zones[zones.count - 1].files.append(bytes)
                continue
            }
            let numbers = fields.dropFirst().compactMap { Int64($0) }
            switch fields[0] {
            case "i": zones[zones.count - 1].instants.append(numbers)
            case "w": zones[zones.count - 1].windows.append(numbers)
            default: zones[zones.count - 1].locals.append(numbers)
            }
        }
        return zones
    }()

    static func named(_ name: String) throws -> TimeZoneRules {
        try #require(all.first { $0.name == name }).rules[0]
    }

    var rules: [TimeZoneRules] {
        get throws { try files.map { try TimeZoneRules(tzif: $0, name: name) } }
    }
}

extension Instant {
    init(seconds: Int64) { self.init(microseconds: seconds * 1_000_000) }

    /// `2026-03-29T01:00:00Z`, for rows that people read.
    init(_ text: String) throws {
        let date = try Date(text, strategy: .iso8601)
        self.init(seconds: Int64(date.timeIntervalSince1970))
    }
}
