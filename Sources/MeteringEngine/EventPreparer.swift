internal import Expressions
internal import Metering
public import UsageModel
public import WireFormat

/// Measures decoded events: hashes their keys, and reads what each means to each meter type.
///
/// A value and a pure function of it; many threads use one at the same time.
public struct EventPreparer: Sendable {
    /// The ledger's own hash key.
    public let hashKey: SipHashKey
    public let catalog: MeterCatalog

    public init(hashKey: SipHashKey, catalog: MeterCatalog) {
        (self.hashKey, self.catalog) = (hashKey, catalog)
    }

    /// Prepares a call's events.
    ///
    /// - Parameters:
    ///   - arrival: The time of events that state none.
    ///   - arrivals: For events read back from the log, the arrival of each; empty where all came
    ///     at `arrival`.
    /// - Complexity: one pass over each event's data, and what the expressions of its meter types
    ///   cost; nothing is allocated per event beyond the arrays of the batch.
    public func prepare(
        _ decoded: consuming DecodedBatch,
        arrival: Instant,
        arrivals: [Instant] = []
    ) -> PreparedBatch {
        var measuring = BatchMeasuring(preparer: self, arrival: arrival, decoded: decoded)
        let bytes = measuring.readArrivals(arrivals) ?? decoded.bytes
        unsafe bytes.withUnsafeBytes { raw in
            unsafe measuring.measureAll(raw, arrivals: arrivals)
        }
        return measuring.batch
    }

    /// The same batch measured under another catalog.
    public func prepareAgain(_ batch: PreparedBatch) -> PreparedBatch {
        let decoded = DecodedBatch(
            bytes: batch.bytes,
            events: batch.events.map(\.decoded),
            rejected: batch.rejected
        )
        let arrivals = batch.events.map { $0.decoded.hasTime ? batch.arrival : $0.time }
        return prepare(decoded, arrival: batch.arrival, arrivals: arrivals)
    }

    public func key(source: String, id: String) -> KeyHash {
        let (source, id) = (Array(source.utf8), Array(id.utf8))
        return unsafe source.withUnsafeBytes { source in
            unsafe id.withUnsafeBytes { id in
                unsafe KeyHash(key: hashKey, source: source, id: id)
            }
        }
    }

    /// The hash that names are interned by.
    public func nameHash(_ name: [UInt8]) -> UInt64 {
        unsafe name.withUnsafeBytes { unsafe KeyHash(key: hashKey, bytes: $0).low }
    }
}

/// The loop over a batch, with its scratch space.
private struct BatchMeasuring {
    let preparer: EventPreparer
    var batch: PreparedBatch
    private var origins = LocalNames()
    private var tuples = LocalNames()
    private var plans: [TypePlan] = []
    /// For each plan, where the shapes of its groups begin.
    private var firstShapes: [UInt32] = []
    private var tuple: [UInt8] = []
    private var originBytes: [UInt8] = []
    private var tupleCache = TupleCache()
    private var verdicts = FilterVerdicts()
    private var scratch = ExpressionScratch()
    /// nil where no expression can ask for the arrival.
    private var arrivalTexts: ArrivalTexts?
    /// The origins that came by last, as they stand in the batch, and which one gives way next.
    private var recentOrigins: [(source: ByteSlice, type: ByteSlice, number: UInt32)] = []
    private var oldestOrigin = 0
    private static let recentOriginsMax = 4
    private var lateBounds = LateBounds()

    init(preparer: EventPreparer, arrival: Instant, decoded: borrowing DecodedBatch) {
        self.preparer = preparer
        batch = PreparedBatch(
            bytes: decoded.bytes,
            events: [],
            contributions: [],
            origins: [],
            tuples: [],
            shapes: [],
            elements: [],
            rejected: decoded.rejected,
            received: decoded.received,
            arrival: arrival,
            generation: preparer.catalog.generation,
            unreadable: 0
        )
        decodedEvents = decoded.events
        batch.events.reserveCapacity(decoded.events.count)
        batch.contributions.reserveCapacity(
            decoded.events.count * Swift.min(preparer.catalog.meterTypes.count, 8)
        )
        _ = tuples.number(of: Array("{}".utf8), hash: 0)
    }

    private let decodedEvents: [DecodedEvent]

    /// The bytes to measure in, if other than the batch's own: with the arrivals behind them.
    mutating func readArrivals(_ arrivals: [Instant]) -> [UInt8]? {
        guard preparer.catalog.hasExpressions, decodedEvents.contains(where: { !$0.hasTime })
        else { return nil }
        let known = arrivals.isEmpty ? [batch.arrival] : arrivals
        let texts = ArrivalTexts(behind: batch.bytes, known)
        arrivalTexts = texts
        return texts.bytes
    }

    mutating func measureAll(_ raw: UnsafeRawBufferPointer, arrivals: [Instant]) {
        for (index, decoded) in decodedEvents.enumerated() {
            let arrival = arrivals.isEmpty ? batch.arrival : arrivals[index]
            unsafe measure(decoded, raw, arrival: arrival, index)
        }
        batch.tuples = tuples.texts
        batch.judgesLateness = lateBounds.isAsked
    }

    private mutating func measure(
        _ decoded: DecodedEvent,
        _ raw: UnsafeRawBufferPointer,
        arrival: Instant,
        _ index: Int
    ) {
        let hashKey = preparer.hashKey
        lateBounds.arrival = arrival
        let time = decoded.hasTime ? decoded.time : arrival
        let origin = unsafe originNumber(decoded, raw)
        let subject = unsafe UnsafeRawBufferPointer(rebasing: raw[decoded.subject.range])
        var event = unsafe PreparedEvent(
            decoded: decoded,
            time: time,
            key: KeyHash(
                key: hashKey,
                source: UnsafeRawBufferPointer(rebasing: raw[decoded.source.range]),
                id: UnsafeRawBufferPointer(rebasing: raw[decoded.id.range])
            ),
            subjectHash: KeyHash(key: hashKey, bytes: subject).low,
            bucket: RollupBucket.index(of: time),
            origin: origin,
            firstContribution: UInt32(batch.contributions.count),
            contributionCount: 0,
            isCounted: false
        )
        let plan = plans[Int(origin)]
        if !plan.groups.isEmpty {
            let firstShape = firstShapes[Int(origin)]
            unsafe withUnsafeTemporaryAllocation(
                of: PathValue.self,
                capacity: Swift.max(plan.paths.count, 1)
            ) { slots in
                unsafe plan.paths.extract(decoded, bytes: raw, into: slots)
                if let computed = plan.computed {
                    verdicts.begin(computed.filters.count)
                    if computed.timeSlot >= 0, !decoded.hasTime, let arrivalTexts {
                        unsafe slots[computed.timeSlot] = arrivalTexts[index]
                    }
                }
                for index in plan.groups.indices {
                    let shape = firstShape + UInt32(truncatingIfNeeded: index)
                    unsafe measure(plan, index, shape, slots, raw, &event)
                }
            }
            event.contributionCount =
                UInt32(batch.contributions.count) - event.firstContribution
        }
        batch.events.append(event)
    }

    private mutating func originNumber(
        _ decoded: DecodedEvent,
        _ raw: UnsafeRawBufferPointer
    ) -> UInt32 {
        for recent in recentOrigins
        where unsafe TupleCache.areEqual(recent.source, decoded.source, raw)
            && TupleCache.areEqual(recent.type, decoded.type, raw)
        {
            return recent.number
        }
        // Length-prefixed, so that no two pairs join to one text.
        originBytes.removeAll(keepingCapacity: true)
        originBytes.append(UInt8(truncatingIfNeeded: decoded.source.count))
        originBytes.append(UInt8(truncatingIfNeeded: decoded.source.count >> 8))
        unsafe originBytes.append(contentsOf: raw[decoded.source.range])
        unsafe originBytes.append(contentsOf: raw[decoded.type.range])
        let number = origins.number(of: originBytes, hash: preparer.nameHash(originBytes))
        if Int(number) == plans.count {
            let type = unsafe Array(raw[decoded.type.range])
            let source = unsafe Array(raw[decoded.source.range])
            batch.origins.append(PreparedBatch.Origin(source: source, type: type))
            add(preparer.catalog.plan(for: type))
        }
        if recentOrigins.count < Self.recentOriginsMax {
            recentOrigins.append((decoded.source, decoded.type, number))
        } else {
            recentOrigins[oldestOrigin] = (decoded.source, decoded.type, number)
            oldestOrigin = (oldestOrigin + 1) % Self.recentOriginsMax
        }
        return number
    }

    /// Takes in a plan; one that a type before had as well shares its shapes.
    private mutating func add(_ plan: TypePlan) {
        if let same = plans.firstIndex(where: { $0 === plan }) {
            firstShapes.append(firstShapes[same])
        } else {
            firstShapes.append(UInt32(truncatingIfNeeded: batch.shapes.count))
            batch.shapes += plan.shapes
        }
        plans.append(plan)
    }

    @inline(__always)
    private mutating func measure(
        _ plan: TypePlan,
        _ place: Int,
        _ shape: UInt32,
        _ slots: UnsafeMutableBufferPointer<PathValue>,
        _ raw: UnsafeRawBufferPointer,
        _ event: inout PreparedEvent
    ) {
        let (group, id, computed) = (plan.groups[place], UInt64(shape), plan.computed)
        var number: UInt32 = 0
        var tupleFault: UnreadableReason?
        // A tuple that no filter lets through is not read, so that its name is not kept.
        var isTupleRead = group.pieces.isEmpty
        for lane in group.programs.indices {
            let program = group.programs[lane]
            guard event.time >= program.activeFrom && event.time < program.activeTo else {
                continue
            }
            var fault: UnreadableReason? = program.isBroken ? .expressionInvalid : nil
            if program.filter >= 0, let computed {
                switch unsafe verdicts.verdict(
                    program.filter,
                    of: computed.filters,
                    slots,
                    raw,
                    &scratch
                ) {
                case .holds, .unknown: break
                case .fails: continue
                case .unreadable(let reason): fault = fault ?? reason
                }
            }
            if program.lateness >= 0, lateBounds.isLate(event.time, plan, program.lateness) {
                fault = fault ?? .periodClosed
            }
            if !isTupleRead, fault == nil {
                tupleFault = unsafe readTuple(group, id, computed, slots, raw, &number)
                isTupleRead = true
            }
            var contribution = Contribution(
                meter: program.meter,
                tuple: number,
                mantissa: 0,
                shape: shape,
                lane: UInt16(truncatingIfNeeded: lane),
                aggregation: program.aggregation,
                unreadable: fault ?? tupleFault,
                firstElement: UInt32(batch.elements.count),
                elementCount: 0
            )
            if contribution.unreadable == nil {
                contribution.unreadable =
                    unsafe readValue(program, computed, slots, raw, &contribution)
            }
            add(contribution, to: &event)
        }
    }

    @inline(__always)
    private mutating func add(_ contribution: Contribution, to event: inout PreparedEvent) {
        if contribution.unreadable == nil {
            event.isCounted = true
        } else {
            batch.unreadable += 1
        }
        batch.contributions.append(contribution)
    }

    @inline(__always)
    private mutating func readValue(
        _ program: TypePlan.Program,
        _ computed: ComputedParts?,
        _ slots: UnsafeMutableBufferPointer<PathValue>,
        _ raw: UnsafeRawBufferPointer,
        _ contribution: inout Contribution
    ) -> UnreadableReason? {
        if program.aggregation == .uniquePairs {
            let fault = unsafe appendPair(
                of: program,
                computed,
                slots,
                raw,
                &scratch,
                key: preparer.hashKey,
                to: &batch.elements
            )
            contribution.elementCount = fault == nil ? 1 : 0
            return fault
        }
        if program.value.slot >= 0 {
            let value = unsafe slots[program.value.slot]
            return program.aggregation == .unique
                ? unsafe readElements(value, raw, &contribution)
                : unsafe readNumber(value, raw, program.excessDigits, &contribution)
        }
        guard program.value.expression >= 0, let computed else { return nil }
        let value = computed.values[program.value.expression]
        guard program.aggregation == .unique else {
            return unsafe readNumber(value, slots, raw, &scratch, &contribution)
        }
        let fault = unsafe appendElement(
            value,
            slots,
            raw,
            &scratch,
            key: preparer.hashKey,
            to: &batch.elements
        )
        contribution.elementCount = fault == nil ? 1 : 0
        return fault
    }

    @inline(__always)
    private mutating func readTuple(
        _ group: TypePlan.Group,
        _ id: UInt64,
        _ computed: ComputedParts?,
        _ slots: UnsafeMutableBufferPointer<PathValue>,
        _ raw: UnsafeRawBufferPointer,
        _ number: inout UInt32
    ) -> UnreadableReason? {
        if let known = unsafe tupleCache.find(group, id: id, slots, raw) {
            number = known
            return nil
        }
        if let fault = unsafe spellTuple(group, computed, slots, raw) { return fault }
        number = tuples.number(of: tuple, hash: preparer.nameHash(tuple))
        unsafe tupleCache.remember(number, group, id: id, slots, raw)
        return nil
    }

    private mutating func spellTuple(
        _ group: TypePlan.Group,
        _ computed: ComputedParts?,
        _ slots: UnsafeMutableBufferPointer<PathValue>,
        _ raw: UnsafeRawBufferPointer
    ) -> UnreadableReason? {
        var reason: UnreadableReason?
        tuple.removeAll(keepingCapacity: true)
        for piece in group.pieces {
            tuple.append(contentsOf: piece.prefix)
            var fault: UnreadableReason?
            if piece.slot >= 0 {
                fault = unsafe appendDimension(slots[piece.slot], raw, to: &tuple)
            } else if piece.expression >= 0, let computed {
                let value = computed.values[piece.expression]
                fault = unsafe appendDimension(value, slots, raw, &scratch, to: &tuple)
            } else {
                fault = .expressionInvalid
            }
            reason = reason ?? fault
        }
        tuple.append(UInt8(ascii: "}"))
        return reason
    }

    private mutating func readElements(
        _ value: PathValue,
        _ raw: UnsafeRawBufferPointer,
        _ contribution: inout Contribution
    ) -> UnreadableReason? {
        let first = batch.elements.count
        let fault = unsafe appendElements(value, raw, key: preparer.hashKey, to: &batch.elements)
        if fault != nil {
            batch.elements.removeLast(batch.elements.count - first)
        }
        contribution.elementCount = UInt32(batch.elements.count - first)
        return fault
    }
}
