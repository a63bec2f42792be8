/// Requests in the order they are sent, every byte made before the clock starts.
struct RequestTape: Sendable {
    private(set) var bytes: [UInt8] = []
    private(set) var requests: [Range<Int>] = []
    let events: [Range<Int>]

    init(_ workload: Workload, batchSize: Int, port: UInt16) {
        events = workload.batches(of: batchSize)
        requests.reserveCapacity(events.count)
        bytes.reserveCapacity(workload.events.count * 330 + events.count * 160)
        var body: [UInt8] = []
        for range in events {
            body.removeAll(keepingCapacity: true)
            if batchSize > 1 { body.append("[") }
            for index in range {
                if index > range.lowerBound { body.append(",") }
                workload.events[index].appendCloudEvent(to: &body)
            }
            if batchSize > 1 { body.append("]") }
            let start = bytes.count
            bytes.append("POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1:")
            bytes.append(decimal: Int(port))
            bytes.append("\r\nContent-Type: application/cloudevents")
            bytes.append(batchSize > 1 ? "-batch+json" : "+json")
            bytes.append("\r\nContent-Length: ")
            bytes.append(decimal: body.count)
            bytes.append("\r\n\r\n")
            bytes.append(contentsOf: body)
            requests.append(start..<bytes.count)
        }
    }
}
