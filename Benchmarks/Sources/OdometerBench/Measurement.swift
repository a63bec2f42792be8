import Glibc

/// One row of a report.
struct Measurement: Sendable {
    var name: String
    var events = 0
    var requests = 0
    var seconds = 0.0
    /// CPU seconds of the side under test: the server's process, or all of PostgreSQL's.
    var serverCPUSeconds = 0.0
    /// CPU seconds of this process, which shares the machine.
    var driverCPUSeconds = 0.0
    var latencies = Latencies()
    var peakResidentBytes: Int?
    var note = ""

    var eventsPerSecond: Double { Double(events) / max(seconds, 1e-9) }
    var requestsPerSecond: Double { Double(requests) / max(seconds, 1e-9) }
    var eventsPerCPUSecond: Double { Double(events) / max(serverCPUSeconds, 0.01) }
}

extension Measurement {
    static let header = """
        | row | events/s | requests/s | events per CPU-s | server CPU | driver CPU | wall \
        | p50 ms | p95 ms | p99 ms | max ms | note |
        |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|
        """

    /// The row in Markdown, under ``header``.
    var markdown: String {
        let times = latencies.percentiles([0.5, 0.95, 0.99, 1]).map { decimal($0, places: 2) }
        let cells =
            [
                name, grouped(eventsPerSecond), grouped(requestsPerSecond),
                grouped(eventsPerCPUSecond), "\(decimal(serverCPUSeconds, places: 2)) s",
                "\(decimal(driverCPUSeconds, places: 2)) s", "\(decimal(seconds, places: 2)) s",
            ] + times + [note]
        return "| " + cells.joined(separator: " | ") + " |"
    }
}

/// A number ≥ 0 with so many places, without Foundation.
func decimal(_ number: Double, places: Int) -> String {
    var scale = 1
    for _ in 0..<places { scale *= 10 }
    let scaled = Int((number * Double(scale)).rounded())
    guard places > 0 else { return String(scaled) }
    let fraction = String(scaled % scale)
    return "\(scaled / scale)."
        + String(repeating: "0", count: places - fraction.count) + fraction
}

/// A whole number ≥ 0 with commas every three digits.
func grouped(_ number: Double) -> String {
    var text = ""
    for (index, digit) in String(Int(number.rounded())).reversed().enumerated() {
        if index > 0, index % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return String(text.reversed())
}

/// Writes a line at once: a table whose rows take minutes is read while it grows.
func say(_ line: String) {
    var rest = Array("\(line)\n".utf8)[...]
    while !rest.isEmpty {
        let count = unsafe rest.withUnsafeBytes { unsafe write(1, $0.baseAddress, $0.count) }
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
    }
}
