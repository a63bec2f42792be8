import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// `POST /v1/events`.
extension FrontDesk {
    /// Takes a call's events in, and answers when they are durable and visible.
    ///
    /// On the way of an accepted event nothing is made per event here: the body is one array, the
    /// decoder hands out slices of it, and the answer lists only what was not plainly accepted.
    func record(_ call: Call) async throws -> Answer {
        let headers = call.request.headers
        let form = try EventForm(headers)
        let announced = try bodies.announcement(headers)
        var query = try call.query()
        let isVerbose = query.flag("verbose")
        let isAtomic = query.flag("atomic")
        try query.finish()
        let set = call.route == .backfillSetEvents ? try await knownSet(call).number : nil

        var share = BodyShare(of: budget)
        let body = try await bodies.read(call.request.body, announced, share: &share)
        let batch = ledger.preparer.prepare(
            try decode(body, form, headers),
            arrival: clock()
        )
        let outcome: BatchOutcome
        if let set {
            outcome = try await setStore.record(batch, into: set, isAtomic: isAtomic)
        } else {
            outcome = try await ledger.record(batch, isAtomic: isAtomic)
        }
        share.end()

        let report = IntakeReport(batch: batch, outcome: outcome, isVerbose: isVerbose)
        if outcome.isRefused {
            let refusal = Refusal(
                .atomicRefused,
                "\(report.conflicts + report.rejected) of \(batch.received) events stand in the "
                    + "way; nothing was recorded"
            )
            return refusal.answer(
                instance: call.path,
                isPretty: call.isPretty,
                writeMore: report.write
            )
        }
        if report.isClean, headers[.prefer].map(Self.wantsMinimal) == true {
            return Answer(
                status: .noContent,
                headers: [
                    .odometerPosition: outcome.position.description,
                    .preferenceApplied: "return=minimal",
                ]
            )
        }
        var json = JSONWriter(pretty: call.isPretty)
        json.object(report.write)
        return .json(json)
    }

    private func decode(
        _ body: consuming [UInt8],
        _ form: EventForm,
        _ headers: HTTPFields
    ) throws(Refusal) -> DecodedBatch {
        do throws(MalformedBody) {
            switch form {
            case .framed(let framing): return try decodeEvents(body, framing: framing)
            case .binary(let contentType):
                let event = try structuredEvent(
                    fromBinary: Self.attributes(headers),
                    contentType: contentType,
                    body: body
                )
                return try decodeEvents(event, framing: .cloudEvent)
            }
        } catch { throw Refusal(error) }
    }

    /// The `ce-` headers: their names without the prefix, their values as they came.
    static func attributes(_ headers: HTTPFields) -> [(name: String, value: String)] {
        headers.compactMap { field in
            let name = field.name.canonicalName
            return name.hasPrefix("ce-") ? (String(name.dropFirst(3)), field.value) : nil
        }
    }

    private static func wantsMinimal(_ prefer: String) -> Bool {
        prefer.split(whereSeparator: { $0 == "," || $0 == ";" }).contains {
            MediaType.trimmed($0).lowercased() == "return=minimal"
        }
    }
}

/// What became of a call's events, in words of the wire.
struct IntakeReport {
    private let batch: PreparedBatch
    private let outcome: BatchOutcome
    private let isVerbose: Bool
    private(set) var duplicates = 0
    private(set) var conflicts = 0
    private(set) var rejected = 0

    init(batch: PreparedBatch, outcome: BatchOutcome, isVerbose: Bool) {
        (self.batch, self.outcome, self.isVerbose) = (batch, outcome, isVerbose)
        for exception in outcome.exceptions {
            switch exception.verdict {
            case .duplicate: duplicates += 1
            case .conflict: conflicts += 1
            case .rejected: rejected += 1
            case .accepted: break
            }
        }
    }

    /// Whether nothing in it needs anybody's attention.
    var isClean: Bool { conflicts == 0 && rejected == 0 && !hasWarnings }

    private var hasWarnings: Bool { outcome.unreadable > 0 || !outcome.warnings.isEmpty }

    func write(_ json: inout JSONWriter) {
        json.field("received", batch.received)
        json.field("accepted", outcome.accepted)
        json.field("duplicates", duplicates)
        json.field("conflicts", conflicts)
        json.field("rejected", rejected)
        json.field("position", outcome.position)
        if hasWarnings { json.object("warnings", writeWarnings) }
        json.array("items") { json in
            isVerbose ? writeAll(&json) : writeExceptions(&json)
        }
    }

    private func writeWarnings(_ json: inout JSONWriter) {
        json.field("unreadable", outcome.unreadable)
        if outcome.unreadable > 0 { json.field("see", "/v1/unreadable") }
        guard !outcome.warnings.isEmpty else { return }
        json.array("rules") { json in
            for warning in outcome.warnings {
                json.object { json in
                    json.field("rule", warning.finding.rule.text)
                    json.field("version", warning.finding.version)
                    json.field("events", warning.events)
                    json.field("index", warning.index)
                    json.field("pointer", warning.finding.pointer)
                    json.field("detail", warning.finding.detail)
                }
            }
        }
    }

    private func writeExceptions(_ json: inout JSONWriter) {
        var rejections = batch.rejected.makeIterator()
        for exception in outcome.exceptions { write(exception, &rejections, &json) }
    }

    /// Accepted events have no entry in the outcome: they are the gaps between the exceptions, and
    /// their positions follow densely.
    private func writeAll(_ json: inout JSONWriter) {
        var rejections = batch.rejected.makeIterator()
        var exceptions = outcome.exceptions.makeIterator()
        var next = exceptions.next()
        var position = outcome.firstPosition
        for index in 0..<batch.received {
            if let exception = next, exception.index == index {
                write(exception, &rejections, &json)
                next = exceptions.next()
            } else if !outcome.isRefused {
                json.object { json in
                    json.field("index", index)
                    writeKey(of: index, &json)
                    json.field("verdict", Verdict.accepted.rawValue)
                    json.field("position", position)
                }
                position.value += 1
            }
        }
    }

    private func write(
        _ exception: BatchOutcome.Exception,
        _ rejections: inout IndexingIterator<[RejectedEvent]>,
        _ json: inout JSONWriter
    ) {
        json.object { json in
            json.field("index", exception.index)
            if let failure = exception.failure {
                writeKey(of: exception.index, &json)
                json.field("verdict", exception.verdict.rawValue)
                json.field("reason", RejectionReason.ruleFailed.rawValue)
                json.field("pointer", failure.pointer)
                json.field("detail", failure.detail)
            } else if exception.verdict == .rejected {
                while let rejection = rejections.next() {
                    if rejection.index != exception.index { continue }
                    write(rejection, &json)
                    break
                }
            } else {
                writeKey(of: exception.index, &json)
                json.field("verdict", exception.verdict.rawValue)
                if exception.position > .zero { json.field("position", exception.position) }
            }
            if let id = exception.quarantineID { json.field("quarantineId", id) }
        }
    }

    private func write(_ rejection: RejectedEvent, _ json: inout JSONWriter) {
        writeText("source", rejection.source, &json)
        writeText("id", rejection.id, &json)
        json.field("verdict", Verdict.rejected.rawValue)
        json.field("reason", rejection.reason.rawValue)
        json.field("pointer", rejection.pointer)
        json.field("detail", rejection.detail)
        if rejection.line > 0 { json.field("line", Int(rejection.line)) }
        json.field("offset", Int(rejection.offset))
    }

    private func writeKey(of index: Int, _ json: inout JSONWriter) {
        guard let event = event(at: index) else { return }
        writeText("source", event.source, &json)
        writeText("id", event.id, &json)
    }

    private func writeText(_ name: String, _ slice: ByteSlice, _ json: inout JSONWriter) {
        if !slice.isEmpty { json.field(name, utf8: batch.bytes[slice.range]) }
    }

    /// The event at a place of the call; the rejected ones have left gaps before it.
    private func event(at index: Int) -> DecodedEvent? {
        var low = 0
        var high = batch.events.count
        while low < high {
            let middle = (low + high) / 2
            if batch.events[middle].decoded.index < index {
                low = middle + 1
            } else {
                high = middle
            }
        }
        guard low < batch.events.count else { return nil }
        let event = batch.events[low].decoded
        return event.index == index ? event : nil
    }
}
