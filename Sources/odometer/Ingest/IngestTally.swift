import FileIntake

/// What became of rows, in sum, with the first few reasons.
struct IngestTally: Sendable {
    /// How many reasons are kept.
    static let reasonsMax = 10

    var received = 0
    var accepted = 0
    var duplicates = 0
    var conflicts = 0
    var rejected = 0
    /// Pairs of event and meter type that matched and could not be read.
    var unreadable = 0
    /// Events that count and failed a validation rule, by its key.
    var warned: [String: Int] = [:]
    /// The latest position the server told.
    var position: UInt64 = 0
    private(set) var reasons: [String] = []
    private(set) var reasonsLeftOut = 0

    var isClean: Bool { conflicts == 0 && rejected == 0 }

    mutating func add(_ answer: IngestAnswer, of batch: FileBatch) {
        received += answer.received
        accepted += answer.accepted
        duplicates += answer.duplicates
        conflicts += answer.conflicts
        rejected += answer.rejected
        unreadable += answer.warnings?.unreadable ?? 0
        for one in answer.warnings?.rules ?? [] { warned[one.rule, default: 0] += one.events }
        position = max(position, UInt64(answer.position) ?? 0)
        let faults = Dictionary(batch.rows.faults.map { ($0.row, $0.reason) }) { $1 }
        for item in answer.items ?? [] where ["rejected", "conflict"].contains(item.verdict) {
            let row = batch.rows.firstRow + item.index
            var words = "\(batch.name), row \(row): \(item.verdict)"
            if item.verdict == "conflict" {
                words +=
                    ": id \(item.id ?? "?") of \(item.source ?? "?") is known with other content"
            } else if let fault = faults[row] {
                words += ": \(fault)"
            } else {
                words +=
                    ": "
                    + [item.reason, item.pointer, item.detail].compactMap(\.self)
                    .filter { !$0.isEmpty }.joined(separator: ", ")
            }
            note(words)
        }
    }

    private mutating func note(_ reason: String) {
        if reasons.count < Self.reasonsMax {
            reasons.append(Table.visible(reason))
        } else {
            reasonsLeftOut += 1
        }
    }

    var text: String {
        var table = Table(["", ""], numbers: [1])
        table.add(["received", "\(received)"])
        table.add(["accepted", "\(accepted)"])
        table.add(["duplicates", "\(duplicates)"])
        table.add(["conflicts", "\(conflicts)"])
        table.add(["rejected", "\(rejected)"])
        if unreadable > 0 { table.add(["unreadable", "\(unreadable)"]) }
        for (rule, events) in warned.sorted(by: { $0.key < $1.key }) {
            table.add(["warned by \(rule)", "\(events)"])
        }
        return table.text(withHead: false)
    }

    var json: String {
        """
        {"received":\(received),"accepted":\(accepted),"duplicates":\(duplicates),\
        "conflicts":\(conflicts),"rejected":\(rejected),"unreadable":\(unreadable),\
        "position":"\(position)","reasons":[\
        \(reasons.map(JSONText.quote).joined(separator: ","))]}

        """
    }
}

/// The server's answer to a batch.
struct IngestAnswer: Decodable, Sendable {
    struct Item: Decodable, Sendable {
        var index: Int
        var verdict: String
        var source: String?
        var id: String?
        var reason: String?
        var pointer: String?
        var detail: String?
    }

    struct Warnings: Decodable, Sendable {
        struct Rule: Decodable, Sendable {
            var rule: String
            var events: Int
        }
        var unreadable: Int
        var rules: [Rule]?
    }

    var received: Int
    var accepted: Int
    var duplicates: Int
    var conflicts: Int
    var rejected: Int
    var warnings: Warnings?
    var position: String
    var items: [Item]?
}
