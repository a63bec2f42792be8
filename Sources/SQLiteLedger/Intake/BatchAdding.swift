internal import Metering
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

/// Adds one batch's events to the tables: names and shapes are looked up once per batch where they
/// repeat.
struct BatchAdding {
    private let batch: PreparedBatch
    private let nameHash: ([UInt8]) -> UInt64
    private var tupleNames: [UInt32]
    /// For each shape of the batch its number in the table, and its lanes; made when first met.
    private var shapes: [Shape?]
    /// The numbers of the subjects of a slice's events.
    private var subjects: [UInt32] = []

    /// What is asked for at one time stays in the first cache until it is met.
    private static let prefetchedEvents = 32

    private struct Shape {
        var number: UInt16
        var lanes: [CellShape.Lane]
    }

    init(batch: PreparedBatch, nameHash: @escaping ([UInt8]) -> UInt64) {
        (self.batch, self.nameHash) = (batch, nameHash)
        tupleNames = [UInt32](repeating: .max, count: batch.tuples.count)
        shapes = [Shape?](repeating: nil, count: batch.shapes.count)
        // The empty tuple is no name: meters without dimensions share the number 0.
        if !tupleNames.isEmpty { tupleNames[0] = 0 }
    }

    /// Adds a slice of the events.
    ///
    /// What some events will meet in the tables is asked for before, for all of them: a third of
    /// the time would go into waiting for memory, one event after the other.
    ///
    /// - Parameters:
    ///   - totals: Of the same events.
    ///   - base: What the positions in the totals are to be raised by.
    mutating func add(
        _ places: Range<Int>,
        at positions: EventPositions,
        _ totals: SliceTotals,
        base: UInt64,
        to tables: inout DerivedState.Tables
    ) {
        var start = places.lowerBound
        while start < places.upperBound {
            let end = min(start + Self.prefetchedEvents, places.upperBound)
            nameSubjects(start..<end, at: positions, in: &tables)
            prefetchCells(start..<end, at: positions, in: &tables)
            for place in start..<end where positions[place] != 0 {
                let subject = subjects[place - start]
                add(place, subject, position: positions[place], to: &tables)
            }
            start = end
        }
        add(totals, base: base, to: &tables)
    }

    private mutating func nameSubjects(
        _ places: Range<Int>,
        at positions: EventPositions,
        in tables: inout DerivedState.Tables
    ) {
        let names = tables.names
        for place in places { names.prefetchSlot(hash: batch.events[place].subjectHash) }
        for place in places { names.prefetchName(hash: batch.events[place].subjectHash) }
        subjects.removeAll(keepingCapacity: true)
        unsafe batch.bytes.withUnsafeBytes { raw in
            for place in places {
                guard positions[place] != 0 else {
                    subjects.append(0)
                    continue
                }
                let event = batch.events[place]
                let subject = unsafe names.intern(
                    UnsafeRawBufferPointer(rebasing: raw[event.decoded.subject.range]),
                    hash: event.subjectHash
                )
                subjects.append(subject)
            }
        }
    }

    /// Asks for the cells of a slice's events: for the slots first, then for what they refer to.
    private mutating func prefetchCells(
        _ places: Range<Int>,
        at positions: EventPositions,
        in tables: inout DerivedState.Tables
    ) {
        let cells = tables.cells
        for findsCells in [false, true] {
            for place in places where positions[place] != 0 {
                let event = batch.events[place]
                let subject = subjects[place - places.lowerBound]
                let first = Int(event.firstContribution)
                var tuple = UInt32.max
                for index in first..<(first + Int(event.contributionCount)) {
                    let next = batch.contributions[index].tuple
                    guard next != tuple else { continue }
                    tuple = next
                    // A tuple that is new has no cell yet.
                    let name = tupleNames[Int(tuple)]
                    guard name != .max else { continue }
                    if findsCells {
                        cells.prefetchCell(
                            CellKind.usage,
                            subject: subject,
                            bucket: event.bucket,
                            dimensions: name
                        )
                    } else {
                        cells.prefetchSlot(
                            CellKind.usage,
                            subject: subject,
                            bucket: event.bucket,
                            dimensions: name
                        )
                    }
                }
            }
        }
    }

    private mutating func add(
        _ place: Int,
        _ subject: UInt32,
        position: UInt64,
        to tables: inout DerivedState.Tables
    ) {
        let event = batch.events[place]
        let time = event.time.microseconds
        let first = Int(event.firstContribution)
        var (shape, tuple) = (UInt32.max, UInt32.max)
        var cell = CellTable.CellRef()
        var dimensions: UInt32 = 0
        for index in first..<(first + Int(event.contributionCount)) {
            let one = batch.contributions[index]
            guard one.unreadable == nil else { continue }
            if one.shape != shape || one.tuple != tuple {
                (shape, tuple) = (one.shape, one.tuple)
                dimensions = name(of: tuple, in: &tables)
                cell = tables.cells.cell(
                    CellKind.usage,
                    subject: subject,
                    bucket: event.bucket,
                    dimensions: dimensions,
                    shape: number(of: shape, in: tables)
                )
            }
            tables.cells.add(
                cell,
                shapes[Int(shape)]!.number,
                shapes[Int(shape)]!.lanes[Int(one.lane)],
                mantissa: one.mantissa,
                time: time,
                position: position
            )
            if one.aggregation.hasElements {
                addElements(one, subject, event.bucket, dimensions, &tables)
            } else if one.aggregation.isCarried {
                let place = (subject, event.bucket, dimensions)
                addSample(one, place, time: time, position: position, &tables)
            }
        }
    }

    private mutating func add(
        _ totals: SliceTotals,
        base: UInt64,
        to tables: inout DerivedState.Tables
    ) {
        for total in totals.cells {
            let cell = tables.cells.cell(
                CellKind.usage,
                subject: CellKind.allSubjects,
                bucket: total.bucket,
                dimensions: name(of: total.tuple, in: &tables),
                shape: number(of: total.shape, in: tables)
            )
            for (place, lane) in batch.shapes[Int(total.shape)].lanes.enumerated() {
                var state = totals.states[total.firstState + place]
                guard state.count != 0 else { continue }
                if state.position != 0 { state.position += base }
                tables.cells.merge(
                    cell,
                    meter: lane.meter,
                    state: state,
                    aggregation: lane.aggregation
                )
            }
        }
    }

    private mutating func number(of shape: UInt32, in tables: DerivedState.Tables) -> UInt16 {
        if let known = shapes[Int(shape)] { return known.number }
        let made = batch.shapes[Int(shape)]
        let number = tables.cells.shape(made)
        shapes[Int(shape)] = Shape(number: number, lanes: CellShape(made).lanes)
        return number
    }

    private mutating func name(of tuple: UInt32, in tables: inout DerivedState.Tables) -> UInt32 {
        let known = tupleNames[Int(tuple)]
        if known != .max { return known }
        let text = batch.tuples[Int(tuple)]
        let name = tables.names.intern(text, hash: nameHash(text))
        tupleNames[Int(tuple)] = name
        return name
    }

    private func addElements(
        _ contribution: Contribution,
        _ subject: UInt32,
        _ bucket: Int32,
        _ dimensions: UInt32,
        _ tables: inout DerivedState.Tables
    ) {
        batch.forEachElement(of: contribution) { element in
            for owner in [subject, CellKind.allSubjects] {
                tables.cells.mergeElement(
                    subject: owner,
                    bucket: bucket,
                    dimensions: dimensions,
                    meter: contribution.meter,
                    element: element,
                    count: 1
                )
            }
        }
    }

    private func addSample(
        _ contribution: Contribution,
        _ place: (subject: UInt32, bucket: Int32, dimensions: UInt32),
        time: Int64,
        position: UInt64,
        _ tables: inout DerivedState.Tables
    ) {
        let aggregation = contribution.aggregation
        // What series are worth cannot be told from all of them together.
        let owners =
            aggregation.hasSeries ? [place.subject] : [place.subject, CellKind.allSubjects]
        for owner in owners {
            tables.cells.mergeSample(
                subject: owner,
                bucket: place.bucket,
                dimensions: place.dimensions,
                meter: contribution.meter,
                element: KeyHash(microseconds: time),
                state: MeterState(
                    sampleOf: aggregation,
                    mantissa: contribution.mantissa,
                    position: position
                ),
                aggregation: aggregation
            )
        }
    }
}
