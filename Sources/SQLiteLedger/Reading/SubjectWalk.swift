internal import Metering
internal import MeteringEngine
internal import UsageModel

/// Walks over the subjects that the ledger knows, with what each has in the rollups.
///
/// Names are walked in the order of their numbers, some at a time: under one hold of the lock their
/// cells in memory are looked through, and then those of the runs of that moment on disk. A name
/// that is no subject has no cells of usage, and costs a question of a table and of each filter.
struct SubjectWalk {
    /// Names that are looked at under one hold of the lock.
    static let namesPerHold = 128

    /// What one meter has in the rollups.
    struct Found {
        /// Of the cells that count as a whole.
        var events: Int64 = 0
        /// Of all cells that count at all.
        var first = Int32.max
        var last = Int32.min
        /// Whether some cell counts in part, and its events are not among ``events``.
        var isPartial = false
    }

    let core: LedgerCore
    let prefix: [UInt8]
    /// When the meters of a subject count, by their numbers; all the time where it says nothing.
    let spans: (_ subject: String) -> [UInt32: TimeSpans]
    private var steps = 0
    /// What all runs are read with.
    private let block = CellBlock()

    init(
        core: LedgerCore,
        prefix: String,
        spans: @escaping (_ subject: String) -> [UInt32: TimeSpans]
    ) {
        (self.core, self.prefix, self.spans) = (core, Array(prefix.utf8), spans)
    }

    func number(of name: String) -> UInt32? {
        let bytes = Array(name.utf8)
        let hash = core.derived.hash(of: bytes)
        return core.derived.read { $0.names.find(bytes, hash: hash) }
    }

    /// Visits all names from one on, until the body says false or all steps are taken.
    ///
    /// - Returns: the last name that was looked at, where steps ran out; else nil.
    mutating func visitAll(
        from start: UInt32,
        _ body: (String, [UInt32: Found]) throws -> Bool
    ) throws -> String? {
        let last = core.derived.read { $0.names.count }
        var from = start
        while from <= last {
            let count = min(UInt32(Self.namesPerHold), last - from + 1)
            let seen = try visit(Array(from..<(from + count)), isBounded: true, body)
            guard seen.goesOn else { return seen.endedAfter }
            from += count
        }
        return nil
    }

    /// Visits named subjects, in the order of the numbers of their names.
    mutating func visit(
        subjects: some Sequence<String>,
        from start: UInt32,
        _ body: (String, [UInt32: Found]) throws -> Bool
    ) throws {
        let named = Set(subjects.compactMap { number(of: $0) }).sorted()
        let asked = named.filter { $0 >= start }
        for place in stride(from: 0, to: asked.count, by: Self.namesPerHold) {
            let numbers = Array(asked[place..<min(place + Self.namesPerHold, asked.count)])
            guard try visit(numbers, isBounded: false, body).goesOn else { return }
        }
    }

    private mutating func visit(
        _ numbers: [UInt32],
        isBounded: Bool,
        _ body: (String, [UInt32: Found]) throws -> Bool
    ) throws -> (goesOn: Bool, endedAfter: String?) {
        var found: [UInt32: [UInt32: Found]] = [:]
        var seen = 0
        var times: [UInt32: [UInt32: TimeSpans]] = [:]
        let (names, runs, last) = core.derived.read { tables in
            var names: [(number: UInt32, text: String)] = []
            var last: String?
            for number in numbers where number <= tables.names.count {
                let bytes = tables.names.bytes(of: number)
                // What is longer names no subject.
                guard bytes.count <= Limits.subjectBytesMax else { continue }
                let text = String(decoding: bytes, as: UTF8.self)
                last = text
                guard bytes.starts(with: prefix) else { continue }
                names.append((number, text))
                let spans = spans(text)
                times[number] = spans
                for cells in [tables.frozen?.cells, tables.cells] {
                    cells?.visit(CellKind.usage, number, Self.buckets) { key, meter, state in
                        seen += 1
                        Self.add(key, state, spans[meter], to: &found[number, default: [:]][meter])
                    }
                }
            }
            return (names, tables.cellRuns, last)
        }
        steps += numbers.count + seen
        for (number, text) in names {
            let spans = times[number] ?? [:]
            for run in runs {
                try run.visit(CellKind.usage, number, Self.buckets, using: block) {
                    (key, meter, state) in
                    steps += 1
                    Self.add(key, state, spans[meter], to: &found[number, default: [:]][meter])
                }
            }
            guard try body(text, found[number] ?? [:]) else { return (false, nil) }
            // Subjects that are named are few.
            if isBounded, steps >= Limits.meterStepsMax { return (false, text) }
        }
        return isBounded && steps >= Limits.meterStepsMax ? (false, last) : (true, nil)
    }

    static let buckets = Int32.min..<Int32.max

    private static func add(
        _ key: CellKey,
        _ state: MeterState,
        _ spans: TimeSpans?,
        to found: inout Found?
    ) {
        guard state.count > 0 else { return }
        let start = RollupBucket.start(key.bucket)
        let extent = spans?.extent(of: start..<RollupBucket.start(key.bucket + 1)) ?? .whole
        var seen = found ?? Found()
        switch extent {
        case .whole: seen.events += state.count
        case .partial: seen.isPartial = true
        case .none: break
        }
        if extent != .none {
            seen.first = min(seen.first, key.bucket)
            seen.last = max(seen.last, key.bucket)
        }
        found = seen
    }
}
