internal import Metering
internal import MeteringEngine
internal import UsageModel

/// All corrections, as readings ask for them: which events are void as of a position, and which
/// rollups therefore do not answer.
///
/// Rollups are never changed by a correction. The buckets in which a subject has corrected events
/// are read from the events themselves, as those are that an edge cuts; so every aggregation is
/// exact after a removal, and every reading of before stays what it was.
struct CorrectionRegistry: Sendable {
    private(set) var history = CorrectionHistory()
    /// By their numbers, from 1.
    private(set) var corrections: [Correction] = []
    /// The positions of each, in order.
    private var entries: [Range<UInt64>] = []
    /// Where versions of meter types have their entries.
    private var versions: Set<UInt64> = []
    private var buckets: [UInt64: Set<Int32>] = [:]
    private var allBuckets: Set<Int32> = []
    private(set) var voided: [StoredCorrection.BooksPlace: Int64] = [:]
    /// By their numbers, from 1.
    private(set) var backfillSets: [BackfillSet] = []
    /// How many calls each set was sent.
    private(set) var parts: [Int64: Int] = [:]
    /// Where the events of each set stand in the books.
    private var setBooks: [Int64: [StoredCorrection.BooksPlace: Int64]] = [:]

    var isEmpty: Bool { corrections.isEmpty && history.isEmpty }
    var count: Int { corrections.count }

    func correction(_ number: Int64) -> Correction? {
        corrections.indices.contains(Int(number) - 1) ? corrections[Int(number) - 1] : nil
    }

    /// The correction that has its entry at a position.
    func correction(at position: UInt64) -> Correction? {
        place(holding: position).map { corrections[$0] }
    }

    /// Whether the event at a position has no key of its own: an entry of the ledger's, or a
    /// replacement.
    func isEntry(_ position: UInt64) -> Bool {
        place(holding: position) != nil || versions.contains(position)
    }

    /// Whether a version of a meter type has its entry at a position.
    func isVersion(_ position: UInt64) -> Bool { versions.contains(position) }

    /// Whether the event at a position is the ledger's own, and nobody's replacement.
    func isLedgersOwn(_ position: UInt64) -> Bool {
        versions.contains(position) || correction(at: position)?.position.value == position
    }

    /// How many events of the log have no key of their own.
    var entryCount: UInt64 { entries.reduce(UInt64(versions.count)) { $0 + UInt64($1.count) } }

    /// A version of a meter type has its entry at a position.
    mutating func addVersion(at position: Position) { versions.insert(position.value) }

    private func place(holding position: UInt64) -> Int? {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].upperBound <= position { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].contains(position) ? low : nil
    }

    /// The buckets that hold corrected events of some subjects, by the hashes of their names; nil:
    /// of any.
    func buckets(of subjects: Set<UInt64>?) -> Set<Int32> {
        guard let subjects else { return allBuckets }
        guard !buckets.isEmpty else { return [] }
        return subjects.reduce(into: []) { all, subject in
            if let own = buckets[subject] { all.formUnion(own) }
        }
    }

    func concerns(_ subject: UInt64) -> Bool { buckets[subject] != nil }

    mutating func add(_ stored: StoredCorrection) {
        corrections.append(stored.correction)
        entries.append(stored.entries)
        add(stored.targets, at: stored.correction.position.value)
        for (place, count) in stored.books { voided[place, default: 0] += count }
        guard let number = stored.correction.backfillSet else { return }
        let place = Int(number) - 1
        let isClose = stored.correction.kind == .close
        history.say(number, counts: isClose, at: stored.correction.position.value)
        guard backfillSets.indices.contains(place) else { return }
        backfillSets[place].state = isClose ? .closed : .reverted
        backfillSets[place].correction = stored.correction.number
    }

    // MARK: Backfill sets

    func backfillSet(_ number: Int64) -> BackfillSet? {
        backfillSets.indices.contains(Int(number) - 1) ? backfillSets[Int(number) - 1] : nil
    }

    /// A set as it stood at a position.
    func backfillSet(_ set: BackfillSet, asOf position: Position) -> BackfillSet {
        var then = set
        then.events = Int64(history.eventCount(of: set.number, asOf: position.value))
        let said = history.said(of: set.number, asOf: position.value)
        then.correction = said.flatMap { correction(at: $0.at)?.number }
        then.state = said.map { $0.counts ? .closed : .reverted } ?? .open
        return then
    }

    func books(ofSet number: Int64) -> [StoredCorrection.BooksPlace: Int64] {
        setBooks[number] ?? [:]
    }

    mutating func add(_ set: BackfillSet) { backfillSets.append(set) }

    /// Events that a set was sent: none of them counts yet.
    mutating func add(_ part: BackfillPart) {
        let place = Int(part.set) - 1
        guard backfillSets.indices.contains(place) else { return }
        backfillSets[place].events += Int64(part.positions.count)
        parts[part.set, default: 0] += 1
        history.add(part.positions, to: part.set)
        for bucket in part.buckets {
            buckets[bucket.subjectHash, default: []].insert(bucket.bucket)
            allBuckets.insert(bucket.bucket)
        }
        for (place, count) in part.books {
            voided[place, default: 0] += count
            setBooks[part.set, default: [:]][place, default: 0] += count
        }
    }

    /// Lets the events of a set count, or not, for a trial that holds as of every position.
    mutating func say(_ set: Int64, counts: Bool) { history.say(set, counts: counts, at: 0) }

    /// - Parameter position: 0 for what is only tried out: it holds as of every position.
    mutating func add(_ targets: [StoredCorrection.Target], at position: UInt64) {
        for target in targets {
            if target.change.position != 0 { history.add(target.change, at: position) }
            buckets[target.subjectHash, default: []].insert(target.bucket)
            allBuckets.insert(target.bucket)
        }
    }
}
