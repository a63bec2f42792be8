import Metering
import UsageModel

extension CellTable {
    /// Visits every state of a kind in some buckets, in no order.
    ///
    /// - Parameters:
    ///   - subject: The subject whose cells to visit: O(its cells). Nil for those of all subjects
    ///     and of the pseudo-subject 0: O(the kind's cells).
    ///   - body: Takes the cell, the meter and the state; of an element, a state with its count.
    func visit(
        _ kind: UInt8,
        _ subject: UInt32?,
        _ buckets: Range<Int32>,
        _ body: (CellKey, UInt32, MeterState) -> Void
    ) {
        let flagged = UInt16(kind) | Record.headFlag
        if let subject {
            let head = head(flagged, subject)
            if head != 0 { visit(chainOf: head, buckets, body) }
            return
        }
        var head = unsafe fields.pointee.heads
        while head != 0 {
            let record = unsafe arena.pointer(head, as: Record.self)
            if unsafe record.pointee.kind == flagged { visit(chainOf: head, buckets, body) }
            head = unsafe record.pointee.next
        }
    }

    private func visit(
        chainOf head: UInt32,
        _ buckets: Range<Int32>,
        _ body: (CellKey, UInt32, MeterState) -> Void
    ) {
        var next = unsafe arena.pointer(head, as: Record.self).pointee.first
        while next != 0 {
            let record = unsafe arena.pointer(next, as: Record.self).pointee
            if buckets.contains(record.bucket) { visit(cell: next, body) }
            next = record.next
        }
    }

    private func visit(cell reference: UInt32, _ body: (CellKey, UInt32, MeterState) -> Void) {
        let key = key(reference)
        if key.isElement {
            return body(key, key.meter, elementState(reference))
        }
        eachState(of: reference) { body(key, $0, $1) }
    }

    /// Visits the states of a cell, those within it first.
    private func eachState(of reference: UInt32, _ body: (UInt32, MeterState) -> Void) {
        let cell = unsafe arena.pointer(reference, as: Record.self)
        for lane in unsafe shapes[Int(cell.pointee.shape)].lanes {
            let words = unsafe Self.lanes(cell) + lane.offset
            let state = unsafe StateLane(words: words).load(LaneForm(lane.aggregation))
            if state.count != 0 { body(lane.meter, state) }
        }
        var next = unsafe cell.pointee.first
        while next != 0 {
            let record = unsafe stateRecord(next)
            unsafe body(record.pointee.meter, record.pointee.state)
            next = unsafe record.pointee.next
        }
    }

    /// Writes all cells as a run.
    ///
    /// - Throws: `full` or `io`; nothing is left behind but, after a crash, `path.tmp`.
    /// - Complexity: O(n log n); takes 24 bytes of memory per chain and per cell of a chain.
    func writeRun(
        to path: String,
        store: UInt64
    ) throws(DerivedFileError) -> CellRun {
        let writer = try CellRunWriter(path, store: store)
        let states = StateList()
        for (_, head) in sortedHeads() {
            for entry in sortedChain(head) {
                collect(entry.cell, into: states)
                guard states.count > 0 else { continue }
                try writer.add(key(entry.cell), states)
            }
        }
        return try writer.finish()
    }

    private func sortedHeads() -> [(group: UInt64, head: UInt32)] {
        var heads: [(group: UInt64, head: UInt32)] = []
        var head = unsafe fields.pointee.heads
        while head != 0 {
            let record = unsafe arena.pointer(head, as: Record.self).pointee
            let kind = UInt64(record.kind & ~Record.headFlag)
            heads.append((kind << 32 | UInt64(record.subject), head))
            head = record.next
        }
        heads.sort { $0.group < $1.group }
        return heads
    }

    /// The cells of a chain in key order.
    private func sortedChain(_ head: UInt32) -> [(place: UInt64, cell: UInt32)] {
        var chain: [(place: UInt64, cell: UInt32)] = []
        var next = unsafe arena.pointer(head, as: Record.self).pointee.first
        while next != 0 {
            chain.append((key(next).place, next))
            next = unsafe arena.pointer(next, as: Record.self).pointee.next
        }
        chain.sort { one, other in
            if one.place != other.place { return one.place < other.place }
            return key(one.cell) < key(other.cell)
        }
        return chain
    }

    private func key(_ reference: UInt32) -> CellKey {
        let record = unsafe arena.pointer(reference, as: Record.self).pointee
        var key = CellKey(
            kind: UInt8(truncatingIfNeeded: record.kind),
            subject: record.subject,
            bucket: record.bucket,
            dimensions: record.dimensions
        )
        if key.isElement {
            let element = unsafe arena.pointer(reference, as: ElementRecord.self)
            (key.meter, key.element) = unsafe (record.first, element.pointee.element)
        }
        return key
    }

    private func elementState(_ reference: UInt32) -> MeterState {
        let record = unsafe arena.pointer(reference, as: Record.self)
        if unsafe record.pointee.kind == UInt16(CellKey.sample) {
            return unsafe arena.pointer(reference, as: SampleRecord.self).pointee.state
        }
        var state = MeterState()
        state.count = unsafe arena.pointer(reference, as: ElementRecord.self).pointee.count
        return state
    }

    /// Lists a cell's states by meter.
    private func collect(_ reference: UInt32, into states: StateList) {
        states.removeAll()
        let record = unsafe arena.pointer(reference, as: Record.self).pointee
        if record.kind >= UInt16(CellKey.element) {
            states.append(MeteredState(meter: record.first, state: elementState(reference)))
            return
        }
        eachState(of: reference) { states.append(MeteredState(meter: $0, state: $1)) }
        states.sort()
    }
}
