internal import MeteringEngine
internal import UsageModel

/// How events stand in the books: counted or not under the versions that were in force when they
/// came, and what each version has changed since.
///
/// An event is counted where some meter type counts it under the version that rules the event's
/// time. A version that comes into force later may count what the one before did not, and leave
/// out what it did: the difference, over all events that came before, is a measure of its own,
/// filled while its history is counted. The books add it in from the moment on that readings follow
/// the version, so that both turn over at once, and a backfill that is given up leaves nothing.
struct BooksRule: Sendable {
    /// The versions that were not in force when the events came, in the order of their numbers:
    /// that in which they come into force.
    let changes: [UInt32]
    /// The rank at which each version joins: 0 those in force, then the changes.
    private var ranks: [UInt32: Int] = [:]
    /// Of each version those made later of the same key, and from when on they rule.
    private var later: [UInt32: [(number: UInt32, from: Instant)]] = [:]

    /// - Parameter versions: All that mean something to the events.
    init(_ versions: [MeterType], isChange: (MeterType) -> Bool) {
        changes = versions.filter(isChange).map(\.number).sorted()
        guard !changes.isEmpty else { return }
        for version in versions {
            ranks[version.number] = changes.firstIndex(of: version.number).map { $0 + 1 } ?? 0
            later[version.number] = versions.compactMap { other in
                guard other.key == version.key, other.number > version.number else { return nil }
                return (other.number, other.effective.lowerBound)
            }
        }
    }

    /// What the events of one source and type come to.
    struct Tally: Equatable {
        var counted: Int64 = 0
        var unreadable: Int64 = 0
    }

    /// Adds up a batch.
    ///
    /// - Parameter isNew: Whether the event at a place is to be added.
    /// - Returns: by the batch's origins, first under the versions in force, then what each of the
    ///   ``changes`` added to that, which may be less than nothing.
    func tallies(of batch: PreparedBatch, isNew: (Int) -> Bool) -> [[Tally]] {
        let none = [Tally](repeating: Tally(), count: batch.origins.count)
        var tallies = [[Tally]](repeating: none, count: changes.count + 1)
        for (place, event) in batch.events.enumerated() where isNew(place) {
            let origin = Int(event.origin)
            if changes.isEmpty {
                if event.isCounted { tallies[0][origin].counted += 1 }
                if batch.unreadable > 0 {
                    tallies[0][origin].unreadable += standing(of: event, in: batch, 0).unreadable
                }
                continue
            }
            guard event.contributionCount > 0 else { continue }
            var before = Tally()
            for rank in 0...changes.count {
                let standing = standing(of: event, in: batch, rank)
                tallies[rank][origin].counted += standing.counted - before.counted
                tallies[rank][origin].unreadable += standing.unreadable - before.unreadable
                before = standing
            }
        }
        return tallies
    }

    /// One event under the versions in force and the first changes.
    private func standing(
        of event: PreparedEvent,
        in batch: PreparedBatch,
        _ rank: Int
    ) -> Tally {
        var tally = Tally()
        let first = Int(event.firstContribution)
        for contribution in batch.contributions[first..<(first + Int(event.contributionCount))]
        where rules(contribution.meter, at: event.time, rank) {
            if contribution.unreadable == nil {
                tally.counted = 1
            } else {
                tally.unreadable += 1
            }
        }
        return tally
    }

    private func rules(_ meter: UInt32, at time: Instant, _ rank: Int) -> Bool {
        if changes.isEmpty { return true }
        guard let own = ranks[meter], own <= rank else { return false }
        return later[meter]?.contains { other in
            other.from <= time && (ranks[other.number] ?? .max) <= rank
        } != true
    }
}

/// The measure of the books that holds what one version changed.
enum BooksChange {
    /// Beyond the numbers of meters, so that no aggregation is looked up for it: it only counts.
    private static let first: UInt32 = 0x8000_0000

    static func measure(_ measure: BooksMeasure, of version: UInt32) -> UInt32 {
        first | version << 1 | (measure == .unreadable ? 1 : 0)
    }

    /// - Returns: nil for a measure that is no change.
    static func reading(_ measure: UInt32) -> (measure: BooksMeasure, version: UInt32)? {
        guard measure >= first else { return nil }
        return (measure & 1 == 1 ? .unreadable : .counted, (measure & ~first) >> 1)
    }
}
