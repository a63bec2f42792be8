internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel
internal import WireFormat

/// Answers a question for readings: rollups where they can, events where an edge cuts a bucket or
/// the question is about the past.
struct UsageReader {
    /// What a row is gathered under: numbers of the ledger, turned into texts at the end.
    struct RowKey: Hashable {
        var window: Int
        var meter: UInt32
        /// See ``SubjectCoverage/customer(_:)``.
        var customer: UInt32
        var subject: UInt32
        var tuple: UInt32
    }

    let core: LedgerCore
    let query: UsageQuery
    /// The versions that the reading follows, by their numbers.
    let meterTypes: [UInt32: MeterType]
    let coverage: Coverage
    let corrections: CorrectionRegistry
    /// Events that are tried out: they count as if they stood at the end of the log.
    let tried: PreparedBatch?
    let named: [(text: String, hash: UInt64)]
    /// Hashes of the subjects that can matter; nil: all.
    let asked: Set<UInt64>?
    /// The meters whose states are read subject by subject, and not those of all together.
    let bySubject: Set<UInt32>
    var rows: [RowKey: MeterFold] = [:]
    var carried = CarriedSamples()
    /// The row that states are merged into at the moment: most states of a reading go into one.
    private var openRow: (key: RowKey, state: MeterState)?
    /// The buckets of states that belong to the reading in part.
    private(set) var partial: Set<Int32> = []
    /// Events before it are left out.
    var since: UInt64 = 0
    /// How many states and elements were read from events.
    var held = 0
    /// Where the next version comes into force, which the reading does not follow.
    private let ahead: UInt64?
    /// Whether rollups answer for nothing: they know no version alone.
    private let isAlone: Bool
    /// The numbers of the named subjects that the ledger knows.
    private var subjects: [UInt32] = []
    /// Texts of numbers; numbers that the ledger does not know are made up from the top.
    private var names: [UInt32: String] = [:]
    private var numbers: [[UInt8]: UInt32] = [:]

    /// - Parameters:
    ///   - draft: A version to be read alone, over all events; nil: those in force.
    ///   - corrections: nil: those that were made.
    init(
        core: LedgerCore,
        query: UsageQuery,
        alone draft: MeterType? = nil,
        trying corrections: CorrectionRegistry? = nil,
        _ tried: PreparedBatch? = nil
    ) throws(LedgerError) {
        (self.core, self.query, self.tried) = (core, query, tried)
        self.corrections = corrections ?? core.corrections.withLock { $0 }
        var meterTypes: [UInt32: MeterType] = [:]
        isAlone = draft != nil || query.version != nil
        let single = try core.version(asked: query)
        if let alone = draft ?? single { meterTypes[alone.number] = alone }
        // A version is known before the tables reach its entry.
        let end = Position(core.derived.read { $0.rolledUp })
        var ahead: UInt64?
        for key in query.meterTypes where !isAlone {
            for version in try core.versionsInForce(of: key, asOf: query.asOf ?? end) {
                meterTypes[version.number] = version
            }
            for version in try core.versions(of: key) where version.hasEntry {
                guard let since = version.inForceSince, since > end else { continue }
                ahead = min(since.value, ahead ?? .max)
            }
        }
        self.ahead = ahead
        var defined = Array(meterTypes.values)
        // One that a version had which rules no time any more is known, and has no value.
        if !isAlone { for key in query.meterTypes { defined += try core.versions(of: key) } }
        for case .dimension(let name) in query.groupBy {
            let isKnown = defined.contains { meterType in
                meterType.definition.dimensions.contains { $0.name == name }
            }
            guard isKnown else {
                throw LedgerError(.notFound, "no meter type asked for has a dimension \"\(name)\"")
            }
        }
        let subjects = try SubjectCoverage(core: core, query: query, meterTypes)
        (self.meterTypes, coverage) = (meterTypes, Coverage(meterTypes.values, subjects))
        named = query.subjects.map { ($0, core.derived.hash(of: Array($0.utf8))) }
        asked = subjects.subjects.map { Set($0.map { core.derived.hash(of: Array($0.utf8)) }) }
        let areAll = subjects.subjects != nil || query.groupBy.contains(.subject)
        let each = meterTypes.filter { number, meterType in
            areAll || meterType.definition.aggregation.hasSeries
                || subjects.dependsOnSubject(meter: number)
        }
        bySubject = Set(each.keys)
    }

    var showsSubject: Bool { !named.isEmpty || query.groupBy.contains(.subject) }
    var showsCustomer: Bool { !query.customers.isEmpty || query.groupBy.contains(.customer) }
    var showsDimensions: Bool {
        query.groupBy.contains { if case .dimension = $0 { true } else { false } }
    }

    consuming func answer() throws -> UsageAnswer {
        let now = core.derived.read { $0.rolledUp }
        if let asOf = query.asOf, asOf.value > now {
            throw LedgerError(.positionUnknown, "the log ends at position \(now)")
        }
        let corrected = correctedBuckets
        // Values that are carried may come from any bucket.
        let isAlone = isAlone || (hasCarried && !corrected.isEmpty)
        var windows = try UsageWindows(query, readsEventsOnly: isAlone, corrected: corrected)
        var position = query.asOf?.value ?? now
        if position == now, !isAlone { position = try readRollups(windows) }
        if let asOf = query.asOf?.value, asOf < max(now, position) {
            // The past; or the present until a commit came in between.
            (rows, carried, partial) = ([:], CarriedSamples(), [])
            position = asOf
            windows = try UsageWindows(query, readsEventsOnly: true)
        }
        try checkKnown(at: position)
        try readEvents(windows, upTo: position)
        return try answer(windows, at: position)
    }

    /// Begins anew where the position is one that another version was in force at; or where a
    /// backfill set was sent events that the rollups count by now, and that were not known to be
    /// void when the reading began.
    func checkKnown(at position: UInt64) throws {
        if let ahead, ahead <= position { throw ReadingOutdated() }
        let known = corrections.history.partsEnd
        let hasMore = core.corrections.withLock {
            $0.history.hasPart(from: known, upTo: position)
        }
        if hasMore { throw ReadingOutdated() }
    }

    /// The buckets whose rollups count events that are void, or lack some that are tried out.
    private var correctedBuckets: Set<Int32> {
        var buckets = corrections.buckets(of: asked)
        for event in tried?.events ?? [] { buckets.insert(event.bucket) }
        return buckets
    }

    /// Turns what was read into readings.
    consuming func answer(_ windows: UsageWindows, at position: UInt64) throws -> UsageAnswer {
        closeSeries(windows)
        let gathered = gathered(windows)
        let readings = try page(gathered, windows)
        return UsageAnswer(
            position: Position(position),
            readings: Array(readings.prefix(query.limit)),
            totals: query.addsTotals ? try totals(gathered, windows) : [],
            hasMore: readings.count > query.limit
        )
    }

    // MARK: Rollups

    /// - Returns: the position that the rollups are read at.
    private mutating func readRollups(_ windows: UsageWindows) throws -> UInt64 {
        let texts = coverage.subjects.subjects ?? []
        for (text, number) in zip(texts, core.derived.numbers(of: texts)) where number != 0 {
            subjects.append(number)
            names[number] = text
        }
        let (position, runs) = core.derived.read { tables in
            for cells in [tables.frozen?.cells, tables.cells].compactMap(\.self) {
                visit(windows) { cells.visit($0, $1, $2, $3) }
                visitSamples(windows) { cells.visit($0, $1, $2, $3) }
            }
            return (tables.rolledUp, tables.cellRuns)
        }
        let block = CellBlock()
        for run in runs {
            try visitThrowing(windows) { try run.visit($0, $1, $2, using: block, $3) }
            try visitSamples(windows) { try run.visit($0, $1, $2, using: block, $3) }
        }
        closeRow()
        return position
    }

    typealias CellBody = (CellKey, UInt32, MeterState) -> Void
    typealias CellVisit = (UInt8, UInt32?, Range<Int32>, CellBody) throws -> Void

    private mutating func visit(
        _ windows: UsageWindows,
        _ source: (UInt8, UInt32?, Range<Int32>, CellBody) -> Void
    ) {
        for kind in kinds {
            for subject in askedSubjects {
                source(kind, subject, windows.buckets) { take($0, $1, $2, windows) }
            }
        }
    }

    private mutating func visitThrowing(_ windows: UsageWindows, _ source: CellVisit) throws {
        for kind in kinds {
            for subject in askedSubjects {
                try source(kind, subject, windows.buckets) { take($0, $1, $2, windows) }
            }
        }
    }

    private var kinds: [UInt8] {
        if meterTypes.values.allSatisfy(\.definition.aggregation.isCarried) { return [] }
        let needsElements = meterTypes.values.contains { $0.definition.aggregation.hasElements }
        return needsElements ? [CellKind.usage, CellKind.element] : [CellKind.usage]
    }

    /// Past this, all subjects are read and not those that are enrolled.
    private static var enrolledReadMax: Int { 2_000 }

    /// nil: every subject, one by one.
    var askedSubjects: [UInt32?] {
        if asked != nil { return subjects.map { $0 } }
        if bySubject.isEmpty { return [CellKind.allSubjects] }
        let enrolled =
            query.groupBy.contains(.subject)
            ? [nil] : bySubject.map { coverage.subjects.enrolled(meter: $0) }
        guard enrolled.allSatisfy({ $0 != nil }) else { return [nil] }
        var numbers = Set(enrolled.flatMap { $0 ?? [] })
        if numbers.count > Self.enrolledReadMax { return [nil] }
        if bySubject.count < meterTypes.count { numbers.insert(CellKind.allSubjects) }
        return numbers.sorted()
    }

    private mutating func take(
        _ key: CellKey,
        _ meter: UInt32,
        _ state: MeterState,
        _ windows: UsageWindows
    ) {
        guard let meterType = meterTypes[meter], !meterType.definition.aggregation.isCarried,
            let window = windows.window(ofBucket: key.bucket)
        else { return }
        // Of a meter that is read subject by subject, what all used together is left out, and of
        // another what each used.
        guard bySubject.contains(meter) == (key.subject != CellKind.allSubjects) else { return }
        switch coverage.bucket(meter: meter, subject: key.subject, bucket: key.bucket) {
        case .whole: break
        case .none: return
        case .partial:
            partial.insert(key.bucket)
            return
        }
        let row = RowKey(
            window: window,
            meter: meter,
            customer: coverage.subjects.owner(of: key.subject, at: RollupBucket.start(key.bucket)),
            subject: showsSubject ? key.subject : 0,
            tuple: showsDimensions ? key.dimensions : 0
        )
        let aggregation = meterType.definition.aggregation
        if key.kind == CellKind.element {
            rows[row, default: MeterFold()].add(key.element, events: state.count, aggregation)
        } else {
            if openRow?.key == row {
                openRow?.state.merge(state, aggregation)
            } else {
                closeRow()
                openRow = (row, state)
            }
        }
    }

    private mutating func closeRow() {
        guard let open = openRow, let meterType = meterTypes[open.key.meter] else { return }
        rows[open.key, default: MeterFold()].state.merge(
            open.state,
            meterType.definition.aggregation
        )
        openRow = nil
    }

    // MARK: Rows

    mutating func number(of text: [UInt8]) -> UInt32 {
        if text == Array("{}".utf8) { return 0 }
        if let known = numbers[text] { return known }
        let hash = core.derived.hash(of: text)
        let known = core.derived.read { $0.names.find(text, hash: hash) }
        let number = known ?? UInt32.max - UInt32(numbers.count)
        numbers[text] = number
        names[number] = String(decoding: text, as: UTF8.self)
        return number
    }

    private mutating func gathered(_ windows: UsageWindows) -> [UsageReading.OrderKey: MeterFold] {
        nameAll()
        var gathered: [UsageReading.OrderKey: MeterFold] = [:]
        var groups: [MeterTypeKey: Set<[String?]>] = [:]
        var dimensions: [UInt32: [String: String]] = [:]
        for (key, row) in rows {
            guard let meterType = meterTypes[key.meter] else { continue }
            var values: [String?] = [
                coverage.subjects.customer(key.customer), showsSubject ? names[key.subject] : nil,
            ]
            if showsDimensions, dimensions[key.tuple] == nil {
                dimensions[key.tuple] = Self.dimensions(names[key.tuple])
            }
            for case .dimension(let name) in query.groupBy {
                values.append(dimensions[key.tuple]?[name])
            }
            let order = UsageReading.OrderKey(
                start: windows.ranges[key.window].lowerBound,
                meterType: meterType.key,
                groups: values
            )
            let aggregation = meterType.definition.aggregation
            gathered[order, default: MeterFold()].merge(row, aggregation)
            groups[meterType.key, default: []].insert(values)
        }
        addEmpty(windows, groups, to: &gathered)
        return gathered
    }

    /// One row for each group that must show though nothing was used.
    private func addEmpty(
        _ windows: UsageWindows,
        _ groups: [MeterTypeKey: Set<[String?]>],
        to gathered: inout [UsageReading.OrderKey: MeterFold]
    ) {
        guard !query.isCut || query.fillsZero else { return }
        for meterType in Set(meterTypes.values.map(\.key)) {
            var shown = groups[meterType] ?? []
            if !showsDimensions, !query.groupBy.contains(.subject) || !named.isEmpty,
                !query.groupBy.contains(.customer) || !query.customers.isEmpty
            {
                shown.formUnion(namedGroups)
            }
            for values in shown {
                for range in windows.ranges {
                    let order = UsageReading.OrderKey(
                        start: range.lowerBound,
                        meterType: meterType,
                        groups: values
                    )
                    if gathered[order] == nil { gathered[order] = MeterFold() }
                }
            }
        }
    }

    /// A group for each customer and subject that the question names.
    var namedGroups: [[String?]] {
        let customers = query.customers.map(\.text) as [String?]
        let subjects = named.map(\.text) as [String?]
        return (customers.isEmpty ? [nil] : customers).flatMap { customer in
            (subjects.isEmpty ? [nil] : subjects).map { [customer, $0] }
        }
    }

    /// Finds the texts of all numbers that the rows speak of, under one hold of the lock.
    private mutating func nameAll() {
        var asked = Set<UInt32>()
        for key in rows.keys {
            if showsSubject { asked.insert(key.subject) }
            if showsDimensions { asked.insert(key.tuple) }
        }
        let unknown = asked.filter { $0 != 0 && names[$0] == nil }
        let texts = core.derived.read { tables in
            unknown.map { ($0, tables.name($0)) }
        }
        for (number, text) in texts { names[number] = text }
    }

    static func dimensions(_ tuple: String?) -> [String: String] {
        guard let tuple, case .object(let object)? = try? JSONValue.parse(Array(tuple.utf8)) else {
            return [:]
        }
        var dimensions: [String: String] = [:]
        for member in object.members {
            if case .string(let text) = member.value { dimensions[member.name] = text }
        }
        return dimensions
    }
}

/// A reading met what it did not know of, and begins anew.
struct ReadingOutdated: Error {}
