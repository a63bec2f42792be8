/// One row of HTTP end to end.
struct ServerPlan: Sendable {
    var binary = ""
    var batchSize = 1_000
    var meterTypes = 5
    /// Leading events that are sent before the clock starts.
    var warmUpEvents = 50_000
    var load = LoadPlan()
}

/// Runs a fresh server under load and removes it.
///
/// - Throws: Whatever failed: an answer that is no success or does not balance, and a reading
///   that is not the workload's.
func measureServer(_ workload: Workload, _ plan: ServerPlan) throws(BenchError) -> Measurement {
    let server = try OdometerServer(binary: plan.binary)
    defer { server.remove() }
    try server.createMeterTypes(plan.meterTypes)
    let tape = RequestTape(workload, batchSize: plan.batchSize, port: server.port)
    let generator = LoadGenerator(tape: tape, port: server.port)
    let warm = min(plan.warmUpEvents / plan.batchSize, tape.requests.count / 2)
    var tally = try generator.run(0..<warm, plan.load).tally

    let cpu = treeCPUSeconds(of: server.process.pid)
    let written = server.writtenBytes() ?? 0
    var (row, more) = try generator.run(tally.requests..<tape.requests.count, plan.load)
    row.serverCPUSeconds = treeCPUSeconds(of: server.process.pid) - cpu
    tally.merge(more)
    row.name =
        "HTTP, batch \(plan.batchSize), \(plan.load.connections) connections, "
        + "\(plan.meterTypes) meter types"
    let bytes = max((server.writtenBytes() ?? 0) - written, 0) / max(row.events, 1)
    let peak = (peakResidentBytes(of: server.process.pid) ?? 0) >> 20
    row.note = "\(bytes) bytes written/event, peak RSS \(peak) MiB"
    if more.refused > 0 { row.note += ", \(more.refused) answers 503" }

    let sent = tape.events[..<(tally.requests)].last?.upperBound ?? 0
    let totals = workload.totals(ofFirst: sent)
    guard tally.accepted == totals.requests, tally.conflicts == 0, tally.rejected == 0,
        tally.duplicates == sent - totals.requests
    else { throw BenchError("the answers do not add up: \(tally), of \(totals.requests) keys") }
    try server.verify(totals, meterTypes: plan.meterTypes)
    return row
}
