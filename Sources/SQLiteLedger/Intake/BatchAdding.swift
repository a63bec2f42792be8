internal import Metering
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

/// Adds one batch's events to the tables: names are looked up once per batch where they repeat.
struct BatchAdding {
    private let batch: PreparedBatch
    private let nameHash: ([UInt8]) -> UInt64
    private var tupleNames: [UInt32]
    /// The numbers of the subjects of a slice's events.
    private var subjects: [UInt32] = []
    /// One for each tuple of each of a slice's events, in order.
    private var known: [CellPlace] = []

    private struct CellPlace {
        var subject: UInt32
        var bucket: Int32
        var dimensions: UInt32
        var cell: CellTable.CellRef?
    }

    init(batch: PreparedBatch, nameHash: @escaping ([UInt8]) -> UInt64) {
        (self.batch, self.nameHash) = (batch, nameHash)
        tupleNames = [UInt32](repeating: .max, count: batch.tuples.count)
        // The empty tuple is no name: meters without dimensions share the number 0.
        if !tupleNames.isEmpty { tupleNames[0] = 0 }
    }

    /// Adds a slice of the events.
    ///
    /// What the events will meet in the tables is touched before, for all of them: a third of the
    /// time would go into waiting for memory, one event after the other.
    mutating func add(
        _ places: Range<Int>,
        position: (Int) -> UInt64,
        to tables: inout DerivedState.Tables
    ) {
        nameSubjects(places, position: position, in: &tables)
        touchCells(places, position: position, in: &tables)
        var tuples = 0
        for place in places {
            let at = position(place)
            let subject = subjects[place - places.lowerBound]
            if at != 0 { add(place, subject, position: at, &tuples, to: &tables) }
        }
    }

    /// Finds the cells of a slice's events, as far as there are any.
    private mutating func touchCells(
        _ places: Range<Int>,
        position: (Int) -> UInt64,
        in tables: inout DerivedState.Tables
    ) {
        known.removeAll(keepingCapacity: true)
        var isSound = true
        for place in places where position(place) != 0 {
            let subject = subjects[place - places.lowerBound]
            let bucket = batch.events[place].bucket
            let first = Int(batch.events[place].firstContribution)
            var tuple = UInt32.max
            for place in first..<(first + Int(batch.events[place].contributionCount)) {
                let contribution = batch.contributions[place]
                guard contribution.tuple != tuple, contribution.unreadable == nil else { continue }
                tuple = contribution.tuple
                let place = CellPlace(
                    subject: subject,
                    bucket: bucket,
                    dimensions: name(of: tuple, in: &tables)
                )
                known.append(place)
                let isThere = tables.cells.touch(
                    CellKind.usage,
                    subject: subject,
                    bucket: bucket,
                    dimensions: place.dimensions
                )
                isSound = isSound && isThere
            }
        }
        precondition(isSound, "a slot that refers to nothing")
        for index in known.indices {
            known[index].cell = tables.cells.find(
                CellKind.usage,
                subject: known[index].subject,
                bucket: known[index].bucket,
                dimensions: known[index].dimensions
            )
        }
    }

    private mutating func nameSubjects(
        _ places: Range<Int>,
        position: (Int) -> UInt64,
        in tables: inout DerivedState.Tables
    ) {
        var isSound = true
        for place in places {
            let isThere = tables.names.touch(hash: batch.events[place].subjectHash)
            isSound = isSound && isThere
        }
        precondition(isSound, "a slot that refers to nothing")
        subjects.removeAll(keepingCapacity: true)
        unsafe batch.bytes.withUnsafeBytes { raw in
            for place in places {
                guard position(place) != 0 else {
                    subjects.append(0)
                    continue
                }
                let event = batch.events[place]
                let subject = unsafe tables.names.intern(
                    UnsafeRawBufferPointer(rebasing: raw[event.decoded.subject.range]),
                    hash: event.subjectHash
                )
                subjects.append(subject)
            }
        }
    }

    private mutating func add(
        _ place: Int,
        _ subject: UInt32,
        position: UInt64,
        _ tuples: inout Int,
        to tables: inout DerivedState.Tables
    ) {
        let bucket = batch.events[place].bucket
        let time = batch.events[place].time.microseconds
        let first = Int(batch.events[place].firstContribution)
        let count = Int(batch.events[place].contributionCount)
        let cells = tables.cells
        var tuple = UInt32.max
        var one = CellTable.CellRef()
        var all = CellTable.CellRef()
        for place in first..<(first + count) {
            let contribution = batch.contributions[place]
            guard contribution.unreadable == nil else { continue }
            if contribution.tuple != tuple {
                tuple = contribution.tuple
                let dimensions = known[tuples].dimensions
                one =
                    known[tuples].cell
                    ?? cells.cell(
                        CellKind.usage,
                        subject: subject,
                        bucket: bucket,
                        dimensions: dimensions
                    )
                tuples += 1
                all = cells.cell(
                    CellKind.usage,
                    subject: CellKind.allSubjects,
                    bucket: bucket,
                    dimensions: dimensions
                )
            }
            let (meter, aggregation) = (contribution.meter, contribution.aggregation)
            let state = MeterState(
                aggregation,
                mantissa: contribution.mantissa,
                time: time,
                position: position
            )
            cells.merge(one, meter: meter, state: state, aggregation: aggregation)
            cells.merge(all, meter: meter, state: state, aggregation: aggregation)
            if aggregation == .unique {
                addElements(contribution, subject, bucket, tupleNames[Int(tuple)], &tables)
            }
        }
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
        let first = Int(contribution.firstElement)
        for element in batch.elements[first..<(first + Int(contribution.elementCount))] {
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
}
