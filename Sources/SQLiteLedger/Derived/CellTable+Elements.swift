import Metering
import UsageModel

// Cells of one meter and one element: what stands beside the states.
extension CellTable {
    /// Counts an element beside a state: adds to the number of events that carried it.
    func mergeElement(
        subject: UInt32,
        bucket: Int32,
        dimensions: UInt32,
        meter: UInt32,
        element: KeyHash,
        count: Int64
    ) {
        let (cell, hash) = elementCell(CellKey.element, subject, bucket, dimensions, meter, element)
        let found = find(cell, element, hash)
        if found != 0 {
            unsafe arena.pointer(found, as: ElementRecord.self).pointee.count &+= count
        } else {
            let record = ElementRecord(cell: cell, element: element, count: count)
            link(unsafe arena.append(record), hash)
        }
    }

    /// Merges what a meter was told at an instant.
    ///
    /// - Parameter aggregation: The meter's own, not that of its samples.
    func mergeSample(
        subject: UInt32,
        bucket: Int32,
        dimensions: UInt32,
        meter: UInt32,
        element: KeyHash,
        state: MeterState,
        aggregation: Aggregation
    ) {
        let (cell, hash) = elementCell(CellKey.sample, subject, bucket, dimensions, meter, element)
        let found = find(cell, element, hash)
        if found != 0 {
            let record = unsafe arena.pointer(found, as: SampleRecord.self)
            unsafe record.pointee.state.merge(state, aggregation.ofSamples)
        } else {
            let record = SampleRecord(cell: cell, element: element, state: state)
            link(unsafe arena.append(record), hash)
        }
    }

    private func elementCell(
        _ kind: UInt8,
        _ subject: UInt32,
        _ bucket: Int32,
        _ dimensions: UInt32,
        _ meter: UInt32,
        _ element: KeyHash
    ) -> (Record, hash: UInt64) {
        let cell = Record(
            subject: subject,
            bucket: bucket,
            dimensions: dimensions,
            kind: UInt16(kind),
            next: 0,
            first: meter
        )
        let hash = Self.hash(UInt16(kind), subject, bucket, dimensions) ^ element.low
        return (cell, Self.mix(hash ^ UInt64(meter) << 32, element.high ^ 0x2545_F491_4F6C_DD1D))
    }

    private func find(_ cell: Record, _ element: KeyHash, _ hash: UInt64) -> UInt32 {
        unsafe slots.find(hash) { reference in
            let held = unsafe arena.pointer(reference, as: ElementRecord.self)
            return unsafe held.pointee.cell.kind == cell.kind && held.pointee.element == element
                && held.pointee.cell.subject == cell.subject
                && held.pointee.cell.bucket == cell.bucket
                && held.pointee.cell.dimensions == cell.dimensions
                && held.pointee.cell.first == cell.first
        }
    }
}
