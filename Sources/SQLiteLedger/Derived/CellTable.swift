import CPrefetch
import Metering
import MeteringEngine
import UsageModel

/// The newest rollup cells, in memory.
///
/// Records lie in one arena. A cell is made in the shape of the meters that read its first event:
/// their states stand within it, in as few cache lines as they fit into. States of other meters are
/// records of their own, in a chain. Cells of one kind and subject form a chain, newest first,
/// which is what a reading walks. Nothing is allocated per cell, and nothing ever moves.
///
/// Not for two threads at a time, but see ``freeze()``.
///
/// `@unchecked`: the compiler cannot see that flat memory which nobody writes is safe to share. The
/// ledger changes a table only under its lock, and lends it to others only once it is frozen.
@safe final class CellTable: @unchecked Sendable {
    /// The name of a cell of this table, good for as long as the table.
    struct CellRef: Hashable, Sendable {
        fileprivate let reference: UInt32

        /// No cell: a place to keep one in.
        init() { reference = 0 }

        fileprivate init(reference: UInt32) { self.reference = reference }
    }

    // The first six fields of every record that the slots refer to, so that one table serves all.
    struct Record {
        var subject: UInt32
        var bucket: Int32
        var dimensions: UInt32
        /// The kind of a cell; with ``headFlag``, the head of the chain of a kind and subject.
        var kind: UInt16
        /// The number of the cell's shape.
        var shape: UInt16 = 0
        /// The next cell of the chain; of a head, the next head.
        var next: UInt32
        /// A cell's first state beside its lanes; a head's newest cell; an element's meter.
        var first: UInt32

        static let headFlag: UInt16 = 0x100
    }

    struct ElementRecord {
        var cell: Record
        var element: KeyHash
        var count: Int64
    }

    /// Begins as an ``ElementRecord`` does.
    struct SampleRecord {
        var cell: Record
        var element: KeyHash
        var state: MeterState
    }

    struct StateRecord {
        var state: MeterState
        var meter: UInt32
        var next: UInt32
    }

    struct Fields {
        var cells = 0
        var isFrozen = false
        /// The newest head; the heads form a chain of their own.
        var heads: UInt32 = 0
        /// The heads that were found last, of one subject and of all: an event asks for them by
        /// turns.
        var lastHeads = (KnownHead(), KnownHead())
    }

    struct KnownHead {
        var kind: UInt16 = 0
        var subject: UInt32 = 0
        var reference: UInt32 = 0
    }

    /// What ``bytes`` may reach before the table is full.
    let bytesMax: Int
    let arena: FlatArena
    let slots: SlotTable
    let fields: UnsafeMutablePointer<Fields>
    /// The shapes that cells are made in; the first has no lanes.
    private(set) var shapes = [CellShape(MeterShape(lanes: []))]
    private var shapeNumbers: [MeterShape: UInt16] = [:]
    private static let shapesMax = Int(UInt16.max)

    /// - Parameter bytesMax: The memory after which ``isFull`` says so. The table itself goes on:
    ///   whoever fills it asks between groups of events.
    init(bytesMax: Int) {
        self.bytesMax = bytesMax
        unsafe arena = FlatArena()
        unsafe slots = SlotTable()
        unsafe fields = .allocate(capacity: 1)
        unsafe fields.initialize(to: Fields())
    }

    deinit {
        unsafe arena.free()
        unsafe slots.free()
        unsafe fields.deallocate()
    }

    /// The number of cells, elements included.
    var count: Int { unsafe fields.pointee.cells }
    /// The memory taken up, in bytes.
    var bytes: Int { unsafe arena.bytes + slots.bytes }
    var isFull: Bool { bytes >= bytesMax }
    var isFrozen: Bool { unsafe fields.pointee.isFrozen }

    /// Ends all changing: from here on the table may be read from any thread.
    func freeze() { unsafe fields.pointee.isFrozen = true }

    /// The number of a shape, for cells to be made in. Past 65,535 of them it is the one without
    /// lanes.
    func shape(_ shape: MeterShape) -> UInt16 {
        if let known = shapeNumbers[shape] { return known }
        guard shapes.count < Self.shapesMax else { return 0 }
        let number = UInt16(shapes.count)
        shapes.append(CellShape(shape))
        shapeNumbers[shape] = number
        return number
    }

    /// Finds or makes the cell of kind 0 or 1.
    ///
    /// - Parameter shape: What it is made in, if it is made.
    @inline(__always)
    func cell(
        _ kind: UInt8,
        subject: UInt32,
        bucket: Int32,
        dimensions: UInt32,
        shape: UInt16 = 0
    ) -> CellRef {
        let hash = Self.hash(UInt16(kind), subject, bucket, dimensions)
        let known = find(hash, kind, subject: subject, bucket: bucket, dimensions: dimensions)
        if let known { return known }
        return make(hash, kind, subject, bucket, dimensions, shape)
    }

    private func make(
        _ hash: UInt64,
        _ kind: UInt8,
        _ subject: UInt32,
        _ bucket: Int32,
        _ dimensions: UInt32,
        _ shape: UInt16
    ) -> CellRef {
        let cell = Record(
            subject: subject,
            bucket: bucket,
            dimensions: dimensions,
            kind: UInt16(kind),
            shape: shape,
            next: 0,
            first: 0
        )
        precondition(kind < CellKey.element, "elements are merged by mergeElement")
        let words = shapes[Int(shape)].words
        let bytes = MemoryLayout<Record>.size + words * 8
        let reference = unsafe arena.reserve(bytes: bytes, inLines: true)
        let record = unsafe arena.pointer(reference, as: Record.self)
        unsafe record.initialize(to: cell)
        unsafe Self.lanes(record).initialize(repeating: 0, count: words)
        link(reference, hash)
        return CellRef(reference: reference)
    }

    /// The cell of kind 0 or 1, if there is one already.
    func find(_ kind: UInt8, subject: UInt32, bucket: Int32, dimensions: UInt32) -> CellRef? {
        let hash = Self.hash(UInt16(kind), subject, bucket, dimensions)
        return find(hash, kind, subject: subject, bucket: bucket, dimensions: dimensions)
    }

    @inline(__always)
    private func find(
        _ hash: UInt64,
        _ kind: UInt8,
        subject: UInt32,
        bucket: Int32,
        dimensions: UInt32
    ) -> CellRef? {
        let found = unsafe slots.find(hash) { reference in
            let cell = unsafe arena.pointer(reference, as: Record.self)
            return unsafe cell.pointee.subject == subject && cell.pointee.bucket == bucket
                && cell.pointee.dimensions == dimensions && cell.pointee.kind == UInt16(kind)
        }
        return found == 0 ? nil : CellRef(reference: found)
    }

    /// Asks for the slot of a cell; see ``SlotTable/prefetch(_:)``.
    @inline(__always)
    func prefetchSlot(_ kind: UInt8, subject: UInt32, bucket: Int32, dimensions: UInt32) {
        unsafe slots.prefetch(Self.hash(UInt16(kind), subject, bucket, dimensions))
    }

    /// Asks for a cell, whose slot was asked for before.
    @inline(__always)
    func prefetchCell(_ kind: UInt8, subject: UInt32, bucket: Int32, dimensions: UInt32) {
        let hash = Self.hash(UInt16(kind), subject, bucket, dimensions)
        let reference = unsafe slots.candidate(hash)
        guard reference != 0 else { return }
        let record = unsafe UnsafeRawPointer(arena.pointer(reference, as: Record.self))
        unsafe prefetch_line(record)
        unsafe prefetch_line(record + 64)
    }

    /// Adds one event to a cell.
    ///
    /// - Parameters:
    ///   - shape: The number of the shape that the lane is one of.
    ///   - lane: Where a cell of that shape keeps the meter's state.
    @inline(__always)
    func add(
        _ cell: CellRef,
        _ shape: UInt16,
        _ lane: CellShape.Lane,
        mantissa: Int128,
        time: Int64,
        position: UInt64
    ) {
        let record = unsafe arena.pointer(cell.reference, as: Record.self)
        if unsafe record.pointee.shape == shape, shape != 0 {
            let state = unsafe StateLane(words: Self.lanes(record) + lane.offset)
            return unsafe state.add(
                lane.aggregation,
                mantissa: mantissa,
                time: time,
                position: position
            )
        }
        let state = MeterState(
            lane.aggregation,
            mantissa: mantissa,
            time: time,
            position: position
        )
        merge(cell, meter: lane.meter, state: state, aggregation: lane.aggregation)
    }

    /// Merges a state into a cell's state of the same meter; makes that if the cell has none.
    func merge(_ cell: CellRef, meter: UInt32, state: MeterState, aggregation: Aggregation) {
        let head = unsafe arena.pointer(cell.reference, as: Record.self)
        for lane in unsafe shapes[Int(head.pointee.shape)].lanes where lane.meter == meter {
            return unsafe StateLane(words: Self.lanes(head) + lane.offset)
                .merge(state, aggregation)
        }
        var (tail, next) = unsafe (UInt32(0), head.pointee.first)
        while next != 0 {
            let record = unsafe stateRecord(next)
            if unsafe record.pointee.meter == meter {
                return unsafe record.pointee.state.merge(state, aggregation)
            }
            tail = next
            next = unsafe record.pointee.next
        }
        unsafe append(state, meter, to: head, after: tail)
    }

    /// Where the states of a cell's shape stand.
    @inline(__always)
    static func lanes(_ record: UnsafeMutablePointer<Record>) -> UnsafeMutablePointer<UInt64> {
        unsafe UnsafeMutableRawPointer(record + 1).assumingMemoryBound(to: UInt64.self)
    }

    @inline(__always)
    func stateRecord(_ reference: UInt32) -> UnsafeMutablePointer<StateRecord> {
        unsafe arena.pointer(reference, as: StateRecord.self)
    }

    private func append(
        _ state: MeterState,
        _ meter: UInt32,
        to head: UnsafeMutablePointer<Record>,
        after tail: UInt32
    ) {
        precondition(unsafe !fields.pointee.isFrozen, "a frozen table is only read")
        let record = unsafe arena.append(StateRecord(state: state, meter: meter, next: 0))
        if tail == 0 {
            unsafe head.pointee.first = record
        } else {
            unsafe stateRecord(tail).pointee.next = record
        }
    }

    /// Enters a cell into the slots and into its chain.
    func link(_ reference: UInt32, _ hash: UInt64) {
        precondition(unsafe !fields.pointee.isFrozen, "a frozen table is only read")
        unsafe slots.insert(hash, reference)
        unsafe fields.pointee.cells += 1
        let cell = unsafe arena.pointer(reference, as: Record.self)
        let (kind, subject) = unsafe (cell.pointee.kind | Record.headFlag, cell.pointee.subject)
        let known = unsafe subject == 0 ? fields.pointee.lastHeads.0 : fields.pointee.lastHeads.1
        let isKnown = known.kind == kind && known.subject == subject
        var head = isKnown ? known.reference : self.head(kind, subject)
        if head == 0 {
            let record = unsafe Record(
                subject: subject,
                bucket: 0,
                dimensions: 0,
                kind: kind,
                next: fields.pointee.heads,
                first: 0
            )
            head = unsafe arena.append(record)
            unsafe slots.insert(Self.hash(kind, subject, 0, 0), head)
            unsafe fields.pointee.heads = head
        }
        if !isKnown {
            let found = KnownHead(kind: kind, subject: subject, reference: head)
            if subject == 0 {
                unsafe fields.pointee.lastHeads.0 = found
            } else {
                unsafe fields.pointee.lastHeads.1 = found
            }
        }
        let chain = unsafe arena.pointer(head, as: Record.self)
        unsafe cell.pointee.next = unsafe chain.pointee.first
        unsafe chain.pointee.first = reference
    }

    /// The head of the chain of a kind (with the flag) and subject; 0 if there is none.
    func head(_ kind: UInt16, _ subject: UInt32) -> UInt32 {
        unsafe slots.find(Self.hash(kind, subject, 0, 0)) { reference in
            let record = unsafe arena.pointer(reference, as: Record.self)
            return unsafe record.pointee.kind == kind && record.pointee.subject == subject
        }
    }

    @inline(__always)
    static func hash(
        _ kind: UInt16,
        _ subject: UInt32,
        _ bucket: Int32,
        _ dimensions: UInt32
    ) -> UInt64 {
        let one = UInt64(subject) << 32 | UInt64(dimensions)
        let other = UInt64(UInt32(bitPattern: bucket)) << 32 | UInt64(kind)
        return mix(mix(one ^ 0x9E37_79B9_7F4A_7C15, other ^ 0xD1B5_4A32_D192_ED03), one &+ other)
    }

    @inline(__always)
    static func mix(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let product = (one ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(
            by: other ^ 0xE703_7ED1_A0B4_28DB
        )
        return product.high ^ product.low
    }
}
