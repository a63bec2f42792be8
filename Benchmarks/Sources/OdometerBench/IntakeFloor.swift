import Compression
import Dispatch
import Glibc
import Synchronization
import UsageModel
import WireFormat

/// How much of the engine's work a caller does by itself.
enum FloorStep: String, CaseIterable, Sendable {
    case decode
    case hash = "decode + hash"
    case compress = "decode + hash + compress"
    case sync = "decode + hash + compress + fsync"
}

/// What any durable intake must pay: the floor that the engine is measured against.
func measureFloor(
    _ workload: Workload,
    _ step: FloorStep,
    _ plan: EnginePlan
) async throws -> Measurement {
    let folder = try ScratchFolder("floor")
    defer { folder.remove() }
    let file = try AppendOnlyFile(folder.path + "/log")
    let bodies = EngineBodies(workload, batchSize: plan.batchSize)
    let queue = BodyQueue(0..<bodies.bodies.count)
    let (cpu, started) = (ownCPUSeconds(), monotonicNanoseconds())
    var latencies = Latencies()
    var keys: UInt64 = 0
    try await withThrowingTaskGroup(of: (Latencies, UInt64).self) { group in
        for _ in 0..<plan.connections {
            group.addTask { @concurrent in
                try await takeAll(from: queue, bodies, step, file)
            }
        }
        for try await (more, sum) in group {
            latencies.merge(more)
            keys ^= sum
        }
    }
    var row = Measurement(name: "\(step.rawValue), batch \(plan.batchSize)")
    row.seconds = Double(monotonicNanoseconds() - started) / 1e9
    row.serverCPUSeconds = ownCPUSeconds() - cpu
    row.events = workload.events.count
    row.requests = bodies.bodies.count
    row.latencies = latencies
    row.note = step == .decode ? "" : "keys \(String(keys, radix: 16))"
    await file.close()
    return row
}

private func takeAll(
    from queue: BodyQueue,
    _ bodies: EngineBodies,
    _ step: FloorStep,
    _ file: AppendOnlyFile
) async throws -> (Latencies, UInt64) {
    var latencies = Latencies()
    var keys: UInt64 = 0
    let compressor = ZstdCompressor()
    let hashKey = SipHashKey(k0: 1, k1: 2)
    while let place = queue.take() {
        let started = monotonicNanoseconds()
        let decoded = try decodeEvents(bodies.bodies[place], framing: .cloudEventBatch)
        guard decoded.rejected.isEmpty else { throw BenchError("an event was rejected") }
        if step != .decode { keys ^= hashes(of: decoded, hashKey) }
        if step == .compress || step == .sync {
            let payload = try unsafe decoded.bytes.withUnsafeBytes { bytes in
                try unsafe compressor.compress(bytes, level: Zstd.quick)
            }
            if step == .sync { try await file.append(payload) }
        }
        latencies.record(nanoseconds: monotonicNanoseconds() - started)
    }
    return (latencies, keys)
}

private func hashes(of decoded: borrowing DecodedBatch, _ key: SipHashKey) -> UInt64 {
    var sum: UInt64 = 0
    unsafe decoded.bytes.withUnsafeBytes { raw in
        for event in decoded.events {
            let hash = unsafe KeyHash(
                key: key,
                source: UnsafeRawBufferPointer(rebasing: raw[event.source.range]),
                id: UnsafeRawBufferPointer(rebasing: raw[event.id.range])
            )
            sum ^= hash.high
        }
    }
    return sum
}

/// A file that is appended to and synced in groups, as a write-ahead log is.
final class AppendOnlyFile: Sendable {
    private struct Waiting {
        var calls: [(payload: [UInt8], ticket: CheckedContinuation<Bool, Never>)] = []
        var isClosed = false
    }

    private let waiting = Mutex(Waiting())
    private let bell = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    init(_ path: String) throws {
        let descriptor = unsafe open(path, O_CREAT | O_WRONLY | O_APPEND, 0o600)
        guard descriptor >= 0 else { throw BenchError("cannot make \(path)") }
        try startThread { [self] in
            write(to: descriptor)
            _ = Glibc.close(descriptor)
            ended.signal()
        }
    }

    func append(_ payload: [UInt8]) async throws {
        let isWritten = await withCheckedContinuation { ticket in
            waiting.withLock { $0.calls.append((payload, ticket)) }
            bell.signal()
        }
        guard isWritten else { throw BenchError("cannot write") }
    }

    @concurrent
    func close() async {
        waiting.withLock { $0.isClosed = true }
        bell.signal()
        await withCheckedContinuation { ticket in
            DispatchQueue.global().async {
                self.ended.wait()
                ticket.resume()
            }
        }
    }

    private func write(to descriptor: Int32) {
        while true {
            bell.wait()
            let (calls, isClosed) = waiting.withLock { waiting in
                defer { waiting.calls = [] }
                return (waiting.calls, waiting.isClosed)
            }
            if calls.isEmpty {
                if isClosed { return }
                continue
            }
            var isWritten = true
            for call in calls {
                let count = unsafe call.payload.withUnsafeBytes { bytes in
                    unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
                }
                isWritten = isWritten && count == call.payload.count
            }
            isWritten = fdatasync(descriptor) == 0 && isWritten
            for call in calls { call.ticket.resume(returning: isWritten) }
        }
    }
}
