import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// Versions of a meter type, their backfills, and what a draft would say.
extension FrontDesk {
    /// How often a change is tried again that another one came before.
    private static let revisionsMax = 5

    /// `PATCH /v1/meter-types/{key}`: a new version; the newest where nothing changes. The changed
    /// fields replace those of the newest version, `null` takes one away.
    func reviseMeterType(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let key = try Self.key(call)
        guard case .object(var changes) = try await readDocument(call) else {
            throw Refusal.fields([
                FieldFault(
                    pointer: "",
                    reason: "a change is a JSON object",
                    remedy: "send the changed fields, and effectiveFrom"
                )
            ])
        }
        let effective = try Self.effective(&changes)
        let restates = try Self.restates(&changes)
        let precondition = Precondition(call.request.headers)
        for _ in 0..<Self.revisionsMax {
            let before = try await newest(key)
            let definition = try revised(before.definition, changes)
            // Under the version that the ledger is asked to come after: of two the later is told.
            guard
                precondition.holds(for: EntityTag.number(before.version))
                    || changesNothing(definition, effective, before)
            else {
                let tag = EntityTag.number(before.version)
                let current = Self.document(before)
                return Refusal.outdated("meter type \(key)", current: current, tag: tag, call)
            }
            let made: MeterType
            do throws(LedgerError) {
                made = try await ledger.revise(
                    definition,
                    effective: effective,
                    after: before.version,
                    restates: restates
                )
            } catch {
                guard error.code == .outdated else { throw error }
                continue
            }
            return try await answer(made, call)
        }
        throw Refusal.busy("other changes of the meter type came before this one")
    }

    /// Whether the ledger would make no version of it: so is a call made twice.
    private func changesNothing(
        _ definition: MeterTypeDefinition,
        _ effective: EffectiveTime,
        _ before: MeterType
    ) -> Bool {
        guard case .now = effective else { return false }
        return definition == before.definition && before.cancelledAt == nil
    }

    private func newest(_ key: MeterTypeKey) async throws -> MeterType {
        guard let newest = try await ledger.meterTypes().first(where: { $0.key == key }) else {
            throw Refusal.notFound("there is no meter type \(key)")
        }
        return newest
    }

    /// Takes `effectiveFrom` out of a change: now unless said, `null` is since ever.
    private static func effective(_ changes: inout JSONObject) throws(Refusal) -> EffectiveTime {
        guard let value = changes["effectiveFrom"] else { return .now }
        changes["effectiveFrom"] = nil
        if value == .null { return .always }
        if let instant = value.stringValue.flatMap({ Instant(rfc3339: $0) }) { return .at(instant) }
        throw Refusal.fields([
            FieldFault(
                pointer: "/effectiveFrom",
                reason: "it is not a time",
                remedy: "give RFC 3339 with an offset, or null for all of history"
            )
        ])
    }

    /// Takes `restate` out of a change: whether closed periods may be told anew.
    private static func restates(_ changes: inout JSONObject) throws(Refusal) -> Bool {
        guard let value = changes["restate"] else { return false }
        changes["restate"] = nil
        if case .bool(let restates) = value { return restates }
        throw Refusal.fields([
            FieldFault(
                pointer: "/restate",
                reason: "it is neither true nor false",
                remedy: "give true where closed periods may be adjusted, or leave it out"
            )
        ])
    }

    private func revised(
        _ before: MeterTypeDefinition,
        _ changes: JSONObject
    ) throws -> MeterTypeDefinition {
        var document = MeterTypeDocument.write(before).objectValue ?? [:]
        let kept = document
        for member in changes.members { document[member.name] = member.value }
        let definition = try readDefinition(.object(document))
        let names = ["key", "aggregation", "unit", "percentile", "method", "timeUnit"]
        let faults = names.compactMap { name -> FieldFault? in
            let isSame: Bool =
                switch name {
                case "key": definition.key == before.key
                case "aggregation": definition.aggregation == before.aggregation
                case "percentile": definition.percentile?.share == before.percentile?.share
                case "method": definition.percentile?.method == before.percentile?.method
                case "timeUnit": definition.timeUnit == before.timeUnit
                default: definition.unit == before.unit
                }
            if isSame { return nil }
            let word = kept[name]?.stringValue ?? ""
            return FieldFault(
                pointer: "/" + name,
                reason: "it is \"\(word)\" in all versions",
                remedy: "leave it out, or make another meter type"
            )
        }
        guard faults.isEmpty else { throw Refusal.fields(faults) }
        return definition
    }

    /// `GET /v1/meter-types/{key}/versions`: the first one first, each with the times it rules.
    func listVersions(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let versions = try await ledger.versions(of: try Self.key(call))
        let ruling = versions.inForce()
        let items = versions.map { version in
            var document = Self.document(version)
            let own = ruling.first { $0.number == version.number }
            document["effectiveTo"] = own?.effectiveTo.map { .string($0.rfc3339) }
            document["state"] = .string(Self.state(version, isRuling: own != nil))
            return JSONValue.object(document)
        }
        return .json(["items": .array(items)], isPretty: call.isPretty)
    }

    private static func state(_ version: MeterType, isRuling: Bool) -> String {
        switch version.backfillState {
        case .waiting, .running: "pending"
        case .cancelled: "cancelled"
        case .done: isRuling ? "in-force" : "superseded"
        }
    }

    /// `GET /v1/backfills`: those that run or wait, in the order of their turns.
    func listBackfills(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let items = try await ledger.backfills().map { version in
            var item: JSONObject = [
                "meterType": .string(version.key.text),
                "version": .number(String(version.version)),
            ]
            for member in Self.progress(version).members { item[member.name] = member.value }
            return JSONValue.object(item)
        }
        return .json(["items": .array(items)], isPretty: call.isPretty)
    }

    /// `DELETE /v1/meter-types/{key}/backfill`: gives it up; the version never comes into force.
    func cancelBackfill(_ call: Call) async throws -> Answer {
        var query = try call.query()
        let version = query.version()
        try query.finish()
        return try await answer(
            try await ledger.cancelBackfill(try Self.key(call), version: version),
            call
        )
    }

    // MARK: Previews

    /// `POST /v1/meter-types/preview`: what a draft says of stored history. Nothing is saved.
    func previewMeterType(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        var reading = PreviewDocument()
        guard let document = reading.read(try await readDocument(call)) else {
            throw reading.refusal
        }
        let draft = try readDefinition(document.meterType, at: "/meterType")
        var question = PreviewQuery(draft: draft, range: document.range)
        question.groupBy = document.groupBy
        question.limit = document.limit
        question.carriedUntil = clock()
        question.newest = document.newest
        // A draft is read over all customers together: their zones do not cut it.
        let name = draft.isInCustomersZone ? "UTC" : draft.timezone
        let own = try rules(named: name, at: "/meterType/timezone")
        if let name = document.timezone { question.zone = try rules(named: name, at: "/timezone") }
        if document.window == "period" {
            question.calendar = UsageQuery.calendar(draft.resetSchedule, in: own)
        } else if let text = document.window {
            do { question.window = try UsageQuery.window(text) } catch {
                throw Refusal.fields([
                    FieldFault(
                        pointer: "/window",
                        reason: "\"\(text)\" is no window",
                        remedy: UsageQuery.windowRemedy
                    )
                ])
            }
        }
        let answer = try await ledger.preview(question)
        var json = JSONWriter(pretty: call.isPretty)
        let calendar = UsageQuery.calendar(draft.resetSchedule, in: own)
        let running = UsageQuery.running(calendar, at: clock())
        json.object { json in
            Self.write(answer, &json)
            json.object("period") { Self.write(running, &$0) }
            json.array("nextResets") { json in
                for reset in running.nextResets { json.instant(reset) }
            }
        }
        return .json(json)
    }

    private static func write(_ answer: PreviewAnswer, _ json: inout JSONWriter) {
        json.field("position", answer.position)
        if let newest = answer.newest {
            json.object("newest") { json in
                json.field("events", String(newest.events))
                if let times = newest.times {
                    json.field("from", times.lowerBound)
                    json.field("to", times.upperBound)
                }
            }
        }
        json.array("readings") { json in
            for reading in answer.readings { json.object { write(reading, &$0) } }
        }
        if answer.hasMoreReadings { json.field("moreReadings", true) }
        json.array("differences") { json in
            for difference in answer.differences {
                json.object { json in
                    json.field("subject", difference.subject)
                    json.field("live", difference.live)
                    json.field("draft", difference.draft)
                    json.field("difference", difference.difference)
                }
            }
        }
        if answer.moreDifferences > 0 {
            json.field("moreDifferences", String(answer.moreDifferences))
        }
    }
}

/// The body of a preview, taken apart; faults are gathered.
private struct PreviewDocument {
    struct Document {
        var meterType: JSONValue
        var range: Range<Instant>
        var window: String?
        var timezone: String?
        var newest: Int?
        var groupBy: [UsageQuery.Group] = []
        var limit = UsageQuery.rowsMax
    }

    private static let known = [
        "meterType", "from", "to", "newest", "window", "timezone", "groupBy", "limit",
    ]

    private var unknown: [FieldFault] = []
    private var faults: [FieldFault] = []

    var refusal: Refusal {
        guard unknown.isEmpty else {
            return Refusal(
                .unknownField,
                "\(unknown.count) not known, see errors",
                faults: unknown + faults
            )
        }
        return .fields(faults)
    }

    /// - Returns: nil where there are faults.
    mutating func read(_ value: JSONValue) -> Document? {
        guard case .object(let object) = value else {
            fault("", "a preview is a JSON object", "send {\"meterType\":{…},\"newest\":200}")
            return nil
        }
        for name in object.names where !Self.known.contains(name) {
            unknown.append(
                FieldFault(
                    pointer: "/" + name,
                    reason: "there is no such field",
                    remedy: "known: " + Self.known.joined(separator: ", ")
                )
            )
        }
        let newest = whole(object, "newest", in: 1...Limits.previewNewestMax)
        for name in ["from", "to", "window", "timezone"] where object["newest"] != nil {
            guard object[name] != nil else { continue }
            fault("/" + name, "newest looks at no range of time", "give newest, or a range")
        }
        let isRange = object["newest"] == nil
        let from = isRange ? instant(object, "from") : .earliest
        let to = isRange ? instant(object, "to") : .latest
        if let from, let to, to < from {
            fault("/to", "it lies before from", "give a range from ≤ to")
        }
        if object["meterType"] == nil { fault("/meterType", "it is missing", "send a definition") }
        var document = Document(
            meterType: object["meterType"] ?? .null,
            range: (from ?? .earliest)..<max(to ?? .earliest, from ?? .earliest)
        )
        document.window = text(object, "window")
        document.timezone = text(object, "timezone")
        readGroups(object["groupBy"], into: &document)
        document.newest = newest
        if let limit = whole(object, "limit", in: 1...UsageQuery.rowsMax) { document.limit = limit }
        return unknown.isEmpty && faults.isEmpty ? document : nil
    }

    private mutating func readGroups(_ value: JSONValue?, into document: inout Document) {
        guard let value, value != .null else { return }
        let names = value.arrayValue?.compactMap(\.stringValue) ?? []
        guard names.count == value.arrayValue?.count, Set(names).count == names.count,
            names.count <= Limits.dimensionsMax + 1
        else {
            let remedy = "give a list such as [\"subject\",\"model\"], no name twice"
            fault("/groupBy", "it is no list of names", remedy)
            return
        }
        document.groupBy = names.map { $0 == "subject" ? .subject : .dimension($0) }
    }

    private mutating func whole(
        _ object: JSONObject,
        _ name: String,
        in range: ClosedRange<Int>
    ) -> Int? {
        guard let value = object[name] else { return nil }
        let number = value.numberValue.flatMap { Int($0) }
        if let number, range.contains(number) { return number }
        let most = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        fault("/" + name, "it is not \(most)", "give \(most)")
        return nil
    }

    private mutating func instant(_ object: JSONObject, _ name: String) -> Instant? {
        if let instant = object[name]?.stringValue.flatMap({ Instant(rfc3339: $0) }) {
            return instant
        }
        let reason = object[name] == nil ? "it is missing" : "it is not a time"
        fault("/" + name, reason, "give RFC 3339 with an offset: 2026-11-01T00:00:00Z")
        return nil
    }

    private mutating func text(_ object: JSONObject, _ name: String) -> String? {
        guard let value = object[name], value != .null else { return nil }
        if let text = value.stringValue { return text }
        fault("/" + name, "it is not a text", "give a JSON string")
        return nil
    }

    private mutating func fault(_ pointer: String, _ reason: String, _ remedy: String) {
        faults.append(FieldFault(pointer: pointer, reason: reason, remedy: remedy))
    }
}
