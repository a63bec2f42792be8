internal import Foundation
internal import GRDB
internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel
internal import WireFormat

/// Holds what a source says that it sent against the log and the quarantine.
struct ManifestReader {
    let core: LedgerCore
    let claim: SourceManifest.Claim

    /// - Throws: `limitExceeded`, `valueOverflow`.
    func standing() throws -> ManifestStanding {
        let upTo = core.derived.read { $0.position }
        var standing = ManifestStanding(claim, position: Position(upTo))
        try readLog(upTo, &standing)
        standing.quarantined = try quarantined()
        return standing
    }

    private func readLog(_ upTo: UInt64, _ standing: inout ManifestStanding) throws {
        let registry = core.corrections.withLock { $0 }
        var question = EventQuery(range: claim.range, limit: 1)
        (question.source, question.type) = (claim.source, claim.type)
        let filter = EventFilter(query: question)
        let preparer = summing()
        var sum = WideSum.zero
        let scan = BlockScan(
            truth: core.truth,
            upTo: upTo,
            ranges: [claim.range],
            types: claim.type.map { [$0] } ?? []
        )
        guard try scan.events() <= Limits.manifestEventsMax else {
            let most = Limits.manifestEventsMax
            throw LedgerError(.limitExceeded, "the time holds more than \(most) events")
        }
        try scan.visit { block in
            let places = block.decoded.events.indices.filter { place in
                block.firstPosition + UInt64(place) <= upTo && filter.mayAccept(place, of: block)
            }
            guard !places.isEmpty else { return true }
            let batch = preparer.map { block.prepared(by: $0) }
            for place in places {
                let position = block.firstPosition + UInt64(place)
                let counts = registry.history.counts(position)
                if registry.isEntry(position) {
                    // An entry is no event of a source; a replacement is none that it sent.
                    guard !registry.isLedgersOwn(position), counts else { continue }
                } else {
                    standing.received += 1
                    if !counts { standing.voided += 1 }
                }
                guard counts, let batch else { continue }
                Self.add(batch, place, &sum, &standing)
            }
            return true
        }
        guard claim.sum != nil else { return }
        do { standing.sum = try sum.quotient(by: 1, nil) } catch {
            throw LedgerError(.valueOverflow, "the sum does not fit a quantity")
        }
    }

    private static func add(
        _ batch: PreparedBatch,
        _ place: Int,
        _ sum: inout WideSum,
        _ standing: inout ManifestStanding
    ) {
        let event = batch.events[place]
        let first = Int(event.firstContribution)
        for contribution in batch.contributions[first..<(first + Int(event.contributionCount))] {
            if contribution.unreadable == nil {
                sum += WideSum(contribution.mantissa)
            } else {
                standing.unreadable += 1
            }
        }
    }

    /// Reads the field as a meter type would that sums it; nil where no sum is asked for.
    private func summing() -> EventPreparer? {
        guard let sum = claim.sum, let key = MeterTypeKey("manifest"),
            let all = EventTypePattern("*")
        else { return nil }
        let definition = MeterTypeDefinition(
            key: key,
            name: "",
            eventTypes: [all],
            aggregation: .sum,
            value: sum.path
        )
        let catalog = MeterCatalog(generation: 0, meterTypes: [.alone(definition)])
        return EventPreparer(hashKey: core.truth.hashKey, catalog: catalog)
    }

    /// Open items of the source whose time lies in the claim's, or that have none to be read: these
    /// may be among what it sent.
    private func quarantined() throws -> Int64 {
        try core.truth.pool.read { database in
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT coalesce(edited, original) AS event, type, first_seen_at FROM quarantine
                    WHERE state = 'open' AND source = ?
                    """,
                arguments: [claim.source]
            )
            var (count, looked) = (Int64(0), 0)
            while let row = try rows.next() {
                looked += 1
                guard looked <= Limits.manifestItemsMax else {
                    let most = Limits.manifestItemsMax
                    throw LedgerError(.limitExceeded, "more than \(most) items are open")
                }
                let type: String = row["type"]
                if let asked = claim.type, !asked.matches(type.utf8) { continue }
                let arrival = Instant(microseconds: row["first_seen_at"])
                let time = Self.time(of: Array(row["event"] as Data), arrival)
                if time.map(claim.range.contains) ?? true { count += 1 }
            }
            return count
        }
    }

    /// - Returns: nil where the bytes say no time that can be read.
    private static func time(of bytes: [UInt8], _ arrival: Instant) -> Instant? {
        guard let event = try? JSONValue.parse(bytes), event.objectValue != nil else { return nil }
        guard let time = event["time"], time != .null else { return arrival }
        return time.stringValue.flatMap { Instant(rfc3339: $0) }
    }
}
