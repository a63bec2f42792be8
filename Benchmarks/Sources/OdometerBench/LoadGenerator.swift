import CEpoll
import Glibc
import Synchronization

/// How hard to push, and when to stop.
struct LoadPlan: Sendable {
    var connections = 4
    var threads = 1
    var secondsMax = 30.0
}

/// Sends a stretch of a tape over keep-alive connections, one request in flight on each.
///
/// `epoll` on few threads: the generator shares two cores with the server, so it must neither
/// switch threads per request nor spin.
struct LoadGenerator: Sendable {
    let tape: RequestTape
    let port: UInt16

    /// - Returns: The row without the server's share, and what the answers said. Requests are
    ///   taken in order and all of those taken are answered, so what was sent is a prefix.
    func run(
        _ requests: Range<Int>,
        _ plan: LoadPlan
    ) throws(BenchError) -> (row: Measurement, tally: AnswerTally) {
        let next = Atomic<Int>(requests.lowerBound)
        let gathered = Mutex((row: Measurement(name: ""), tally: AnswerTally(), failure: ""))
        let driver = ownCPUSeconds()
        let start = monotonicNanoseconds()
        let deadline = start + UInt64(plan.secondsMax * 1e9)
        try onThreads(min(plan.threads, plan.connections)) { thread in
            var lane = LoadLane(tape: tape)
            let mine = plan.connections / plan.threads
            let extra = thread < plan.connections % plan.threads ? 1 : 0
            var failure = ""
            do throws(BenchError) {
                try lane.open(mine + extra, port: port)
                try lane.run {
                    guard monotonicNanoseconds() < deadline else { return nil }
                    let taken = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    return taken < requests.upperBound ? taken : nil
                }
            } catch {
                failure = error.description
            }
            gathered.withLock { all in
                all.row.latencies.merge(lane.latencies)
                all.tally.merge(lane.tally)
                if !failure.isEmpty { all.failure = failure }
            }
        }
        var (row, tally, failure) = gathered.withLock { $0 }
        guard failure.isEmpty else { throw BenchError(failure) }
        row.seconds = Double(monotonicNanoseconds() - start) / 1e9
        row.driverCPUSeconds = ownCPUSeconds() - driver
        row.events = tally.events
        row.requests = tally.requests
        return (row, tally)
    }
}

/// The connections of one thread.
private struct LoadLane: ~Copyable {
    static let pauseNanoseconds: UInt64 = 5_000_000

    let tape: RequestTape
    let poll = epoll_create1(0)
    var connections: [LoadSlot] = []
    var latencies = Latencies()
    var tally = AnswerTally()
    private var buffer = [UInt8](repeating: 0, count: 65_536)
    private var busy = 0
    private var parked = 0

    init(tape: RequestTape) { self.tape = tape }

    deinit { close(poll) }

    mutating func open(_ count: Int, port: UInt16) throws(BenchError) {
        for index in 0..<count {
            let slot = LoadSlot(try LoadConnection(port: port))
            connections.append(slot)
            watch(index, isSending: false, operation: EPOLL_CTL_ADD)
        }
    }

    private func watch(_ index: Int, isSending: Bool, operation: Int32 = EPOLL_CTL_MOD) {
        var event = unsafe epoll_event()
        unsafe event.events = EPOLLIN.rawValue | (isSending ? EPOLLOUT.rawValue : 0)
        unsafe event.data.u64 = UInt64(index)
        unsafe epoll_ctl(poll, operation, connections[index].connection.socket, &event)
    }

    /// Runs until `take` gives no more requests and all that were taken are answered.
    mutating func run(_ take: () -> Int?) throws(BenchError) {
        for index in connections.indices { try sendNext(index, take) }
        var ready = unsafe [epoll_event](repeating: epoll_event(), count: 64)
        while busy > 0 {
            let count = unsafe epoll_wait(poll, &ready, Int32(ready.count), parked > 0 ? 1 : 1_000)
            for place in 0..<max(Int(count), 0) {
                let index = unsafe Int(ready[place].data.u64)
                if unsafe ready[place].events & EPOLLOUT.rawValue != 0 { try push(index) }
                if unsafe ready[place].events & ~EPOLLOUT.rawValue != 0 { try pull(index, take) }
            }
            if parked > 0 { try unpark() }
        }
    }

    private mutating func sendNext(_ index: Int, _ take: () -> Int?) throws(BenchError) {
        guard let request = take() else { return }
        busy += 1
        connections[index].connection.begin(request, tape)
        try push(index)
    }

    private mutating func push(_ index: Int) throws(BenchError) {
        let progress = try connections[index].connection.send(tape)
        let isSending = if case .sending = progress { true } else { false }
        if isSending != connections[index].isSending {
            connections[index].isSending = isSending
            watch(index, isSending: isSending)
        }
    }

    private mutating func pull(_ index: Int, _ take: () -> Int?) throws(BenchError) {
        let slot = connections[index]
        guard case .answered = try slot.connection.receive(&buffer) else { return }
        guard let request = slot.connection.request else {
            throw BenchError("an answer that nobody asked for")
        }
        let now = monotonicNanoseconds()
        if slot.connection.answer.status == 503 {
            tally.refused += 1
            parked += 1
            slot.connection.parkedUntil = now + Self.pauseNanoseconds
            return
        }
        latencies.record(nanoseconds: now - slot.connection.sentAt)
        try tally.count(slot.connection.answer, events: tape.events[request].count)
        slot.connection.finish()
        busy -= 1
        try sendNext(index, take)
    }

    private mutating func unpark() throws(BenchError) {
        let now = monotonicNanoseconds()
        for index in connections.indices {
            let slot = connections[index]
            guard let due = slot.connection.parkedUntil, due <= now,
                let request = slot.connection.request
            else { continue }
            parked -= 1
            slot.connection.begin(request, tape)
            try push(index)
        }
    }
}

/// Holds a connection, which cannot be copied, where an array can.
private final class LoadSlot {
    var connection: LoadConnection
    var isSending = false
    init(_ connection: consuming LoadConnection) { self.connection = connection }
}
