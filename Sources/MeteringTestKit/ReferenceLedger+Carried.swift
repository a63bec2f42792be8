internal import Metering
internal import MeteringEngine
internal import UsageModel

// What reaches beyond its events: series of samples, and the stretches of time in which they count.
extension ReferenceLedger {
    /// The stretches in which a version counts a subject: asked at each instant at which anything
    /// that was said begins or ends.
    ///
    /// - Parameter effective: The times that matter.
    static func stretches(
        _ meterType: MeterType,
        _ effective: Range<Instant>,
        _ subject: String,
        _ said: [Said]
    ) -> [Range<Instant>] {
        var edges = [effective.lowerBound, effective.upperBound]
        for one in said where one.id.meterType == meterType.key && one.id.subject == subject {
            switch one.word {
            case .dates(let enrolment, _):
                edges += [enrolment.start, enrolment.end].compactMap(\.self)
            case .standing(let change): edges += [change.from, change.to].compactMap(\.self)
            }
        }
        edges = Set(edges).filter { $0 == effective.upperBound || effective.contains($0) }.sorted()
        var stretches: [Range<Instant>] = []
        for (start, end) in zip(edges, edges.dropFirst())
        where counts(meterType.definition, subject, start, said) {
            if let last = stretches.last, last.upperBound == start {
                stretches[stretches.count - 1] = last.lowerBound..<end
            } else {
                stretches.append(start..<end)
            }
        }
        return stretches
    }

    /// What each series is worth in the windows, added up by group.
    func addCarried(
        _ uses: [Use],
        _ windows: [Range<Instant>],
        _ query: UsageQuery,
        _ names: [String],
        _ meterType: MeterType,
        _ state: State,
        to rows: inout Rows
    ) {
        struct Key: Hashable {
            var dimensions: [String: String]
            var subject: String
            var stretch: Range<Instant>
        }
        let asked = uses.filter { query.subjects.isEmpty || query.subjects.contains($0.subject) }
        let series = Dictionary(grouping: asked) { use in
            Key(dimensions: use.dimensions, subject: use.subject, stretch: use.stretch)
        }
        let showsSubject = query.groupBy.contains(.subject) || !query.subjects.isEmpty
        let showsCustomer = query.groupBy.contains(.customer) || !query.customers.isEmpty
        let wanted = query.customers.map(\.text)
        for (key, uses) in series {
            let end = min(key.stretch.upperBound, meterType.definition.activeTo ?? .end)
            let stretch = key.stretch.lowerBound..<max(key.stretch.lowerBound, end)
            let asOf = query.asOf.map { Int($0.value) }
            let owned =
                showsCustomer
                ? state.owned(key.subject, within: stretch, asOf: asOf) : [(stretch, nil)]
            for (part, owner) in owned where wanted.isEmpty || wanted.contains(owner ?? "") {
                let subject = showsSubject ? key.subject : nil
                let groups = [owner, subject] + names.map { key.dimensions[$0] }
                add(uses, part, windows, meterType, query.carriedUntil, groups, to: &rows)
            }
        }
    }

    private func add(
        _ uses: [Use],
        _ part: Range<Instant>,
        _ windows: [Range<Instant>],
        _ meterType: MeterType,
        _ carriedUntil: Instant,
        _ groups: [String?],
        to rows: inout Rows
    ) {
        guard let end = windows.last?.upperBound else { return }
        let aggregation = meterType.definition.aggregation
        let edges = (windows.map(\.lowerBound) + [end]).map { edge in
            min(max(edge, Instant.reach.lowerBound), Instant.reach.upperBound).microseconds
        }
        var series = SampleSeries(aggregation)
        for use in uses {
            var state = use.fold.state
            state.time = 0
            series.add(state, at: use.time.microseconds)
        }
        let folds = series.folds(
            over: edges,
            within: part.lowerBound.microseconds..<part.upperBound.microseconds,
            until: meterType.carries(until: carriedUntil).microseconds,
            carryMax: meterType.definition.carryMax?.microseconds
        )
        for (window, fold) in folds {
            let row = UsageReading.OrderKey(
                start: windows[window].lowerBound,
                meterType: meterType.key,
                groups: groups
            )
            rows[row, default: MeterFold()].merge(fold, aggregation)
        }
    }
}

extension ReferenceLedger.State {
    /// The parts of a stretch that a subject had one owner in, or none.
    func owned(
        _ subject: String,
        within stretch: Range<Instant>,
        asOf position: Int?
    ) -> [(Range<Instant>, owner: String?)] {
        let ownerships = Set(customers.map(\.customer.key))
            .compactMap { customer($0, asOf: position) }.flatMap(\.ownerships)
        let bounds = ownerships.filter { $0.subject == subject }
            .flatMap { [$0.range.lowerBound, $0.range.upperBound] }
        let inside = bounds.filter { stretch.contains($0) }
        let edges = Set(inside + [stretch.lowerBound, stretch.upperBound]).sorted()
        return zip(edges, edges.dropFirst()).map { start, end in
            (start..<end, owner(of: subject, at: start, asOf: position)?.text)
        }
    }
}
