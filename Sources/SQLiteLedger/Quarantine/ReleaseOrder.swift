internal import MeteringEngine
internal import UsageModel
internal import WireFormat

/// Items of the quarantine on their way to be counted: what a call carries along, so that their
/// rows are marked in the commit that counts their events.
struct ReleaseOrder: Sendable {
    struct Item: Sendable {
        var number: Int64
        /// The version that was looked at; another one, and nothing of the order is done.
        var version: Int64
        /// The bytes to be counted.
        var bytes: [UInt8]
        /// Whether these bytes are an edit that comes into force with the release.
        var isEdited = false
        /// The time of an event that states none: it took place when it first came.
        var firstSeenAt: Instant
        /// The repair rule that mended it; nil where somebody releases it.
        var rule: RepairRule?
    }

    /// By the place of their event in the call.
    var items: [Item]
    var note: QuarantineNote
    /// Who asks for it: the order goes to another thread.
    let author = Author.current
    /// The page of an action that is done with this order.
    var page: ActionPage?
    /// The page of the repair rules that is done with this order.
    var repairs: RepairPage?

    init(
        items: [Item],
        note: QuarantineNote,
        page: ActionPage? = nil,
        repairs: RepairPage? = nil
    ) {
        (self.items, self.note) = (items, note)
        (self.page, self.repairs) = (page, repairs)
    }

    /// What the ordinary decoder makes of the items' bytes, as of the JSON events of one call.
    ///
    /// Each is looked at alone first: one that is no JSON must not take the others with it.
    func prepared(by preparer: EventPreparer, now: Instant) throws -> PreparedBatch {
        var faults: [UInt32: (reason: RejectionReason, detail: String)] = [:]
        var joined = [UInt8(ascii: "[")]
        joined.reserveCapacity(items.reduce(2) { $0 + $1.bytes.count + 1 })
        for (place, item) in items.enumerated() {
            if place > 0 { joined.append(UInt8(ascii: ",")) }
            if let fault = Self.fault(item.bytes) {
                faults[UInt32(place)] = fault
                // An element that is no event stands in its place.
                joined.append(contentsOf: "null".utf8)
            } else {
                joined.append(contentsOf: item.bytes)
            }
        }
        joined.append(UInt8(ascii: "]"))
        var decoded = try decodeEvents(joined, framing: .plain)
        for place in decoded.rejected.indices {
            guard let fault = faults[decoded.rejected[place].index] else { continue }
            decoded.rejected[place].reason = fault.reason
            decoded.rejected[place].detail = fault.detail
            decoded.rejected[place].pointer = ""
        }
        let arrivals = decoded.events.map { event in
            event.hasTime ? now : items[Int(event.index)].firstSeenAt
        }
        return preparer.prepare(decoded, arrival: now, arrivals: arrivals)
    }

    /// When each event of the order's batch first came: what rules compare its time with.
    func seenAt(of batch: PreparedBatch) -> [Instant] {
        batch.events.map { items[Int($0.decoded.index)].firstSeenAt }
    }

    /// Why bytes cannot stand among the others; nil where they are one JSON object of a fit size.
    private static func fault(_ bytes: [UInt8]) -> (reason: RejectionReason, detail: String)? {
        if bytes.count > Limits.eventBytesMax {
            return (.eventTooLarge, RejectionReason.eventTooLarge.explanation)
        }
        do throws(MalformedBody) {
            _ = try decodeEvents(bytes, framing: .plain)
        } catch {
            return (.malformedJSON, "it is not JSON: \(error.description)")
        }
        let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        if first == UInt8(ascii: "{") { return nil }
        return (.notAnObject, RejectionReason.notAnObject.explanation)
    }
}

/// What a decided order says of one item.
struct ReleaseMark: Sendable {
    var item: ReleaseOrder.Item
    var note: QuarantineNote
    var verdict: Verdict
    /// Of the event in the log; meaningless where it was rejected.
    var position: UInt64
    /// Why the item stays open; empty where it does not.
    var reason = ""
    var pointer = ""
    var detail = ""
    /// The validation rule that it failed; empty for all other reasons.
    var rule = ""
    /// Who released it by itself; nil where an action did, which is audited as a whole.
    var author: Author?

    /// The marks of an order, in the order of its items.
    static func all(_ order: ReleaseOrder, _ batch: PreparedBatch, _ share: GroupDecision.Share)
        -> [ReleaseMark]
    {
        var marks = order.items.map { item in
            var mark = ReleaseMark(item: item, note: order.note, verdict: .accepted, position: 0)
            if order.page == nil { mark.author = order.author }
            if let rule = item.rule {
                (mark.note, mark.author) = (rule.note, Author(name: rule.note.author))
            }
            return mark
        }
        for (place, event) in batch.events.enumerated() {
            marks[Int(event.decoded.index)].position = share.positions[place]
        }
        for exception in share.exceptions {
            marks[exception.index].verdict = exception.verdict
            if let failure = exception.failure {
                marks[exception.index].reason = RejectionReason.ruleFailed.rawValue
                marks[exception.index].pointer = failure.pointer
                marks[exception.index].detail = failure.detail
                marks[exception.index].rule = failure.rule.text
            }
            guard exception.verdict != .rejected else { continue }
            let position = exception.position
            marks[exception.index].position = position.value
            guard exception.verdict == .conflict else { continue }
            marks[exception.index].reason = RejectionReason.conflict.rawValue
            marks[exception.index].detail = GroupDecision.conflictDetail(position.value)
        }
        for rejected in batch.rejected {
            let place = Int(rejected.index)
            marks[place].reason = rejected.reason.rawValue
            marks[place].pointer = rejected.pointer
            marks[place].detail = rejected.detail
        }
        return marks
    }
}

extension ReleaseMark {
    /// What a repair rule did by this; nil where none did anything.
    var repair: RepairMark? {
        item.rule.map { rule in
            RepairMark(
                rule: rule.key.text,
                version: rule.version,
                outcome: RepairMark.Outcome(rawValue: verdict.rawValue) ?? .failed,
                detail: [reason, detail].filter { !$0.isEmpty }.joined(separator: ": ")
            )
        }
    }
}

extension RepairRule {
    /// Who releases what the rule mends: its author, through the rule.
    fileprivate var note: QuarantineNote {
        let by = author.isEmpty ? "" : " by \(author)"
        return QuarantineNote(author: "rule:\(key)", reason: "version \(version)\(by)")
    }
}
