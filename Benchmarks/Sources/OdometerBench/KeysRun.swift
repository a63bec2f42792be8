import Glibc
import Metering
import MeteringEngine
import SQLiteLedger
import Synchronization
import UsageModel

/// A large history: events in, old ones again, readings beside intake, and a restart.
struct KeysPlan: Sendable {
    var engine = EnginePlan()
    /// How many of the old events are sent again.
    var again = 100_000
    /// How many readings are asked for, alone and during intake.
    var readings = 2_000
    /// How many events are made at a time: all of them at once would not fit in memory.
    var chunk = 500_000
}

struct KeysRun {
    /// Tells one task of the end of another.
    private final class Ending: Sendable {
        let hasEnded = Atomic(false)
    }

    let shape: WorkloadShape
    let plan: KeysPlan

    /// Runs all of it and says a row for each step.
    func run() async throws {
        let engine = try EngineLedger()
        defer { engine.folder.remove() }
        try await engine.createMeterTypes(plan.engine.meterTypes)
        say(Measurement.header)
        var row = Measurement(name: "\(shape.count) events, new")
        let old = try await fill(engine.ledger, &row)
        row.note = try await state(engine.ledger)
        say(row.markdown)
        try await sendAgain(old, engine.ledger)
        try await read(engine.ledger, "readings of a month of one subject, alone")
        try await readBesideIntake(engine.ledger)
        let started = monotonicNanoseconds()
        try engine.ledger.close()
        say(step("end in order", since: started).markdown)
        try await reopen(engine.folder)
    }

    /// Records the history, and keeps a sample of its events.
    private func fill(
        _ ledger: SQLiteLedger,
        _ row: inout Measurement
    ) async throws -> [Inference] {
        var sample: [Inference] = []
        var done = 0
        while done < shape.count {
            let workload = Workload(part(done, count: min(plan.chunk, shape.count - done)))
            for index in stride(from: 0, to: workload.events.count, by: shape.count / plan.again) {
                sample.append(workload.events[index])
            }
            let sent = try await send(workload, to: ledger, &row)
            guard sent.accepted == workload.events.count else {
                throw BenchError("\(sent.accepted) of \(workload.events.count) were accepted")
            }
            done += workload.events.count
        }
        return sample
    }

    /// Records a workload and adds what it took to a row.
    private func send(
        _ workload: Workload,
        to ledger: SQLiteLedger,
        _ row: inout Measurement
    ) async throws -> (accepted: Int, duplicates: Int) {
        let bodies = EngineBodies(workload, batchSize: plan.engine.batchSize)
        let (cpu, started) = (ownCPUSeconds(), monotonicNanoseconds())
        let sent = try await record(
            bodies,
            0..<bodies.bodies.count,
            into: ledger,
            connections: plan.engine.connections
        )
        row.seconds += Double(monotonicNanoseconds() - started) / 1e9
        row.serverCPUSeconds += ownCPUSeconds() - cpu
        row.latencies.merge(sent.latencies)
        row.requests += bodies.bodies.count
        row.events += workload.events.count
        return (sent.accepted, sent.duplicates)
    }

    /// The events from a place on, as a workload of their own; the month goes on from there.
    private func part(_ start: Int, count: Int) -> WorkloadShape {
        var part = shape
        part.count = count
        part.seed = shape.seed &+ UInt64(start)
        part.ratePerSecond = 1e6 / shape.microsecondsPerEvent
        part.startMicroseconds =
            shape.startMicroseconds + Int(Double(start) * shape.microsecondsPerEvent)
        return part
    }

    private func sendAgain(_ events: [Inference], _ ledger: SQLiteLedger) async throws {
        var random = SplitMix64(seed: 99)
        let again = Workload(shape, events: events.shuffled(using: &random))
        var row = Measurement(name: "\(events.count) old events again, shuffled")
        let sent = try await send(again, to: ledger, &row)
        row.note = try await "\(sent.duplicates) duplicates; " + state(ledger)
        guard sent.accepted == 0, sent.duplicates == events.count else {
            throw BenchError("\(sent.accepted) were accepted again")
        }
        say(row.markdown)
    }

    private func read(_ ledger: SQLiteLedger, _ name: String) async throws {
        let started = monotonicNanoseconds()
        var row = try await readings(ledger, isWanted: { $0 < plan.readings })
        row.name = name
        row.seconds = Double(monotonicNanoseconds() - started) / 1e9
        say(row.markdown)
    }

    private func readings(
        _ ledger: SQLiteLedger,
        isWanted: (Int) -> Bool
    ) async throws -> Measurement {
        var row = Measurement(name: "")
        var random = SplitMix64(seed: 7)
        let month = Int64(WorkloadShape.monthStart)
        let range =
            Instant(microseconds: month)..<Instant(microseconds: month + 30 * 86_400_000_000)
        guard let meterType = MeterTypeKey("tokens-in") else { throw BenchError("no key") }
        while isWanted(row.requests) {
            var subject: [UInt8] = []
            subject.append("customer-")
            subject.append(decimal: random.below(shape.subjects), width: 7)
            let query = UsageQuery(
                meterTypes: [meterType],
                subjects: [String(decoding: subject, as: UTF8.self)],
                range: range
            )
            let started = monotonicNanoseconds()
            let answer = try await ledger.readings(query)
            row.latencies.record(nanoseconds: monotonicNanoseconds() - started)
            row.requests += 1
            guard answer.readings.count == 1 else { throw BenchError("no reading") }
        }
        return row
    }

    private func readBesideIntake(_ ledger: SQLiteLedger) async throws {
        let bodies = EngineBodies(
            Workload(part(shape.count, count: plan.chunk)),
            batchSize: plan.engine.batchSize
        )
        let intake = Ending()
        let started = monotonicNanoseconds()
        let connections = plan.engine.connections
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { @concurrent in
                defer { intake.hasEnded.store(true, ordering: .relaxed) }
                _ = try await record(
                    bodies,
                    0..<bodies.bodies.count,
                    into: ledger,
                    connections: connections
                )
            }
            // At the priority at which the server asks.
            let asking = Task(priority: .userInitiated) {
                try await readings(ledger) { _ in !intake.hasEnded.load(ordering: .relaxed) }
            }
            var row = try await asking.value
            try await group.waitForAll()
            row.name = "the same while events come in"
            row.seconds = Double(monotonicNanoseconds() - started) / 1e9
            row.note = "\(bodies.events.last?.upperBound ?? 0) events meanwhile"
            say(row.markdown)
        }
    }

    private func reopen(_ folder: ScratchFolder) async throws {
        let started = monotonicNanoseconds()
        let again = try EngineLedger(folder: folder)
        var row = step("start after an end in order", since: started)
        row.note = try await state(again.ledger)
        say(row.markdown)
        try again.ledger.close()
    }

    private func step(_ name: String, since started: UInt64) -> Measurement {
        var row = Measurement(name: name)
        row.seconds = Double(monotonicNanoseconds() - started) / 1e9
        return row
    }

    private func state(_ ledger: SQLiteLedger) async throws -> String {
        let status = try await ledger.status()
        let events = max(status.position.value, 1)
        return "resident \(status.residentBytes >> 20) MiB, truth "
            + "\(UInt64(status.truthBytes) / events) and derived "
            + "\(UInt64(status.derivedBytes) / events) bytes/event, \(status.keyRuns) key runs, "
            + "\(status.cellRuns) cell runs"
    }
}
