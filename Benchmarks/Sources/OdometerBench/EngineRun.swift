import CEpoll
import Glibc
import Logging
import MeteringEngine
import SQLiteLedger
import Synchronization
import UsageModel
import WireFormat

/// What is measured without HTTP.
struct EnginePlan: Sendable {
    var batchSize = 1_000
    var meterTypes = 5
    var connections = 4
    var warmUpEvents = 50_000
}

/// A ledger in a folder of its own.
struct EngineLedger {
    let folder: ScratchFolder
    let ledger: SQLiteLedger

    init() throws { try self.init(folder: ScratchFolder("engine")) }

    /// Opens what an earlier one left in the folder.
    init(folder: ScratchFolder) throws {
        // As `odometer serve` does: memory of batches stays in the process.
        _ = mallopt(M_MMAP_THRESHOLD, 64 << 20)
        _ = mallopt(M_TRIM_THRESHOLD, 256 << 20)
        self.folder = folder
        ledger = try SQLiteLedger(
            SQLiteLedger.Opening(
                directory: folder.path + "/data",
                logger: Logger(label: "bench", factory: { _ in SwiftLogNoOpLogHandler() }),
                clock: { Instant(microseconds: Int64(WorkloadShape.monthStart + 86_400_000_000)) },
                entropy: Array(repeating: 7, count: 32)
            )
        )
    }

    func createMeterTypes(_ count: Int) async throws {
        for definition in OdometerServer.meterTypes.prefix(count) {
            let json = try JSONValue.parse(Array(definition.utf8))
            _ = try await ledger.create(MeterTypeDocument.read(json))
        }
    }
}

/// Takes bodies one after another, from several tasks at a time, as connections would send them.
final class BodyQueue: Sendable {
    private let next: Atomic<Int>
    private let end: Int

    init(_ range: Range<Int>) {
        next = Atomic(range.lowerBound)
        end = range.upperBound
    }

    func take() -> Int? {
        let place = next.add(1, ordering: .relaxed).oldValue
        return place < end ? place : nil
    }
}

/// Records some bodies and gives the time each call took.
func record(
    _ bodies: EngineBodies,
    _ range: Range<Int>,
    into ledger: SQLiteLedger,
    connections: Int
) async throws -> (latencies: Latencies, accepted: Int, duplicates: Int) {
    let queue = BodyQueue(range)
    return try await withThrowingTaskGroup(of: (Latencies, Int, Int).self) { group in
        for _ in 0..<connections {
            group.addTask { @concurrent in
                var latencies = Latencies()
                var (accepted, duplicates) = (0, 0)
                while let place = queue.take() {
                    let started = monotonicNanoseconds()
                    let decoded = try decodeEvents(
                        bodies.bodies[place],
                        framing: .cloudEventBatch
                    )
                    let outcome = try await ledger.record(
                        ledger.preparer.prepare(
                            decoded,
                            arrival: Instant(microseconds: Int64(WorkloadShape.monthStart))
                        ),
                        isAtomic: false
                    )
                    accepted += outcome.accepted
                    duplicates += outcome.exceptions.count { $0.verdict == .duplicate }
                    latencies.record(nanoseconds: monotonicNanoseconds() - started)
                }
                return (latencies, accepted, duplicates)
            }
        }
        var sum = (Latencies(), 0, 0)
        for try await (latencies, accepted, duplicates) in group {
            sum.0.merge(latencies)
            sum.1 += accepted
            sum.2 += duplicates
        }
        return sum
    }
}

/// Engine-only intake: everything but HTTP, durable before each answer.
func measureEngine(_ workload: Workload, _ plan: EnginePlan) async throws -> Measurement {
    let engine = try EngineLedger()
    defer { engine.folder.remove() }
    try await engine.createMeterTypes(plan.meterTypes)
    let bodies = EngineBodies(workload, batchSize: plan.batchSize)
    let warm = min(plan.warmUpEvents / plan.batchSize, bodies.bodies.count / 2)
    let connections = plan.connections
    _ = try await record(bodies, 0..<warm, into: engine.ledger, connections: connections)
    let (cpu, started) = (ownCPUSeconds(), monotonicNanoseconds())
    let range = warm..<bodies.bodies.count
    let measured = try await record(bodies, range, into: engine.ledger, connections: connections)
    var row = Measurement(
        name: "engine, batch \(plan.batchSize), \(connections) callers, "
            + "\(plan.meterTypes) meter types"
    )
    row.seconds = Double(monotonicNanoseconds() - started) / 1e9
    row.serverCPUSeconds = ownCPUSeconds() - cpu
    row.events = bodies.events[range].reduce(0) { $0 + $1.count }
    row.requests = range.count
    row.latencies = measured.latencies
    row.note = "peak RSS \((peakResidentBytes(of: getpid()) ?? 0) >> 20) MiB"
    guard measured.accepted == row.events else {
        throw BenchError("\(measured.accepted) of \(row.events) events were accepted")
    }
    try engine.ledger.close()
    return row
}
