internal import Metering
internal import MeteringEngine
internal import UsageModel

/// Reads the books: the cells of kind ``CellKind/books``.
struct BooksReader {
    let derived: DerivedState
    let query: BooksQuery
    var voided: [StoredCorrection.BooksPlace: Int64] = [:]
    /// The versions in force: asked for once the cells are read, so that the books never know less
    /// of a version than its events.
    let inForce: () -> Set<UInt32>

    private struct Key: Hashable {
        var source: UInt32
        var type: UInt32
        var bucket: Int32
    }

    /// - Parameter commit: Is set to the commit up to which the answer is.
    func answer(_ commit: inout Int64) throws -> BooksAnswer {
        var cells: [Key: [BooksMeasure: Int64]] = [:]
        var changes: [(key: Key, version: UInt32, measure: BooksMeasure, count: Int64)] = []
        func take(_ key: CellKey, _ number: UInt32, _ state: MeterState) {
            let key = Key(source: key.subject, type: key.dimensions, bucket: key.bucket)
            if let measure = BooksMeasure(rawValue: number) {
                cells[key, default: [:]][measure, default: 0] += state.count
            } else if let (measure, version) = BooksChange.reading(number) {
                changes.append((key, version, measure, state.count))
            }
        }
        let buckets = Self.buckets(query.range)
        let (position, runs) = derived.read { tables in
            commit = tables.commit
            if let frozen = tables.frozen { frozen.cells.visit(CellKind.books, nil, buckets, take) }
            tables.cells.visit(CellKind.books, nil, buckets, take)
            return (tables.position, tables.cellRuns)
        }
        for run in runs { try run.visit(CellKind.books, nil, buckets, take) }

        let inForce = inForce()
        for change in changes where inForce.contains(change.version) {
            cells[change.key, default: [:]][change.measure, default: 0] += change.count
        }
        let names = texts(of: cells.keys)
        var total = BooksLine()
        var lines: [[String]: BooksLine] = [:]
        for (key, counts) in cells {
            let (source, type) = (names[key.source] ?? "", names[key.type] ?? "")
            if let asked = query.source, asked != source { continue }
            if let asked = query.type, asked != type { continue }
            let place = StoredCorrection.BooksPlace(source: source, type: type, hour: key.bucket)
            let voided = voided[place] ?? 0
            total.add(counts)
            total.voided += voided
            guard !query.groupBy.isEmpty else { continue }
            let hour = RollupBucket.start(key.bucket)
            var line = BooksLine()
            var order: [String] = []
            if query.groupBy.contains(.source) {
                line.source = source
                order.append(source)
            }
            if query.groupBy.contains(.type) {
                line.type = type
                order.append(type)
            }
            if query.groupBy.contains(.hour) {
                line.hour = hour
                order.append(hour.rfc3339)
            }
            lines[order, default: line].add(counts)
            lines[order, default: line].voided += voided
        }
        return BooksAnswer(
            position: Position(position),
            total: total,
            lines: Self.ordered(lines)
        )
    }

    private static func ordered(_ lines: [[String]: BooksLine]) -> [BooksLine] {
        let ordered = lines.sorted { one, other in
            for (left, right) in zip(one.key, other.key) where left != right {
                return left.utf8.lexicographicallyPrecedes(right.utf8)
            }
            return false
        }
        return ordered.map(\.value)
    }

    /// The books by source, of a derived state that no server holds.
    static func lines(of derived: DerivedState, _ inForce: Set<UInt32>) throws -> [BooksLine] {
        let whole = Instant(microseconds: .min)..<Instant(microseconds: .max)
        let query = BooksQuery(groupBy: [.source], range: whole)
        let reader = BooksReader(derived: derived, query: query, inForce: { inForce })
        var commit: Int64 = 0
        return try reader.answer(&commit).lines
    }

    static func buckets(_ range: Range<Instant>) -> Range<Int32> {
        // The books have the hours of the ledger's own life: far within these years.
        let low = Swift.max(range.lowerBound.microseconds, -62_167_219_200_000_000)
        let high = Swift.min(range.upperBound.microseconds, 253_402_300_800_000_000)
        guard low < high else { return 0..<0 }
        let first = RollupBucket.index(of: Instant(microseconds: low))
        return first..<(RollupBucket.index(of: Instant(microseconds: high - 1)) + 1)
    }

    private func texts(of keys: some Collection<Key>) -> [UInt32: String] {
        let numbers = Set(keys.flatMap { [$0.source, $0.type] })
        return derived.read { tables in
            Dictionary(
                numbers.map { ($0, tables.name($0)) },
                uniquingKeysWith: { one, _ in one }
            )
        }
    }
}

extension BooksLine {
    fileprivate mutating func add(_ counts: [BooksMeasure: Int64]) {
        received += counts[.received] ?? 0
        counted += counts[.counted] ?? 0
        unmatched += (counts[.accepted] ?? 0) - (counts[.counted] ?? 0)
        duplicate += counts[.duplicate] ?? 0
        conflict += counts[.conflict] ?? 0
        quarantined += counts[.quarantined] ?? 0
        unreadable += counts[.unreadable] ?? 0
    }
}
