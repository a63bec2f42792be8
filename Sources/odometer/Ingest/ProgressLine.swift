import Foundation

/// How far an ingest is, on standard error: a line that is drawn over on a terminal, a plain line
/// every ten seconds elsewhere.
actor ProgressLine {
    private let isTerminal: Bool
    /// Of all files, as stored; nil where one of them is a pipe.
    private let bytesTotal: Int64?
    private let start = ContinuousClock().now
    private var lastPlain: ContinuousClock.Instant
    private var isDrawn = false
    private var lastTrouble: ContinuousClock.Instant?

    init(bytesTotal: Int64?, isTerminal: Bool) {
        (self.bytesTotal, self.isTerminal) = (bytesTotal, isTerminal)
        lastPlain = start
    }

    /// Draws the line, if it is time.
    func show(events: Int, bytesRead: Int64) {
        let now = ContinuousClock().now
        let seconds = Self.seconds(now - start)
        let line = Self.text(
            events: events,
            bytesRead: bytesRead,
            bytesTotal: bytesTotal,
            seconds: seconds
        )
        if isTerminal {
            write("\r\u{1b}[K" + line)
            isDrawn = true
        } else if now - lastPlain >= .seconds(10) {
            lastPlain = now
            write(line + "\n")
        }
    }

    /// Tells of trouble, at most once in five seconds: several senders meet the same.
    func tell(_ words: String) {
        let now = ContinuousClock().now
        if let lastTrouble, now - lastTrouble < .seconds(5) { return }
        lastTrouble = now
        erase()
        write(words + "\n")
    }

    func erase() {
        if isDrawn { write("\r\u{1b}[K") }
        isDrawn = false
    }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }

    static func seconds(_ duration: Duration) -> Double {
        let parts = duration.components
        return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
    }

    /// `[########············]  40%  12,000 events  48,100/s  ETA 0:12`
    static func text(
        events: Int,
        bytesRead: Int64,
        bytesTotal: Int64?,
        seconds: Double
    ) -> String {
        let rate = seconds > 0 ? Int(Double(events) / seconds) : 0
        let counts = "\(grouped(events)) events  \(grouped(rate))/s"
        guard let bytesTotal, bytesTotal > 0 else { return counts }
        let share = min(Double(bytesRead) / Double(bytesTotal), 1)
        let filled = Int(share * 20)
        let bar =
            String(repeating: "#", count: filled) + String(repeating: "·", count: 20 - filled)
        let percent = "\(Int(share * 100))%"
        var line = "[\(bar)] " + String(repeating: " ", count: 4 - percent.count) + percent
        line += "  " + counts
        if share > 0, share < 1, seconds >= 1 {
            let rest = Int(seconds / share * (1 - share) + 0.5)
            let (minutes, remainder) = rest.quotientAndRemainder(dividingBy: 60)
            line += "  ETA \(minutes):\(remainder < 10 ? "0" : "")\(remainder)"
        }
        return line
    }

    private static func grouped(_ number: Int) -> String {
        var digits = Array(String(number))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: place)
            place -= 3
        }
        return String(digits)
    }
}
