internal import Compression
internal import Foundation
internal import GRDB
internal import MeteringEngine
internal import UsageModel

/// Finds the blocks that may hold what is asked for, and unpacks only those.
struct BlockScan {
    var truth: Truth
    /// No later positions.
    var upTo: UInt64
    /// Times of events; any of them.
    var ranges: [Range<Instant>]
    /// Hashes of subjects; empty: all.
    var subjects: [UInt64] = []
    /// Event types; empty: all.
    var types: [EventTypePattern] = []
    var isDescending = false
    /// The most blocks that are unpacked.
    var blocksMax = Int.max
    /// The most blocks whose summaries are looked at.
    var summariesMax = Int.max
    /// Only blocks that hold positions from here on (backwards if descending).
    var from: UInt64?

    /// Visits the blocks in the order of positions until the body says false.
    ///
    /// - Complexity: one index entry a block of the time span; one unpacking (some 0.5 ms) for each
    ///   that passes the summary's filters.
    func visit(_ body: (UnpackedBlock) throws -> Bool) throws {
        let decompressor = ZstdDecompressor()
        var unpacked = 0
        for first in try candidates() where unpacked < blocksMax {
            guard let summary = try summary(first), mayHold(summary) else { continue }
            unpacked += 1
            guard let stored = try truth.block(from: first) else { continue }
            guard try body(stored.events(using: decompressor)) else { return }
        }
    }

    /// The events of all blocks in the span of the ranges, whatever their types and subjects.
    func events() throws -> Int {
        guard let low = ranges.map(\.lowerBound).min(), let high = ranges.map(\.upperBound).max()
        else { return 0 }
        return try truth.pool.read { database in
            try Int.fetchOne(
                database,
                sql: """
                    SELECT coalesce(sum(count), 0) FROM event_block
                    WHERE time_max >= ? AND time_min < ? AND first_position <= ?
                    """,
                arguments: [low.microseconds, high.microseconds, Int64(upTo)]
            ) ?? 0
        }
    }

    private func candidates() throws -> [UInt64] {
        guard let low = ranges.map(\.lowerBound).min(), let high = ranges.map(\.upperBound).max()
        else { return [] }
        let order = isDescending ? "DESC" : "ASC"
        // A block holds `from` if it begins at or before it and ends at or after it.
        let holding = "SELECT max(first_position) FROM event_block WHERE first_position <= ?"
        let bound =
            isDescending ? "first_position <= ?" : "first_position >= coalesce((\(holding)), 0)"
        let rows = try truth.pool.read { database in
            try Row.fetchAll(
                database.cachedStatement(
                    sql: """
                        SELECT first_position, time_min, time_max FROM event_block
                        WHERE time_max >= ? AND time_min < ? AND first_position <= ? AND \(bound)
                        ORDER BY first_position \(order) LIMIT ?
                        """
                ),
                arguments: [
                    low.microseconds, high.microseconds, Int64(upTo),
                    Int64(from ?? (isDescending ? upTo : 0)), summariesMax,
                ]
            )
        }
        return rows.compactMap { row in
            let times = (row["time_min"] as Int64)...(row["time_max"] as Int64)
            let isAsked = ranges.contains { range in
                range.lowerBound.microseconds <= times.upperBound
                    && range.upperBound.microseconds > times.lowerBound
            }
            return isAsked ? UInt64(row["first_position"] as Int64) : nil
        }
    }

    private func summary(_ first: UInt64) throws -> BlockSummary? {
        let bytes = try truth.pool.read { database in
            try Data.fetchOne(
                database.cachedStatement(
                    sql: "SELECT summary FROM event_block WHERE first_position = ?"
                ),
                arguments: [Int64(first)]
            )
        }
        return bytes.flatMap { BlockSummary(Array($0)) }
    }

    private func mayHold(_ summary: BlockSummary) -> Bool {
        (subjects.isEmpty || subjects.contains(where: summary.mayHold(subject:)))
            && (types.isEmpty || summary.mayHold(types))
    }
}
