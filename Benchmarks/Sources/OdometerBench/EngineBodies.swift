/// Bodies of calls, made before any clock starts: JSON arrays of CloudEvents.
struct EngineBodies: Sendable {
    private(set) var bodies: [[UInt8]] = []
    let events: [Range<Int>]

    init(_ workload: Workload, batchSize: Int) {
        events = workload.batches(of: batchSize)
        bodies.reserveCapacity(events.count)
        for range in events {
            var body: [UInt8] = []
            body.reserveCapacity(range.count * 330 + 2)
            for index in range {
                body.append(index == range.lowerBound ? "[" : ",")
                workload.events[index].appendCloudEvent(to: &body)
            }
            body.append("]")
            bodies.append(body)
        }
    }
}
