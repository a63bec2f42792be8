import UsageModel
import WireFormat

/// A reset schedule in words.
struct ResetWords {
    private let schedule: JSONValue

    init(_ schedule: JSONValue?) { self.schedule = schedule ?? "never" }

    var text: String {
        if let word = schedule.stringValue { return Self.words[word] ?? word }
        if let cron = schedule.text("cron") { return "by cron \(cron)" }
        guard let unit = schedule.text("every") else { return "never" }
        let interval = schedule.text("interval") ?? "1"
        let every = interval == "1" ? "every \(unit)" : "every \(interval) \(unit)s"
        return every + (schedule.text("anchor").map { ", counted from \($0)" } ?? "")
    }

    /// As a sentence about a meter.
    var sentence: String { text == "never" ? "never resets" : "resets \(text)" }

    /// The words of the wire, as a choice says them.
    static let choices: [(word: String, label: String)] = [
        ("never", "Never: one period for all time"), ("hourly", "Every hour"),
        ("daily", "Every day at midnight"), ("weekly", "Every week, on Monday"),
        ("monthly", "Every month, on the 1st"), ("quarterly", "Every quarter"),
        ("yearly", "Every year, on January 1st"),
    ]

    private static let words = [
        "never": "never", "hourly": "every hour", "daily": "every day", "weekly": "every week",
        "monthly": "every month", "quarterly": "every quarter", "yearly": "every year",
    ]
}
