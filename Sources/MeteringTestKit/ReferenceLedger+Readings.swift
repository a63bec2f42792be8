internal import Metering
public import MeteringEngine
internal import Synchronization
internal import UsageModel
internal import WireFormat

// Readings and meters: all events are looked at for each answer.
extension ReferenceLedger {
    typealias Rows = [UsageReading.OrderKey: MeterFold]

    /// One thing that one meter type read from one event.
    struct Use {
        var time: Instant
        /// The stretch around the time in which the version counts the subject.
        var stretch: Range<Instant>
        var subject: String
        var customer: String?
        var dimensions: [String: String]
        var fold: MeterFold
    }

    public func readings(_ query: UsageQuery) async throws(LedgerError) -> UsageAnswer {
        let snapshot = state.withLock { $0 }
        let (entries, meterTypes) = (snapshot.entries, snapshot.meterTypes)
        let position = query.asOf?.value ?? UInt64(entries.count)
        guard position <= UInt64(entries.count) else {
            throw LedgerError(.positionUnknown, "the log ends at \(entries.count)")
        }
        for key in query.customers where snapshot.customer(key, asOf: nil) == nil {
            throw LedgerError(.notFound, "no customer \(key)")
        }
        let windows = try query.windows()
        let names = query.groupBy.compactMap { group in
            if case .dimension(let name) = group { name } else { nil }
        }
        var readings: [UsageReading] = []
        var totals: [UsageReading] = []
        for key in query.meterTypes {
            let versions = try asked(key, query, meterTypes)
            let (uses, carried) = uses(
                of: versions,
                in: entries.prefix(Int(position)),
                snapshot,
                query
            )
            var (rows, total) = (Rows(), Rows())
            var whole = query
            whole.groupBy = []
            for version in versions {
                guard let own = carried[version.number] else { continue }
                addCarried(own, windows, query, names, version, snapshot, to: &rows)
                addCarried(own, windows, whole, [], version, snapshot, to: &total)
            }
            for window in windows {
                let inWindow = uses.filter { window.contains($0.time) }
                add(inWindow, window, query, names, versions[0], to: &rows)
                add(inWindow, window, whole, [], versions[0], to: &total)
            }
            if query.isCut, !query.fillsZero { rows = rows.filter { !$0.value.isNothing } }
            readings += try read(rows, versions, windows, names)
            totals += try read(total, versions, windows, [])
        }
        readings.sort { $0.orderKey < $1.orderKey }
        if let after = query.after { readings.removeAll { $0.orderKey <= after } }
        return UsageAnswer(
            position: Position(position),
            readings: Array(readings.prefix(query.limit)),
            totals: query.addsTotals ? totals.sorted { $0.orderKey < $1.orderKey } : [],
            hasMore: readings.count > query.limit
        )
    }

    /// What some versions read: what is carried by the number of the version whose series it is.
    private func uses(
        of versions: [MeterType],
        in entries: ArraySlice<Entry>,
        _ state: State,
        _ query: UsageQuery
    ) -> (uses: [Use], carried: [UInt32: [Use]]) {
        let carrying = versions.carrying()
        var (uses, carried) = ([Use](), [UInt32: [Use]]())
        for version in versions {
            let series = carrying[version.number] ?? version
            let own = self.uses(
                of: version,
                carriedOver: series.effective,
                in: entries,
                state,
                asOf: query.asOf.map { Int($0.value) }
            )
            if version.definition.aggregation.isCarried {
                carried[series.number, default: []] += own
            } else {
                uses += own
            }
        }
        return (uses, carried)
    }

    /// Whether a meter type counts an event, with these values of its dimensions.
    func counts(
        _ state: State,
        _ place: Int,
        _ meterType: MeterType,
        _ dimensions: [UsageReading.Value],
        asOf position: UInt64
    ) -> Bool {
        if let retired = meterType.retiredPosition, UInt64(place + 1) > retired.value {
            return false
        }
        guard state.history.counts(UInt64(place + 1), asOf: position) else { return false }
        let uses = uses(
            of: meterType,
            in: state.entries[place...place],
            state,
            asOf: Int(clamping: position)
        )
        return uses.contains { use in
            dimensions.allSatisfy { use.dimensions[$0.name] == $0.value }
        }
    }

    /// The versions that a question is about: one alone, or those in force.
    private func asked(
        _ key: MeterTypeKey,
        _ query: UsageQuery,
        _ meterTypes: [MeterType]
    ) throws(LedgerError) -> [MeterType] {
        var versions = meterTypes.filter { $0.key == key }
        if let number = query.version {
            versions = versions.filter { $0.version == number }.map { version in
                var alone = version
                (alone.effectiveFrom, alone.effectiveTo) = (nil, nil)
                return alone
            }
        } else {
            versions = versions.inForce(asOf: query.asOf)
        }
        guard !versions.isEmpty else { throw LedgerError(.notFound, "no meter type \(key)") }
        return versions
    }

    /// - Parameters:
    ///   - times: Over which values are carried; nil: those that the version rules.
    ///   - position: What is said of meters and customers is asked as of there; nil: now.
    func uses(
        of meterType: MeterType,
        carriedOver times: Range<Instant>? = nil,
        in entries: ArraySlice<Entry>,
        _ state: State,
        asOf position: Int? = nil
    ) -> [Use] {
        let said = state.said.filter { position == nil || $0.position <= position ?? 0 }
        let catalog = MeterCatalog(generation: 0, meterTypes: [meterType])
        let preparer = EventPreparer(hashKey: hashKey, catalog: catalog)
        var uses: [Use] = []
        let last = position.map(UInt64.init) ?? .max
        for place in entries.indices {
            let entry = entries[place]
            if let retired = meterType.retiredPosition, UInt64(place + 1) > retired.value { break }
            let batch = preparer.prepareAgain(entry.batch)
            let event = batch.events[entry.place]
            let subject = text(batch, event.decoded.subject)
            let effective = meterType.effective
            let stretches = Self.stretches(meterType, times ?? effective, subject, said)
            guard effective.contains(event.time),
                state.history.counts(UInt64(place + 1), asOf: last),
                let stretch = stretches.first(where: { $0.contains(event.time) })
            else { continue }
            let first = Int(event.firstContribution)
            for one in batch.contributions[first..<(first + Int(event.contributionCount))]
            where one.unreadable == nil {
                var fold = MeterFold()
                fold.state = MeterState(
                    one.aggregation,
                    mantissa: one.mantissa,
                    time: event.time.microseconds,
                    position: UInt64(place + 1)
                )
                batch.forEachElement(of: one) { fold.add($0, events: 1, one.aggregation) }
                uses.append(
                    Use(
                        time: event.time,
                        stretch: stretch,
                        subject: subject,
                        customer: state.owner(of: subject, at: event.time, asOf: position)?.text,
                        dimensions: Self.dimensions(batch.tuples[Int(one.tuple)]),
                        fold: fold
                    )
                )
            }
        }
        return uses
    }

    private static func dimensions(_ tuple: [UInt8]) -> [String: String] {
        var dimensions: [String: String] = [:]
        for member in (try? JSONValue.parse(tuple))?.objectValue?.members ?? [] {
            dimensions[member.name] = member.value.stringValue
        }
        return dimensions
    }

    private func add(
        _ uses: [Use],
        _ window: Range<Instant>,
        _ query: UsageQuery,
        _ names: [String],
        _ meterType: MeterType,
        to rows: inout Rows
    ) {
        func key(_ groups: [String?]) -> UsageReading.OrderKey {
            .init(start: window.lowerBound, meterType: meterType.key, groups: groups)
        }
        let isBySubject = query.groupBy.contains(.subject)
        let isByCustomer = query.groupBy.contains(.customer)
        let named = query.customers.map(\.text)
        if !query.isCut || query.fillsZero, names.isEmpty,
            !isBySubject || !query.subjects.isEmpty, !isByCustomer || !named.isEmpty
        {
            let subjects: [String?] = query.subjects.isEmpty ? [nil] : query.subjects
            let customers: [String?] = named.isEmpty ? [nil] : named
            for customer in customers {
                for subject in subjects where rows[key([customer, subject])] == nil {
                    rows[key([customer, subject])] = MeterFold()
                }
            }
        }
        for use in uses where query.subjects.isEmpty || query.subjects.contains(use.subject) {
            guard named.isEmpty || named.contains(where: { $0 == use.customer }) else { continue }
            let customer = isByCustomer || !named.isEmpty ? use.customer : nil
            let shown = isBySubject || !query.subjects.isEmpty ? use.subject : nil
            let key = key([customer, shown] + names.map { use.dimensions[$0] })
            let aggregation = meterType.definition.aggregation
            rows[key, default: MeterFold()].merge(use.fold, aggregation)
        }
    }

    private func read(
        _ rows: Rows,
        _ versions: [MeterType],
        _ windows: [Range<Instant>],
        _ names: [String]
    ) throws(LedgerError) -> [UsageReading] {
        var readings: [UsageReading] = []
        for (key, row) in rows {
            guard let range = windows.first(where: { $0.lowerBound == key.start }) else { continue }
            // Rounded as the version says that rules the window's last instant.
            let last = Instant(microseconds: range.upperBound.microseconds - 1)
            let meterType = versions.first { $0.effective.contains(last) } ?? versions[0]
            do {
                readings.append(
                    UsageReading(
                        meterType: meterType.key,
                        customer: key.groups[0],
                        subject: key.groups[1],
                        range: range,
                        dimensions: zip(names, key.groups.dropFirst(2)).map {
                            .init(name: $0, value: $1)
                        },
                        value: try row.value(meterType.definition),
                        events: row.state.count
                    )
                )
            } catch {
                throw LedgerError(.valueOverflow, "\(error)")
            }
        }
        return readings
    }

    // MARK: Meters

    /// The meters as they stand at the time asked for, without those that were not asked for.
    private static func standing(
        _ meters: [Meter],
        _ query: MeterQuery,
        _ snapshot: State
    ) -> [Meter] {
        var listed = meters
        for place in listed.indices {
            let id = listed[place].id
            let type = snapshot.meterTypes.first { $0.key == id.meterType }
            listed[place].enrolled = snapshot.enrolled(id)
            listed[place].customer = snapshot.owner(of: id.subject, at: query.at, asOf: nil)
            listed[place].standing =
                type?.retiredAt != nil
                ? .closed : snapshot.enrolled(id)?.standing(at: query.at) ?? .active
        }
        if !query.customers.isEmpty {
            listed.removeAll { meter in !query.customers.contains { $0 == meter.customer } }
        }
        if !query.standings.isEmpty {
            listed.removeAll { !query.standings.contains($0.standing) }
        }
        return listed
    }

    public func meters(_ query: MeterQuery) async throws(LedgerError) -> MeterAnswer {
        let now = state.withLock { $0 }
        let snapshot = try now.asOf(query.asOf)
        let (entries, meterTypes) = (snapshot.entries, snapshot.meterTypes)
        for key in query.customers where now.customer(key, asOf: nil) == nil {
            throw LedgerError(.notFound, "no customer \(key)")
        }
        for key in query.meterTypes where !now.meterTypes.contains(where: { $0.key == key }) {
            throw LedgerError(.notFound, "no meter type \(key)")
        }
        var meters: [MeterID: Meter] = [:]
        for meterType in meterTypes.inForce() {
            let last = query.asOf.map { Int($0.value) }
            for use in uses(of: meterType, in: entries[...], snapshot, asOf: last) {
                guard let id = MeterID(meterType: meterType.key, subject: use.subject) else {
                    continue
                }
                let bucket = RollupBucket.index(of: use.time)
                let start = RollupBucket.start(bucket)
                let end = RollupBucket.start(bucket + 1)
                var meter = meters[id] ?? Meter(id: id, events: 0, span: start..<end)
                meter.events += 1
                meter.span =
                    min(meter.span.lowerBound, start)..<max(meter.span.upperBound, end)
                meters[id] = meter
            }
        }
        for said in snapshot.said where meters[said.id] == nil {
            let nothing = Instant(microseconds: 0)..<Instant(microseconds: 0)
            meters[said.id] = Meter(id: said.id, events: 0, span: nothing)
        }
        var listed: [Meter] = []
        for subject in subjects(snapshot) {
            let keys = Set(meterTypes.map(\.key)).sorted()
            listed += keys.compactMap { MeterID(meterType: $0, subject: subject) }
                .compactMap { meters[$0] }
        }
        listed = Self.standing(listed, query, snapshot)
        listed.removeAll { meter in
            !(query.meterTypes.isEmpty || query.meterTypes.contains(meter.id.meterType))
                || !(query.subjects.isEmpty || query.subjects.contains(meter.id.subject))
                || !meter.id.subject.utf8.starts(with: query.prefix.utf8)
        }
        if let after = query.after {
            let last = listed.lastIndex { meter in
                meter.id.subject == after.subject
                    && (after.meterType.map { meter.id.meterType <= $0 } ?? true)
            }
            if let last { listed.removeFirst(last + 1) }
        }
        let page = Array(listed.prefix(query.limit))
        let last = listed.count > page.count ? page.last : nil
        return MeterAnswer(
            position: Position(UInt64(entries.count)),
            meters: page,
            next: last.map { .init(subject: $0.id.subject, meterType: $0.id.meterType) }
        )
    }

    // MARK: Previews

    public func preview(_ query: PreviewQuery) async throws(LedgerError) -> PreviewAnswer {
        let draft = ReferenceLedger(clock: clock)
        let state = state.withLock { $0 }
        var entries = state.entries
        var newest: PreviewAnswer.Newest?
        if let count = query.newest {
            entries = entries.filter { entry in
                let event = entry.batch.events[entry.place].decoded
                let type = entry.batch.bytes[event.type.range]
                return !LedgerEntry.isEntry(type: type)
                    && query.draft.eventTypes.contains { $0.matches(type) }
            }.suffix(count)
            newest = PreviewAnswer.Newest()
            for entry in entries { newest?.add(entry.batch.events[entry.place].time) }
        }
        draft.state.withLock { $0.entries = entries }
        _ = try await draft.create(query.draft)
        if let newest {
            var answer = try PreviewAnswer(
                readings: try await draft.readings(query.readings),
                live: [],
                draft: []
            )
            (answer.newest, answer.position) = (newest, Position(UInt64(state.entries.count)))
            return answer
        }
        let isLive = state.meterTypes.contains { $0.key == query.draft.key }
        return try PreviewAnswer(
            readings: try await draft.readings(query.readings),
            live: isLive ? try await readings(query.comparison).readings : [],
            draft: try await draft.readings(query.comparison).readings
        )
    }
}
