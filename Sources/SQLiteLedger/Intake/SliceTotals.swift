internal import Metering
internal import MeteringEngine
internal import UsageModel

/// Where the events of a batch stand in the log.
enum EventPositions {
    /// All of them, one behind the other, from this one on.
    case dense(first: UInt64)
    /// Each by its place in the batch; 0 where the event was not accepted.
    case listed([UInt64])

    @inline(__always)
    subscript(place: Int) -> UInt64 {
        switch self {
        case .dense(let first): first + UInt64(place)
        case .listed(let positions): positions[place]
        }
    }
}

/// What a slice of a batch's events comes to over all subjects: a few cells, where the events are
/// of the same time, instead of one for each event.
///
/// Summed up on the caller's thread in the hope that no event of the batch is known; where one is,
/// the committer's side sums up anew. Positions are then counted from 1, see ``base``.
struct SliceTotals: Sendable {
    struct Cell: Sendable {
        var bucket: Int32
        /// The places in the batch's tuples and shapes.
        var tuple: UInt32
        var shape: UInt32
        /// Where its states begin, one for each lane of the shape.
        var firstState: Int
    }

    /// The events of a slice: readers wait no longer than it takes to add one.
    static let events = 256
    private static let slotCount = 1_024

    private(set) var cells: [Cell] = []
    private(set) var states: [MeterState] = []

    /// The slices of a batch, in order.
    static func all(of batch: PreparedBatch, at positions: EventPositions) -> [SliceTotals] {
        stride(from: 0, to: batch.events.count, by: events).map { start in
            SliceTotals(
                of: batch,
                start..<min(start + events, batch.events.count),
                at: positions
            )
        }
    }

    init(of batch: PreparedBatch, _ places: Range<Int>, at positions: EventPositions) {
        unsafe withUnsafeTemporaryAllocation(of: UInt16.self, capacity: Self.slotCount) { slots in
            unsafe slots.initialize(repeating: 0)
            unsafe batch.contributions.withUnsafeBufferPointer { contributions in
                for place in places where positions[place] != 0 {
                    unsafe add(batch, place, contributions, position: positions[place], slots)
                }
            }
        }
    }

    @inline(__always)
    private mutating func add(
        _ batch: PreparedBatch,
        _ place: Int,
        _ contributions: UnsafeBufferPointer<Contribution>,
        position: UInt64,
        _ slots: UnsafeMutableBufferPointer<UInt16>
    ) {
        let event = batch.events[place]
        let (bucket, time) = (event.bucket, event.time.microseconds)
        let first = Int(event.firstContribution)
        var (shape, tuple, states) = (UInt32.max, UInt32.max, 0)
        for index in first..<(first + Int(event.contributionCount)) {
            let one = unsafe contributions[index]
            guard one.unreadable == nil else { continue }
            if one.shape != shape || one.tuple != tuple {
                (shape, tuple) = (one.shape, one.tuple)
                states = unsafe cell(bucket, tuple, shape, batch, slots)
            }
            let state = MeterState(
                one.aggregation,
                mantissa: one.mantissa,
                time: time,
                position: position
            )
            self.states[states + Int(one.lane)].merge(state, one.aggregation)
        }
    }

    /// The states of a cell, which begins with none.
    private mutating func cell(
        _ bucket: Int32,
        _ tuple: UInt32,
        _ shape: UInt32,
        _ batch: PreparedBatch,
        _ slots: UnsafeMutableBufferPointer<UInt16>
    ) -> Int {
        let mixed = UInt64(tuple) << 32 | UInt64(UInt32(bitPattern: bucket) ^ shape &* 0x9E37_79B9)
        let hash = mixed &* 0x9E37_79B9_7F4A_7C15
        var slot = Int(truncatingIfNeeded: hash >> 32) & (Self.slotCount - 1)
        while unsafe slots[slot] != 0 {
            let known = cells[unsafe Int(slots[slot]) - 1]
            if known.bucket == bucket, known.tuple == tuple, known.shape == shape {
                return known.firstState
            }
            slot = (slot + 1) & (Self.slotCount - 1)
            // An event may have many tuples: then some cells are kept twice, and added twice.
            if cells.count >= Self.slotCount / 2 { break }
        }
        let first = states.count
        cells.append(Cell(bucket: bucket, tuple: tuple, shape: shape, firstState: first))
        if cells.count < Self.slotCount / 2 { unsafe slots[slot] = UInt16(cells.count) }
        let lanes = batch.shapes[Int(shape)].lanes.count
        states.append(contentsOf: repeatElement(MeterState(), count: lanes))
        return first
    }
}
