import UsageModel

/// What to say of an event that is not taken; off the path of those that are.
extension BatchDecoder {
    /// One fault of an event: what, and where.
    private struct Verdict {
        var reason: RejectionReason
        var pointer: String
        var offset: Int
    }

    var syntaxFault: MalformedBody { malformed(scanner.syntaxFault, scanner.syntaxOffset) }

    func malformed(_ fault: SyntaxFault, _ offset: Int) -> MalformedBody {
        let fault = offset >= end ? SyntaxFault.unexpectedEnd : fault
        return MalformedBody(offset: min(offset, end), reason: fault.rawValue)
    }

    func tooMany(_ offset: Int) -> MalformedBody {
        MalformedBody(
            fault: .tooManyEvents,
            offset: offset,
            reason: "a call has at most \(Limits.batchEventsMax) events"
        )
    }

    /// Only spaces may follow the value of a JSON body; those at the end are cut off before.
    func trailing(_ at: Int) -> MalformedBody? {
        at == end ? nil : malformed(.trailing, scanner.skipSpace(at))
    }

    /// Scans a value that is no object; returns the place behind it, or a negative one.
    @inline(never)
    mutating func notAnEvent(_ start: Int) -> Int {
        let behind = scanner.value(start)
        if behind < 0 { return behind }
        record(Verdict(reason: .notAnObject, pointer: "", offset: start), range: start..<behind)
        index += 1
        return behind
    }

    mutating func rejectLine(_ range: Range<Int>) {
        scanner.resetFaults()
        record(
            Verdict(reason: .malformedJSON, pointer: "", offset: scanner.syntaxOffset),
            range: range,
            detail: RejectionReason.malformedJSON.explanation + ": "
                + scanner.syntaxFault.rawValue
        )
        index += 1
    }

    /// Judges an event that ``accept`` did not take.
    @inline(never)
    mutating func reject(_ judged: Envelope, _ range: Range<Int>) {
        var envelope = judged
        envelope.seen &= ~envelope.null
        record(verdict(on: envelope, range), range: range, envelope: envelope)
    }

    private mutating func record(
        _ verdict: Verdict,
        range: Range<Int>,
        envelope: Envelope? = nil,
        detail: String? = nil
    ) {
        rejected.append(
            RejectedEvent(
                index: index,
                reason: verdict.reason,
                pointer: verdict.pointer,
                detail: detail ?? verdict.reason.explanation,
                whole: ByteSlice(offset: UInt32(range.lowerBound), count: UInt32(range.count)),
                source: envelope?.source ?? .empty,
                id: envelope?.id ?? .empty,
                type: envelope?.type ?? .empty,
                line: line,
                offset: UInt32(verdict.offset)
            )
        )
    }

    private mutating func verdict(on envelope: Envelope, _ range: Range<Int>) -> Verdict {
        if range.count > Limits.eventBytesMax {
            return Verdict(reason: .eventTooLarge, pointer: "", offset: range.lowerBound)
        }
        if scanner.faultOffset != .max {
            return Verdict(
                reason: scanner.faultReason,
                pointer: jsonPointer(to: scanner.faultOffset, in: bytes, range),
                offset: scanner.faultOffset
            )
        }
        let attribute = { (reason: RejectionReason, name: String) in
            Verdict(reason: reason, pointer: "/" + name, offset: range.lowerBound)
        }
        let hasVersion = envelope.seen & Attribute.specversion.bit != 0
        if !envelope.isVersionOne, hasVersion || !isLenient {
            return attribute(.specversionUnsupported, "specversion")
        }
        for rule in TextRule.all {
            if let reason = rule.fault(in: envelope) { return attribute(reason, rule.name) }
        }
        if let reason = timeFault(in: envelope) { return attribute(reason, "time") }
        let base64 = Attribute.dataBase64.bit
        let isWrong = envelope.notString & ~envelope.null & base64 != 0
        let hasBoth =
            envelope.seen & base64 != 0
            && envelope.seen & Attribute.data.bit != 0
        if isWrong || hasBoth { return attribute(.attributeInvalid, "data_base64") }
        return Verdict(
            reason: .attributeInvalid,
            pointer: jsonPointer(to: envelope.extensionFault, in: bytes, range),
            offset: envelope.extensionFault
        )
    }

    private mutating func timeFault(in envelope: Envelope) -> RejectionReason? {
        guard envelope.seen & Attribute.time.bit != 0 else { return nil }
        if envelope.notString & Attribute.time.bit != 0 { return .timeInvalid }
        return switch reading(of: envelope.time) {
        case .instant: nil
        case .missingOffset: .timeMissingOffset
        case .invalid: .timeInvalid
        }
    }

    /// Reads the time, which is behind the bytes where it was spelled with escapes.
    @inline(__always)
    mutating func reading(of time: ByteSlice) -> InstantReading {
        if time.range.upperBound <= bytes.count {
            return unsafe Instant.read(rfc3339: bytes.buffer(time.range))
        }
        return spilledReading(of: time)
    }

    @inline(never)
    private mutating func spilledReading(of time: ByteSlice) -> InstantReading {
        let range = time.range
        let bytes = bytes
        return unsafe scanner.spill.withUnsafeBytes { spill in
            let text = unsafe RawBytes(spill)
            let start = range.lowerBound - bytes.count
            return unsafe Instant.read(rfc3339: text.buffer(start..<start + range.count))
        }
    }
}

/// The rule for an attribute that must be a non-empty text.
private struct TextRule {
    var attribute: Attribute
    var name: String
    var countMax: Int
    var text: @Sendable (Envelope) -> ByteSlice
    var missing: RejectionReason
    var notString: RejectionReason
    var empty: RejectionReason
    var tooLong: RejectionReason

    /// In the order in which faults are reported.
    static let all = [
        TextRule(
            attribute: .id,
            name: "id",
            countMax: Limits.keyFieldBytesMax,
            text: { $0.id },
            missing: .idMissing,
            notString: .idNotString,
            empty: .idEmpty,
            tooLong: .idTooLong
        ),
        TextRule(
            attribute: .source,
            name: "source",
            countMax: Limits.keyFieldBytesMax,
            text: { $0.source },
            missing: .sourceMissing,
            notString: .sourceNotString,
            empty: .sourceEmpty,
            tooLong: .sourceTooLong
        ),
        TextRule(
            attribute: .type,
            name: "type",
            countMax: Limits.eventTypeBytesMax,
            text: { $0.type },
            missing: .typeMissing,
            notString: .typeNotString,
            empty: .typeEmpty,
            tooLong: .typeTooLong
        ),
        TextRule(
            attribute: .subject,
            name: "subject",
            countMax: Limits.subjectBytesMax,
            text: { $0.subject },
            missing: .subjectMissing,
            notString: .subjectNotString,
            empty: .subjectEmpty,
            tooLong: .subjectTooLong
        ),
    ]

    func fault(in envelope: Envelope) -> RejectionReason? {
        let bit = attribute.bit
        if envelope.seen & bit == 0 { return missing }
        if envelope.notString & bit != 0 { return notString }
        let count = Int(text(envelope).count)
        return count == 0 ? empty : count > countMax ? tooLong : nil
    }
}
