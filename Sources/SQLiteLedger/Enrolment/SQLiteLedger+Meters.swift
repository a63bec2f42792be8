public import MeteringEngine
internal import Synchronization
public import UsageModel

// What is said of meters: enrolments, changes, standings.
extension SQLiteLedger {
    public func enrol(
        _ enrolments: [MeterEnrolment]
    ) async throws(LedgerError) -> EnrolAnswer {
        let core = core
        let answer = try await perform { committer in
            try core.enrol(enrolments, position: committer.position)
        }
        if answer.enrolled > 0 { Recounting(core: core).start() }
        return answer
    }

    public func alter(
        _ id: MeterID,
        _ alteration: MeterAlteration
    ) async throws(LedgerError) -> EnrolledMeter {
        let core = core
        let meter = try await perform { committer in
            try core.alter(id, alteration, position: committer.position)
        }
        Recounting(core: core).start()
        return meter
    }

    public func say(
        _ change: StandingChange,
        of id: MeterID
    ) async throws(LedgerError) -> EnrolledMeter {
        let core = core
        let meter = try await perform { committer in
            try core.say(change, of: id, position: committer.position)
        }
        Recounting(core: core).start()
        return meter
    }
}

extension LedgerCore {
    fileprivate func enrol(
        _ enrolments: [MeterEnrolment],
        position: UInt64
    ) throws -> EnrolAnswer {
        let registry = meterRegistry.withLock { $0 }
        try judgeTypes(enrolments)
        let known = try truth.enrolled(enrolments.map(\.id).filter(registry.isEnrolled))
        var fresh: [MeterID: MeterEnrolment] = [:]
        var rows: [Truth.MeterChangeRow] = []
        var error = LedgerError(.alreadyExists, "a meter is enrolled in other words")
        let now = clock()
        for (place, enrolment) in enrolments.enumerated() {
            let before = known[enrolment.id]?.enrolment ?? fresh[enrolment.id]
            guard let before else {
                fresh[enrolment.id] = enrolment
                let number = registry.last + Int64(rows.count) + 1
                rows.append(.init(enrolment, .enrolled, number, position: position, at: now))
                continue
            }
            let pointer = enrolments.count > 1 ? "/meters/\(place)" : ""
            error.faults += Self.differences(enrolment, before, at: pointer)
            if error.faults.count >= Limits.usersShownMax { break }
        }
        guard error.faults.isEmpty else { throw error }
        guard registry.count + rows.count <= Limits.enrolmentsMax else {
            throw LedgerError(
                .limitExceeded,
                "there are \(registry.count) meters, and \(Limits.enrolmentsMax) at most"
            )
        }
        let audited = rows.compactMap { row in
            fresh[row.id].map { AuditedChange.of($0, .enrol, before: nil) }
        }
        if !rows.isEmpty { try add(rows, audited: audited) }
        return EnrolAnswer(
            position: Position(position),
            enrolled: rows.count,
            unchanged: enrolments.count - rows.count
        )
    }

    private func judgeTypes(_ enrolments: [MeterEnrolment]) throws(LedgerError) {
        let types = Dictionary(grouping: currentMeterTypes(), by: \.key)
        var judged: Set<MeterTypeKey> = []
        for (place, enrolment) in enrolments.enumerated()
        where judged.insert(enrolment.id.meterType).inserted {
            let key = enrolment.id.meterType
            guard let versions = types[key], !versions.isEmpty else {
                var error = LedgerError(.notFound, "there is no meter type \"\(key)\"")
                error.faults = [
                    FieldFault(
                        pointer: (enrolments.count > 1 ? "/meters/\(place)" : "") + "/meterType",
                        reason: "there is no meter type \"\(key)\"",
                        remedy: "make it first"
                    )
                ]
                throw error
            }
            if versions.allSatisfy({ $0.retiredAt != nil }) {
                throw LedgerError(.retired, "meter type \"\(key)\" is retired")
            }
        }
    }

    private static func differences(
        _ one: MeterEnrolment,
        _ other: MeterEnrolment,
        at pointer: String
    ) -> [FieldFault] {
        var faults: [FieldFault] = []
        func compare(_ field: String, _ isEqual: Bool, _ stands: String) {
            if isEqual { return }
            faults.append(
                FieldFault(
                    pointer: pointer + "/" + field,
                    reason: "\(one.id) is enrolled with \(stands)",
                    remedy: "change it with PATCH /v1/meters/\(one.id)"
                )
            )
        }
        func text(_ instant: Instant?) -> String { instant?.rfc3339 ?? "none" }
        func text(_ text: String) -> String { text.isEmpty ? "none" : "\"\(text)\"" }
        compare("start", one.start == other.start, text(other.start))
        compare("end", one.end == other.end, text(other.end))
        compare("category", one.category == other.category, text(other.category))
        compare("externalRef", one.externalRef == other.externalRef, text(other.externalRef))
        compare("metadata", one.metadata == other.metadata, "other metadata")
        return faults
    }

    /// What is known of a meter before a change.
    ///
    /// - Throws: `notFound` where there is no such meter to change; `limitExceeded`.
    private func meter(toChange id: MeterID) throws -> EnrolledMeter {
        let known = try truth.enrolled([id])[id]
        let type = currentMeterTypes().last { $0.key == id.meterType }
        guard let type, known?.isEnrolled == true || type.definition.enrolment == .auto else {
            throw LedgerError(.notFound, "there is no meter \(id)")
        }
        let registry = meterRegistry.withLock { $0 }
        let isFull = known == nil && registry.count >= Limits.enrolmentsMax
        if isFull || registry.changes(of: id).count >= Limits.meterChangesMax {
            throw LedgerError(
                .limitExceeded,
                "a meter changes \(Limits.meterChangesMax) times at most, and "
                    + "\(Limits.enrolmentsMax) meters"
            )
        }
        return known
            ?? EnrolledMeter(
                enrolment: MeterEnrolment(id: id),
                isEnrolled: false,
                since: clock()
            )
    }

    fileprivate func alter(
        _ id: MeterID,
        _ alteration: MeterAlteration,
        position: UInt64
    ) throws -> EnrolledMeter {
        var meter = try meter(toChange: id)
        let changed = alteration.applied(to: meter.enrolment)
        if let start = changed.start, let end = changed.end, start >= end {
            var error = LedgerError(.invalidDates, "the end does not lie after the start")
            error.faults = [
                FieldFault(
                    pointer: alteration.end == nil ? "/start" : "/end",
                    reason: "the meter would run from \(start.rfc3339) to \(end.rfc3339)",
                    remedy: "give an end that lies after the start"
                )
            ]
            throw error
        }
        guard changed != meter.enrolment else { return meter }
        let number = meterRegistry.withLock { $0.last } + 1
        try add(
            [.init(changed, .altered, number, position: position, at: clock())],
            audited: [.of(changed, .alter, before: meter.enrolment)]
        )
        meter.enrolment = changed
        return meter
    }

    fileprivate func say(
        _ change: StandingChange,
        of id: MeterID,
        position: UInt64
    ) throws -> EnrolledMeter {
        var meter = try meter(toChange: id)
        let word = EnrolledMeter.Word(change: change, at: clock(), position: Position(position))
        // The same once more, or that an active meter is active from then on.
        if meter.words.last?.change == change { return meter }
        if change.standing == .active, change.to == nil,
            meter.words.allSatisfy({ $0.change.standing == .active })
        {
            return meter
        }
        let row = Truth.MeterChangeRow(
            change: MeterRegistry.Change(
                number: meterRegistry.withLock { $0.last } + 1,
                kind: .init(change.standing),
                from: change.from,
                to: change.to ?? .end
            ),
            id: id,
            position: position,
            at: word.at,
            reason: change.reason
        )
        try add([row], audited: [.of(change, of: id, before: meter.words.last?.change)])
        meter.words.append(word)
        return meter
    }

    /// Records changes, and puts them in force for the next group. Only on the committer's thread.
    private func add(_ rows: [Truth.MeterChangeRow], audited: [AuditedChange]) throws {
        try truth.add(rows, audited: audited, at: clock())
        derived.intern(rows.map(\.id.subject))
        meterRegistry.withLock { registry in
            for row in rows { registry.add(row.change, of: row.id, position: row.position) }
        }
        renewGate()
    }
}

extension Truth.MeterChangeRow {
    init(
        _ enrolment: MeterEnrolment,
        _ kind: MeterRegistry.Change.Kind,
        _ number: Int64,
        position: UInt64,
        at: Instant
    ) {
        self.init(
            change: MeterRegistry.Change(
                number: number,
                kind: kind,
                from: enrolment.start ?? .beginning,
                to: enrolment.end ?? .end
            ),
            id: enrolment.id,
            position: position,
            at: at,
            category: enrolment.category,
            externalRef: enrolment.externalRef,
            metadata: enrolment.metadata
        )
    }
}

extension DerivedState {
    /// Gives subjects a name, so that lists come by them before their first event.
    func intern(_ subjects: [String]) {
        for subject in subjects {
            let bytes = Array(subject.utf8)
            let hash = hash(of: bytes)
            _ = tables.withLock { $0.names.intern(bytes, hash: hash) }
        }
    }

    func intern(_ registry: MeterRegistry) {
        var subjects: [String] = []
        registry.visitSubjects { subjects.append($0) }
        internSorted(subjects)
    }

    func intern(_ registry: CustomerRegistry) {
        var subjects: [String] = []
        registry.visitOwned { subject, _ in subjects.append(subject) }
        internSorted(subjects)
    }

    /// The order must not hang on a hash seed: lists go on after a restart where they were.
    private func internSorted(_ subjects: [String]) {
        intern(subjects.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }
}
