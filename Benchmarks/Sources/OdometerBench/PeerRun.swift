import Glibc
import Synchronization

/// How the homegrown peer is driven.
struct PeerPlan: Sendable {
    var variant = PeerVariant()
    var connections = 4
    var batchSize = 1_000
    /// Leading events that are committed before the clock starts.
    var warmUpEvents = 50_000
    var secondsMax = 120.0
    var extraSettings: [String] = []
}

/// Runs the peer once on a cluster of its own and removes it.
///
/// - Throws: Whatever failed, and when the peer's totals are not the workload's.
func measurePeer(_ workload: Workload, _ plan: PeerPlan) throws(BenchError) -> Measurement {
    var plan = plan
    plan.variant.isOrdered = workload.shape.duplicateShare > 0
    let ranges = workload.batches(of: plan.batchSize)
    let batches = ranges.map { PeerBatch(workload.events[$0], for: plan.variant) }
    let cluster = try PostgresCluster(extraSettings: plan.extraSettings)
    defer { cluster.remove() }

    let admin = try PostgresSession(cluster.connectionString)
    try recycleLog(admin)
    try admin.run(plan.variant.schema)
    var sessions: [PostgresSession] = []
    let rows = PeerBatch.preparedRows(plan.variant, size: plan.batchSize)
    for _ in 0..<plan.connections {
        let session = try PostgresSession(cluster.connectionString)
        if let rows { try session.prepare(plan.variant.statement(rows: rows)) }
        sessions.append(session)
    }

    let warm = min(plan.warmUpEvents / plan.batchSize, batches.count / 2)
    let warmed = try commit(batches[..<warm], ranges, sessions, secondsMax: plan.secondsMax)
    try admin.run("analyze events; analyze rollup")
    let logStart = try admin.run("select pg_current_wal_lsn()") ?? "0/0"
    let server = treeCPUSeconds(of: cluster.server.pid)
    var row = try commit(batches[warmed.requests...], ranges, sessions, secondsMax: plan.secondsMax)
    row.serverCPUSeconds = treeCPUSeconds(of: cluster.server.pid) - server
    row.name = "peer: PostgreSQL 15, \(plan.variant.name)"
    let logged = try admin.run("select pg_current_wal_lsn() - '\(logStart)'") ?? "0"
    row.note += "\((Int(logged) ?? 0) / max(row.events, 1)) WAL bytes/event"
    let sent = warmed.events + row.events
    try verify(admin, plan.variant, workload.totals(ofFirst: sent))
    return row
}

/// Fills and recycles the write-ahead log once, so that the run finds segments to reuse as a
/// server does that has been up for a while, instead of creating them.
private func recycleLog(_ admin: PostgresSession) throws(BenchError) {
    try admin.run("create table filler (line text)")
    try admin.run("alter table filler alter column line set storage plain")
    for _ in 0..<8 {
        try admin.run("insert into filler select repeat('x', 7000) from generate_series(1, 36000)")
    }
    try admin.run("drop table filler")
    try admin.run("checkpoint")
    try admin.run("checkpoint")
}

/// Commits batches from all sessions at once, each taking the next that nobody has taken.
private func commit(
    _ batches: ArraySlice<PeerBatch>,
    _ ranges: [Range<Int>],
    _ sessions: [PostgresSession],
    secondsMax: Double
) throws(BenchError) -> Measurement {
    let next = Atomic<Int>(batches.startIndex)
    let gathered = Mutex((row: Measurement(name: ""), inserted: 0, retries: 0, failure: ""))
    let driver = ownCPUSeconds()
    let start = monotonicNanoseconds()
    let deadline = start + UInt64(secondsMax * 1e9)
    try onThreads(sessions.count) { index in
        var mine = Measurement(name: "")
        var (inserted, retries, failure) = (0, 0, "")
        do throws(BenchError) {
            while monotonicNanoseconds() < deadline {
                let batch = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard batch < batches.endIndex else { break }
                let sent = monotonicNanoseconds()
                let done = try sessions[index].commit(batches[batch])
                mine.latencies.record(nanoseconds: monotonicNanoseconds() - sent)
                mine.events += ranges[batch].count
                mine.requests += 1
                inserted += done.inserted
                retries += done.tries - 1
            }
        } catch {
            failure = error.description
        }
        gathered.withLock { all in
            all.row.events += mine.events
            all.row.requests += mine.requests
            all.row.latencies.merge(mine.latencies)
            all.inserted += inserted
            all.retries += retries
            if !failure.isEmpty { all.failure = failure }
        }
    }
    var (row, _, retries, failure) = gathered.withLock { $0 }
    guard failure.isEmpty else { throw BenchError("peer: \(failure)") }
    row.seconds = Double(monotonicNanoseconds() - start) / 1e9
    row.driverCPUSeconds = ownCPUSeconds() - driver
    if retries > 0 { row.note = "\(retries) deadlocks retried, " }
    return row
}

private func verify(
    _ admin: PostgresSession,
    _ variant: PeerVariant,
    _ totals: WorkloadTotals
) throws(BenchError) {
    let numbers = [totals.requests, totals.inputTokens, totals.largestRequest]
    let expected = (numbers + totals.outputTokensByModel).map { "\($0)" }.joined(separator: " ")
    let found = try admin.run(variant.totalsQuery) ?? "nothing"
    guard found == expected else {
        throw BenchError("the peer's totals are wrong: \(found), expected \(expected)")
    }
}
