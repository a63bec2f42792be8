internal import MeteringEngine
internal import UsageModel
internal import WireFormat

// What the audit trail says of things: as the API shows them, secrets hidden.
extension AuditedChange {
    /// - Parameter before: The version that was the newest; nil where there was none.
    static func of(
        _ meterType: MeterType,
        _ action: AuditAction,
        before: MeterType?
    ) -> AuditedChange {
        AuditedChange(
            action,
            .meterType,
            meterType.key.text,
            before: before.map(document),
            after: document(meterType)
        )
    }

    private static func document(_ version: MeterType) -> JSONValue {
        var document = MeterTypeDocument.write(version.definition).objectValue ?? [:]
        document["version"] = .number(String(version.version))
        document["effectiveFrom"] = version.effectiveFrom.map { .string($0.rfc3339) }
        document["cancelledAt"] = version.cancelledAt.map { .string($0.rfc3339) }
        document["retiredAt"] = version.retiredAt.map { .string($0.rfc3339) }
        return .object(document)
    }

    /// - Parameter before: nil where the meter was not enrolled.
    static func of(
        _ enrolment: MeterEnrolment,
        _ action: AuditAction,
        before: MeterEnrolment?
    ) -> AuditedChange {
        AuditedChange(
            action,
            .meter,
            enrolment.id.text,
            before: before.map { .object(EnrolmentDocument.write($0)) },
            after: .object(EnrolmentDocument.write(enrolment))
        )
    }

    /// - Parameter before: The word about the meter that was said last; nil where none was.
    static func of(
        _ change: StandingChange,
        of id: MeterID,
        before: StandingChange?
    ) -> AuditedChange {
        let action: AuditAction =
            switch change.standing {
            case .active: .resume
            case .suspended: .suspend
            case .closed: .close
            }
        return AuditedChange(
            action,
            .meter,
            id.text,
            before: before.map(document),
            after: document(change),
            reason: change.reason
        )
    }

    private static func document(_ change: StandingChange) -> JSONValue {
        var document: JSONObject = [
            "state": .string(change.standing.rawValue), "from": .string(change.from.rfc3339),
        ]
        document["to"] = change.to.map { .string($0.rfc3339) }
        if !change.reason.isEmpty { document["reason"] = .string(change.reason) }
        return .object(document)
    }

    /// - Parameter before: nil where there was no such customer.
    static func of(_ customer: Customer, before: Customer?) -> AuditedChange {
        let isRetired = customer.retiredAt != nil
        return AuditedChange(
            before == nil ? .create : isRetired ? .retire : .change,
            .customer,
            customer.key.text,
            before: before.map(document),
            after: document(customer)
        )
    }

    private static func document(_ customer: Customer) -> JSONValue {
        var document = CustomerDocument.write(customer.definition)
        document["retiredAt"] = customer.retiredAt.map { .string($0.rfc3339) }
        return .object(document)
    }

    /// - Parameter before: nil where there was no such destination.
    static func of(
        _ destination: Destination,
        before: Destination?,
        by author: Author
    ) -> AuditedChange {
        let shown = before.map(document)
        var after = document(destination)
        let secrets = before.map { DestinationDocument.secrets(of: $0.definition) }
        if let secrets, secrets != DestinationDocument.secrets(of: destination.definition) {
            // That they changed is all that is told of them.
            after["secretsChanged"] = true
        }
        return AuditedChange(
            action(destination, before: before),
            .destination,
            destination.key.text,
            before: shown.map { .object($0) },
            after: .object(after),
            author: author
        )
    }

    private static func action(_ destination: Destination, before: Destination?) -> AuditAction {
        guard let before else { return .create }
        if destination.retiredAt != nil { return .retire }
        var flipped = before.definition
        flipped.isPaused.toggle()
        guard flipped == destination.definition else { return .change }
        return flipped.isPaused ? .pause : .resume
    }

    private static func document(_ destination: Destination) -> JSONObject {
        var document = DestinationDocument.shown(destination.definition)
        document["revision"] = .number(String(destination.revision))
        document["retiredAt"] = destination.retiredAt.map { .string($0.rfc3339) }
        return document
    }

    /// - Parameter count: How many deliveries are sent again.
    static func resending(
        _ selection: DeliverySelection,
        count: Int,
        by author: Author
    ) -> AuditedChange {
        var after: JSONObject = ["resent": .string(String(count))]
        switch selection.what {
        case .failed: after["state"] = .string(Delivery.State.failed.rawValue)
        case .numbers(let range):
            after["from"] = .string(String(range.lowerBound))
            after["to"] = .string(String(range.upperBound))
        case .records(let ids): after["records"] = .array(ids.map { .string($0.text) })
        }
        return AuditedChange(
            .resend,
            .destination,
            selection.destination.text,
            after: .object(after),
            author: author
        )
    }

    static func of(_ correction: Correction) -> AuditedChange {
        let action: AuditAction =
            switch correction.kind {
            case .void: .void
            case .replace: .replace
            case .restore: .restore
            case .close: .close
            case .revert: .revert
            }
        var after: JSONObject = [
            "position": .string(correction.position.description),
            "events": .number(String(correction.events)),
        ]
        if correction.backfillSet != nil { after["correction"] = .string(correction.id) }
        return AuditedChange(
            action,
            correction.backfillSet == nil ? .correction : .backfillSet,
            correction.backfillSet.map { BackfillSet.id($0) } ?? correction.id,
            after: .object(after),
            reason: correction.reason,
            author: Author.current.calledItself(correction.author)
        )
    }

    static func opened(_ set: BackfillSet, reason: String) -> AuditedChange {
        var after: JSONObject = ["name": .string(set.name)]
        after["replaceExisting"] = set.replacing.map { .object($0.document) }
        return AuditedChange(
            .create,
            .backfillSet,
            set.id,
            after: .object(after),
            reason: reason,
            author: Author.current.calledItself(set.author)
        )
    }

    static func of(
        _ item: QuarantinedEvent,
        _ change: QuarantineChange,
        before: QuarantinedEvent
    ) -> AuditedChange {
        let action: AuditAction =
            switch change {
            case .edit: .edit
            case .discard: .discard
            case .reopen: .reopen
            }
        return AuditedChange(
            action,
            .quarantined,
            item.id,
            before: document(before),
            after: document(item),
            reason: item.note.reason,
            author: Author.current.calledItself(item.note.author)
        )
    }

    private static func document(_ item: QuarantinedEvent) -> JSONValue {
        [
            "state": .string(item.state.rawValue), "version": .number(String(item.version)),
            "event": .string(String(decoding: item.bytes, as: UTF8.self)),
        ]
    }

    /// What became of an item that was released by itself.
    static func of(_ mark: ReleaseMark, by author: Author) -> AuditedChange {
        let version = mark.item.version
        var after: JSONObject = [
            "verdict": .string(mark.verdict.rawValue), "version": .number(String(version + 1)),
        ]
        if mark.position != 0 { after["position"] = .string(String(mark.position)) }
        if let rule = mark.item.rule {
            after["repairedBy"] = [
                "rule": .string(rule.key.text), "version": .number(String(rule.version)),
            ]
        }
        return AuditedChange(
            .release,
            .quarantined,
            QuarantinedEvent.id(mark.item.number),
            before: ["version": .number(String(version))],
            after: .object(after),
            reason: mark.note.reason,
            author: author.calledItself(mark.note.author)
        )
    }

    /// An action on many items: its request stands for all that it does to them.
    static func of(
        _ action: QuarantineAction,
        _ what: AuditAction,
        by author: Author = .current
    ) -> AuditedChange {
        let note = action.request.note
        return AuditedChange(
            what,
            .quarantineAction,
            action.id,
            after: .object(QuarantineDocument.document(action.request)),
            reason: what == .start ? note.reason : "",
            author: what == .start ? author.calledItself(note.author) : author
        )
    }

    /// - Parameter before: nil where there was no such rule.
    static func of(
        _ rule: RepairRule,
        _ what: AuditAction,
        before: RepairRule?,
        by author: Author
    ) -> AuditedChange {
        AuditedChange(
            what,
            .repairRule,
            rule.key.text,
            before: before.map(document),
            after: what == .retire ? nil : document(rule),
            author: author
        )
    }

    private static func document(_ rule: RepairRule) -> JSONValue {
        var document = RepairRuleDocument.write(rule.definition)
        document["version"] = .number(String(rule.version))
        return .object(document)
    }

    static func of(_ manifest: SourceManifest, by author: Author) -> AuditedChange {
        AuditedChange(
            .create,
            .manifest,
            manifest.id,
            after: .object(ManifestDocument.write(manifest.claim)),
            author: author
        )
    }
}
