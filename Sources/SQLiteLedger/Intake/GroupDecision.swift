internal import MeteringEngine
internal import UsageModel
internal import WireFormat

/// What is decided about a group of calls before it is written: the verdict of every event, the
/// position of every new one, and the blocks they are stored in.
struct GroupDecision {
    /// One call's part.
    struct Share {
        var exceptions: [BatchOutcome.Exception] = []
        /// For each event of the batch its position; 0 where it was not accepted.
        var positions: [UInt64] = []
        var accepted = 0
        var firstPosition: UInt64 = 0
        var isRefused = false
        /// Of each rule that warned of events that count.
        var warnings: [BatchOutcome.Warning] = []
    }

    /// A block to be written.
    struct Block {
        var firstPosition: UInt64
        var packed: PackedBlock
    }

    /// An event to be kept in quarantine; the number it gets goes to an exception.
    struct Quarantined {
        var party: Int
        var exception: Int
        var reason: String
        var pointer: String
        var detail: String
        var source: ByteSlice
        var eventID: ByteSlice
        var type: ByteSlice
        var whole: ByteSlice
        /// The validation rule that rejects it; empty for all other reasons.
        var rule = ""
    }

    /// What one rule warned of.
    struct Warned {
        var events = 0
        /// Of the last of them.
        var position: UInt64 = 0
    }

    struct Unreadable {
        var position: UInt64
        var meter: UInt32
        var reason: UnreadableReason
    }

    /// When the group was decided: its hour is where it stands in the books.
    let at: Instant
    let firstPosition: UInt64
    var nextPosition: UInt64
    var shares: [Share] = []
    var blocks: [Block] = []
    var quarantined: [Quarantined] = []
    var unreadable: [Unreadable] = []
    var warned: [ValidationRuleKey: Warned] = [:]
    /// What becomes of released items.
    var marks: [ReleaseMark] = []
    /// The pages of actions that are done with it.
    var pages: [ActionPage] = []
    /// The pages of the repair rules that are done with it.
    var repairs: [RepairPage] = []
    var books = CommitBooks()

    init(nextPosition: UInt64, at: Instant) {
        (firstPosition, self.nextPosition, self.at) = (nextPosition, nextPosition, at)
    }

    var lastPosition: UInt64 { nextPosition - 1 }
    /// Whether anything was received, or happened to an item, that must be written down.
    var leavesTrace: Bool { books.received > 0 || !marks.isEmpty || !pages.isEmpty }

    static func conflictDetail(_ position: UInt64) -> String {
        "position \(position) has the same key and other content"
    }
}

/// What one commit adds to the books, by source and type.
struct CommitBooks {
    struct Line {
        var received: Int64 = 0
        var accepted: Int64 = 0
        var duplicate: Int64 = 0
        var conflict: Int64 = 0
        var quarantined: Int64 = 0
    }

    private(set) var lines: [PreparedBatch.Origin: Line] = [:]
    private(set) var received: Int64 = 0

    /// Adds a call that was not refused. Of a release only what is in the log now was received:
    /// what is rejected again, or in conflict, is where it was.
    mutating func add(_ party: Party, _ share: GroupDecision.Share) {
        let batch = party.batch
        var tally = [Line](repeating: Line(), count: batch.origins.count)
        for (index, event) in batch.events.enumerated() {
            let origin = Int(event.origin)
            tally[origin].received += 1
            if share.positions[index] != 0 { tally[origin].accepted += 1 }
        }
        var places: [UInt32: Int] = [:]
        if share.accepted < batch.events.count {
            for (place, event) in batch.events.enumerated() {
                places[event.decoded.index] = place
            }
        }
        let isRelease = party.order != nil
        for exception in share.exceptions {
            // What the decoder rejected has no such place.
            guard let place = places[UInt32(exception.index)] else { continue }
            let origin = Int(batch.events[place].origin)
            if exception.verdict == .duplicate {
                tally[origin].duplicate += 1
            } else if isRelease {
                tally[origin].received -= 1
            } else if exception.verdict == .rejected {
                tally[origin].quarantined += 1
            } else {
                tally[origin].conflict += 1
            }
        }
        for (origin, line) in zip(batch.origins, tally) where line.received > 0 {
            add(line, to: origin)
        }
        guard !isRelease else { return }
        for rejected in batch.rejected {
            let origin = PreparedBatch.Origin(
                source: Array(batch.bytes[rejected.source.range]),
                type: Array(batch.bytes[rejected.type.range])
            )
            add(Line(received: 1, quarantined: 1), to: origin)
        }
    }

    private mutating func add(_ line: Line, to origin: PreparedBatch.Origin) {
        lines[origin, default: Line()].received += line.received
        lines[origin, default: Line()].accepted += line.accepted
        lines[origin, default: Line()].duplicate += line.duplicate
        lines[origin, default: Line()].conflict += line.conflict
        lines[origin, default: Line()].quarantined += line.quarantined
        received += line.received
    }

    mutating func insert(_ line: Line, for origin: PreparedBatch.Origin) { add(line, to: origin) }

    /// `[["source","type",received,accepted,duplicate,conflict,quarantined],…]`
    var json: String {
        let rows = lines.map { origin, line in
            JSONValue.array([
                .string(String(decoding: origin.source, as: UTF8.self)),
                .string(String(decoding: origin.type, as: UTF8.self)),
                .number(String(line.received)), .number(String(line.accepted)),
                .number(String(line.duplicate)), .number(String(line.conflict)),
                .number(String(line.quarantined)),
            ])
        }
        return String(decoding: JSONValue.array(rows).serialized(pretty: false), as: UTF8.self)
    }

    init() {}

    /// Reads what ``json`` wrote; nil for anything else.
    init?(json: String) {
        guard case .array(let rows)? = try? JSONValue.parse(Array(json.utf8)) else { return nil }
        for row in rows {
            guard case .array(let cells) = row, cells.count == 7,
                case .string(let source) = cells[0], case .string(let type) = cells[1]
            else { return nil }
            let numbers = cells[2...].map { cell -> Int64? in
                if case .number(let text) = cell { Int64(text) } else { nil }
            }
            guard let received = numbers[0], let accepted = numbers[1],
                let duplicate = numbers[2], let conflict = numbers[3],
                let quarantined = numbers[4]
            else { return nil }
            let line = Line(
                received: received,
                accepted: accepted,
                duplicate: duplicate,
                conflict: conflict,
                quarantined: quarantined
            )
            add(line, to: .init(source: Array(source.utf8), type: Array(type.utf8)))
        }
    }
}
