import Metering
import UsageModel

/// The newest rollup cells, in memory.
///
/// Records lie in one arena, a cell's states behind it as they are made, so that an event touches
/// neighbouring memory. Cells of one kind and subject form a chain, newest first, which is what a
/// reading walks. Nothing is allocated per cell, and nothing ever moves.
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
        var kind: UInt32
        /// The next cell of the chain; of a head, the next head.
        var next: UInt32
        /// A cell's first state; a head's newest cell; an element's meter.
        var first: UInt32

        static let headFlag: UInt32 = 0x100
    }

    struct ElementRecord {
        var cell: Record
        var element: KeyHash
        var count: Int64
    }

    struct StateRecord {
        var state: MeterState
        var meter: UInt32
        var next: UInt32
    }

    struct Fields {
        var cells = 0
        var states = 0
        var isFrozen = false
        /// The newest head; the heads form a chain of their own.
        var heads: UInt32 = 0
        /// The cell and state that were merged into last: the next meter is mostly the next state.
        var lastCell: UInt32 = 0
        var lastState: UInt32 = 0
        /// The heads that were found last, of one subject and of all: an event asks for them by
        /// turns.
        var lastHeads = (KnownHead(), KnownHead())
    }

    struct KnownHead {
        var kind: UInt32 = 0
        var subject: UInt32 = 0
        var reference: UInt32 = 0
    }

    /// What ``bytes`` may reach before the table is full.
    let bytesMax: Int
    let arena: FlatArena
    let slots: SlotTable
    let fields: UnsafeMutablePointer<Fields>

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
    /// The number of states, elements not included.
    var stateCount: Int { unsafe fields.pointee.states }
    /// The memory taken up, in bytes.
    var bytes: Int { unsafe arena.bytes + slots.bytes }
    var isFull: Bool { bytes >= bytesMax }
    var isFrozen: Bool { unsafe fields.pointee.isFrozen }

    /// Ends all changing: from here on the table may be read from any thread.
    func freeze() { unsafe fields.pointee.isFrozen = true }

    /// Finds or makes the cell of kind 0 or 1.
    @inline(__always)
    func cell(
        _ kind: UInt8,
        subject: UInt32,
        bucket: Int32,
        dimensions: UInt32
    ) -> CellRef {
        let known = find(kind, subject: subject, bucket: bucket, dimensions: dimensions)
        if let known { return known }
        let cell = Record(
            subject: subject,
            bucket: bucket,
            dimensions: dimensions,
            kind: UInt32(kind),
            next: 0,
            first: 0
        )
        precondition(kind != CellKey.element, "elements are merged by mergeElement")
        let reference = unsafe arena.append(cell)
        link(reference, Self.hash(UInt32(kind), subject, bucket, dimensions))
        return CellRef(reference: reference)
    }

    /// The cell of kind 0 or 1, if there is one already.
    @inline(__always)
    func find(_ kind: UInt8, subject: UInt32, bucket: Int32, dimensions: UInt32) -> CellRef? {
        let hash = Self.hash(UInt32(kind), subject, bucket, dimensions)
        let found = unsafe slots.find(hash) { reference in
            let cell = unsafe arena.pointer(reference, as: Record.self)
            return unsafe cell.pointee.subject == subject && cell.pointee.bucket == bucket
                && cell.pointee.dimensions == dimensions && cell.pointee.kind == UInt32(kind)
        }
        return found == 0 ? nil : CellRef(reference: found)
    }

    /// Brings the slots of a cell and of its chain's head into the cache; see
    /// ``SlotTable/touch(_:)``.
    @inline(__always)
    func touch(_ kind: UInt8, subject: UInt32, bucket: Int32, dimensions: UInt32) -> Bool {
        let flagged = UInt32(kind) | Record.headFlag
        return unsafe slots.touch(Self.hash(UInt32(kind), subject, bucket, dimensions))
            && slots.touch(Self.hash(flagged, subject, 0, 0))
    }

    /// Merges a state into a cell's state of the same meter; makes that if the cell has none.
    ///
    /// Merging meters in the order in which the cell first saw them takes one step each.
    func merge(_ cell: CellRef, meter: UInt32, state: MeterState, aggregation: Aggregation) {
        let head = unsafe arena.pointer(cell.reference, as: Record.self)
        let isSame = unsafe fields.pointee.lastCell == cell.reference
        let last = unsafe isSame ? fields.pointee.lastState : 0
        var tail = last
        var next = unsafe last == 0 ? head.pointee.first : stateRecord(last).pointee.next
        while next != 0 {
            let record = unsafe stateRecord(next)
            if unsafe record.pointee.meter == meter {
                return unsafe take(record, next, cell, state, aggregation)
            }
            tail = next
            next = unsafe record.pointee.next
        }
        // Behind the last one there is none; it may be the last one, or before it.
        next = unsafe last == 0 ? 0 : head.pointee.first
        while next != 0 {
            let record = unsafe stateRecord(next)
            if unsafe record.pointee.meter == meter {
                return unsafe take(record, next, cell, state, aggregation)
            }
            next = unsafe next == last ? 0 : record.pointee.next
        }
        unsafe append(state, meter, to: head, after: tail, cell)
    }

    /// Counts an element of a unique count: adds to the number of events that carried it.
    func mergeElement(
        subject: UInt32,
        bucket: Int32,
        dimensions: UInt32,
        meter: UInt32,
        element: KeyHash,
        count: Int64
    ) {
        let kind = UInt32(CellKey.element)
        var hash = Self.hash(kind, subject, bucket, dimensions) ^ element.low
        hash = Self.mix(hash ^ UInt64(meter) << 32, element.high ^ 0x2545_F491_4F6C_DD1D)
        let found = unsafe slots.find(hash) { reference in
            let held = unsafe arena.pointer(reference, as: ElementRecord.self)
            return unsafe held.pointee.cell.kind == kind && held.pointee.element == element
                && held.pointee.cell.subject == subject && held.pointee.cell.bucket == bucket
                && held.pointee.cell.dimensions == dimensions && held.pointee.cell.first == meter
        }
        if found != 0 {
            unsafe arena.pointer(found, as: ElementRecord.self).pointee.count &+= count
            return
        }
        let cell = Record(
            subject: subject,
            bucket: bucket,
            dimensions: dimensions,
            kind: kind,
            next: 0,
            first: meter
        )
        let record = ElementRecord(cell: cell, element: element, count: count)
        link(unsafe arena.append(record), hash)
    }

    @inline(__always)
    func stateRecord(_ reference: UInt32) -> UnsafeMutablePointer<StateRecord> {
        unsafe arena.pointer(reference, as: StateRecord.self)
    }

    @inline(__always)
    private func take(
        _ record: UnsafeMutablePointer<StateRecord>,
        _ reference: UInt32,
        _ cell: CellRef,
        _ state: MeterState,
        _ aggregation: Aggregation
    ) {
        unsafe record.pointee.state.merge(state, aggregation)
        unsafe fields.pointee.lastCell = cell.reference
        unsafe fields.pointee.lastState = reference
    }

    private func append(
        _ state: MeterState,
        _ meter: UInt32,
        to head: UnsafeMutablePointer<Record>,
        after tail: UInt32,
        _ cell: CellRef
    ) {
        precondition(unsafe !fields.pointee.isFrozen, "a frozen table is only read")
        let record = unsafe arena.append(StateRecord(state: state, meter: meter, next: 0))
        if tail == 0 {
            unsafe head.pointee.first = record
        } else {
            unsafe stateRecord(tail).pointee.next = record
        }
        unsafe fields.pointee.states += 1
        unsafe fields.pointee.lastCell = cell.reference
        unsafe fields.pointee.lastState = record
    }

    /// Enters a cell into the slots and into its chain.
    private func link(_ reference: UInt32, _ hash: UInt64) {
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
    func head(_ kind: UInt32, _ subject: UInt32) -> UInt32 {
        unsafe slots.find(Self.hash(kind, subject, 0, 0)) { reference in
            let record = unsafe arena.pointer(reference, as: Record.self)
            return unsafe record.pointee.kind == kind && record.pointee.subject == subject
        }
    }

    @inline(__always)
    private static func hash(
        _ kind: UInt32,
        _ subject: UInt32,
        _ bucket: Int32,
        _ dimensions: UInt32
    ) -> UInt64 {
        let one = UInt64(subject) << 32 | UInt64(dimensions)
        let other = UInt64(UInt32(bitPattern: bucket)) << 32 | UInt64(kind)
        return mix(mix(one ^ 0x9E37_79B9_7F4A_7C15, other ^ 0xD1B5_4A32_D192_ED03), one &+ other)
    }

    @inline(__always)
    private static func mix(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let product = (one ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(
            by: other ^ 0xE703_7ED1_A0B4_28DB
        )
        return product.high ^ product.low
    }
}
