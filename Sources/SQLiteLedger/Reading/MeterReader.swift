internal import Metering
internal import MeteringEngine
internal import UsageModel

/// Lists meters: the pairs of a subject and a meter type that have rollup cells.
///
/// Names are walked in the order of their numbers, some at a time: under one hold of the lock their
/// cells in memory are looked through, and then those of the runs of that moment on disk. A name
/// that is no subject has no cells of usage, and costs a question of a table and of each filter.
struct MeterReader {
    /// Names that are looked at under one hold of the lock.
    static let namesPerHold = 128

    private struct Found {
        var events: Int64 = 0
        var first = Int32.max
        var last = Int32.min
        /// The buckets whose events are to be asked one by one.
        var asked: Set<Int32> = []

        mutating func add(_ count: Int64, in bucket: Int32) {
            guard count > 0 else { return }
            events += count
            (first, last) = (min(first, bucket), max(last, bucket))
        }

        mutating func merge(_ other: Found) {
            events += other.events
            (first, last) = (min(first, other.first), max(last, other.last))
            asked.formUnion(other.asked)
        }
    }

    private let core: LedgerCore
    private let query: MeterQuery
    private let meterTypes: [UInt32: MeterTypeKey]
    private let coverage: Coverage
    /// The buckets in which one version takes over from another.
    private let edges: Set<Int32>
    private var meters: [Meter] = []
    private var steps = 0
    /// What all runs are read with.
    private let block = CellBlock()
    private var next: MeterQuery.Place?

    init(core: LedgerCore, query: MeterQuery) throws(LedgerError) {
        (self.core, self.query) = (core, query)
        for key in query.meterTypes { _ = try core.versions(of: key) }
        let all = core.currentMeterTypes().filter { version in
            query.meterTypes.isEmpty || query.meterTypes.contains(version.key)
        }
        // While a history is being counted for the first time, its list grows.
        let shown = all.inForceOrFirst()
        coverage = Coverage(shown)
        edges = Set(shown.compactMap(\.effectiveTo).map(RollupBucket.index(of:)))
        meterTypes = Dictionary(
            shown.map { ($0.number, $0.key) },
            uniquingKeysWith: { one, _ in one }
        )
    }

    consuming func answer() throws -> MeterAnswer {
        let (position, last) = core.derived.read { ($0.position, $0.names.count) }
        let start = query.after.map { number(of: $0.subject) ?? 1 } ?? 1
        if query.subjects.isEmpty {
            var from = start
            while from <= last, next == nil {
                let count = min(UInt32(Self.namesPerHold), last - from + 1)
                try list(Array(from..<(from + count)))
                from += count
            }
        } else {
            let named = Set(query.subjects.compactMap { number(of: $0) }).sorted()
            let asked = named.filter { $0 >= start }
            for place in stride(from: 0, to: asked.count, by: Self.namesPerHold) where next == nil {
                try list(Array(asked[place..<min(place + Self.namesPerHold, asked.count)]))
            }
        }
        return MeterAnswer(position: Position(position), meters: meters, next: next)
    }

    private func number(of name: String) -> UInt32? {
        let bytes = Array(name.utf8)
        let hash = core.derived.hash(of: bytes)
        return core.derived.read { $0.names.find(bytes, hash: hash) }
    }

    /// Lists the meters of some names, until the page is full or took all the steps it may.
    private mutating func list(_ numbers: [UInt32]) throws {
        let prefix = Array(query.prefix.utf8)
        var found: [UInt32: [UInt32: Found]] = [:]
        var seen = 0
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
                for cells in [tables.frozen?.cells, tables.cells] {
                    cells?.visit(CellKind.usage, number, Self.buckets) { key, meter, state in
                        seen += 1
                        add(key, meter, state, to: &found[number, default: [:]])
                    }
                }
            }
            return (names, tables.cellRuns, last)
        }
        steps += numbers.count + seen
        for (number, text) in names {
            for run in runs {
                try run.visit(CellKind.usage, number, Self.buckets, using: block) {
                    (key, meter, state) in
                    steps += 1
                    add(key, meter, state, to: &found[number, default: [:]])
                }
            }
            try list(found[number] ?? [:], text)
            guard next == nil else { return }
            if endsEarly(after: text) { return }
        }
        if let last { _ = endsEarly(after: last) }
    }

    /// Ends the page where it took all the steps it may. Subjects that are named are few.
    private mutating func endsEarly(after name: String) -> Bool {
        guard steps >= Limits.meterStepsMax, query.subjects.isEmpty else { return false }
        next = MeterQuery.Place(subject: name, meterType: nil)
        return true
    }

    private mutating func list(_ found: [UInt32: Found], _ subject: String) throws {
        var known: [MeterTypeKey: Found] = [:]
        for (number, found) in found {
            guard let key = meterTypes[number] else { continue }
            known[key, default: Found()].merge(found)
        }
        for (key, var found) in known.sorted(by: { $0.key < $1.key }) {
            for bucket in found.asked { try add(bucket, of: key, subject, to: &found) }
            guard found.events > 0 else { continue }
            if let after = query.after, after.subject == subject {
                guard let last = after.meterType, key > last else { continue }
            }
            guard let id = MeterID(meterType: key, subject: subject) else { continue }
            guard meters.count < query.limit else {
                next = meters.last.map { last in
                    MeterQuery.Place(subject: last.id.subject, meterType: last.id.meterType)
                }
                return
            }
            let start = RollupBucket.start(found.first)
            let end = RollupBucket.start(found.last + 1)
            meters.append(Meter(id: id, events: found.events, span: start..<end))
        }
    }

    private static let buckets = Int32.min..<Int32.max

    private func add(
        _ key: CellKey,
        _ meter: UInt32,
        _ state: MeterState,
        to found: inout [UInt32: Found]
    ) {
        guard state.count > 0, meterTypes[meter] != nil else { return }
        let part = coverage.bucket(meter: meter, subject: key.subject, bucket: key.bucket)
        if part == .partial || edges.contains(key.bucket) {
            found[meter, default: Found()].asked.insert(key.bucket)
        } else if part == .whole {
            found[meter, default: Found()].add(state.count, in: key.bucket)
        }
    }

    /// Adds a bucket that was left out, read from its events.
    private func add(
        _ bucket: Int32,
        of key: MeterTypeKey,
        _ subject: String,
        to found: inout Found
    ) throws {
        let query = UsageQuery(
            meterTypes: [key],
            subjects: [subject],
            range: RollupBucket.start(bucket)..<RollupBucket.start(bucket + 1)
        )
        let whole = try UsageReader(core: core, query: query).answer()
        found.add(whole.readings.first?.events ?? 0, in: bucket)
    }
}
