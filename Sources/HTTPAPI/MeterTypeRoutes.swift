import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// Meter types: create, list, read, retire.
extension FrontDesk {
    /// The largest definition, in bytes.
    static let definitionBytesMax = 1024 * 1024

    /// `POST /v1/meter-types`: 201, or 200 where the same definition stands already. The key of the
    /// definition makes the call idempotent by itself, so an `Idempotency-Key` adds nothing.
    func createMeterType(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let definition = try readDefinition(try await readDocument(call))
        guard definition.key.text != Route.previewSegment else {
            throw Refusal.fields([
                FieldFault(
                    pointer: "/key",
                    reason: "the address of previews has the name",
                    remedy: "choose another key"
                )
            ])
        }
        let known = try await ledger.meterTypes().contains { $0.key == definition.key }
        let type = try await ledger.create(definition)
        var answer = try await self.answer(type, call, status: known ? .ok : .created)
        answer.headers[.location] = "/v1/meter-types/" + PercentCoding.encode(type.key.text)
        return answer
    }

    /// Reads and judges a definition.
    ///
    /// - Parameter place: Where it stands in the body.
    func readDefinition(_ value: JSONValue, at place: String = "") throws -> MeterTypeDefinition {
        func placed(_ faults: [FieldFault]) -> [FieldFault] {
            faults.map { fault in
                FieldFault(
                    pointer: place + fault.pointer,
                    reason: fault.reason,
                    remedy: fault.remedy
                )
            }
        }
        let definition: MeterTypeDefinition
        do throws(MeterTypeDocument.Faults) {
            definition = try MeterTypeDocument.read(value)
        } catch {
            var faults = error
            (faults.unknown, faults.invalid) = (placed(error.unknown), placed(error.invalid))
            throw Refusal(faults)
        }
        let faults = definition.expressionFaults(zones: zones)
        guard faults.isEmpty else { throw Refusal.fields(placed(faults)) }
        if !definition.isInCustomersZone {
            _ = try rules(named: definition.timezone, at: place + "/timezone")
        }
        return definition
    }

    func rules(named name: String, at pointer: String) throws(Refusal) -> UsageQuery.Zone {
        do { return try zones.rules(named: name) } catch {
            let reason = "\"\(name)\" is not in this machine's zone database"
            let remedy = "give an IANA name such as Europe/Berlin"
            throw Refusal.fields([FieldFault(pointer: pointer, reason: reason, remedy: remedy)])
        }
    }

    /// `GET /v1/meter-types`, in the order of the keys.
    func listMeterTypes(_ call: Call) async throws -> Answer {
        var query = try call.query()
        let limit = query.limit()
        var after: String?
        if var cursor = try query.cursor(.meterTypes) { after = try cursor.readText() }
        try query.finish()

        let versions = try await ledger.versions()
        let (all, ofKey) = (versions.newestOfEach, Dictionary(grouping: versions, by: \.key))
        let last = after.flatMap(MeterTypeKey.init)
        let rest = last.map { last in all.filter { $0.key > last } } ?? all
        var items: [JSONValue] = []
        for type in rest.prefix(limit) {
            var document = Self.document(type)
            tell(period(MeterCalendar(type.key, ofKey[type.key] ?? [])), in: &document)
            items.append(.object(document))
        }
        var document: JSONObject = ["items": .array(items)]
        if rest.count > limit {
            var cursor = Cursor(.meterTypes, fingerprint: query.fingerprint)
            cursor.append(rest[limit - 1].key.text)
            document["next"] = .string(cursor.text)
        }
        return .json(document, isPretty: call.isPretty)
    }

    /// `GET /v1/meter-types/{key}`: the newest version, or the one that `version` names.
    func readMeterType(_ call: Call) async throws -> Answer {
        var query = try call.query()
        let asked = query.version()
        try query.finish()
        let key = try Self.key(call)
        let versions = try await ledger.versions(of: key)
        let version = asked.map { asked in versions.first { $0.version == asked } }
        guard let version = version ?? versions.newest else {
            throw Refusal.notFound("\(key) has no version \(asked ?? 1)")
        }
        return try await answer(version, call)
    }

    /// The period that runs now, of all meters of a type together; nil where each customer's zone
    /// cuts another one, or this machine lacks the zone.
    private func period(of key: MeterTypeKey) async throws -> MeterPeriod? {
        period(try await ledger.calendar(of: key))
    }

    private func period(_ calendar: MeterCalendar?) -> MeterPeriod? {
        guard let calendar, case let definition = calendar.meterType.definition,
            !definition.isInCustomersZone, let zone = try? zone(named: definition.timezone)
        else { return nil }
        let resets = MeterReading.nextResetsMax
        return try? calendar.period(in: zone, at: clock(), resets: resets)
    }

    private func tell(_ period: MeterPeriod?, in document: inout JSONObject) {
        guard let period else { return }
        var told: JSONObject = [:]
        told["start"] = period.start.map { .string($0.rfc3339) }
        told["end"] = period.end.map { .string($0.rfc3339) }
        told["timezone"] = .string(period.zone)
        document["period"] = .object(told)
        document["nextResets"] = .array(period.nextResets.map { .string($0.rfc3339) })
    }

    /// `DELETE /v1/meter-types/{key}`: retires it; what it counted stays readable.
    func retireMeterType(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let type = try await ledger.retire(try Self.key(call))
        var document = Self.document(type)
        try await tell(period(of: type.key), in: &document)
        document["usedBy"] = .object(try await users(of: type.key))
        return .json(document, isPretty: call.isPretty)
    }

    /// What uses a meter type: the first of its meters, and the customers who own
    /// their subjects.
    private func users(of key: MeterTypeKey) async throws -> JSONObject {
        let question = MeterQuery(meterTypes: [key], at: clock(), limit: Limits.usersShownMax)
        let answer = try await ledger.meters(question)
        let customers = Set(answer.meters.compactMap(\.customer)).sorted()
        var users: JSONObject = [
            "meters": .array(answer.meters.map { .string($0.id.text) }),
            "customers": .array(customers.map { .string($0.text) }),
        ]
        if answer.next != nil { users["more"] = true }
        return users
    }

    static func key(_ call: Call) throws(Refusal) -> MeterTypeKey {
        let name = try call.name(at: 2)
        guard let key = MeterTypeKey(name) else {
            throw Refusal.notFound("\"\(name)\" is no key of a meter type")
        }
        return key
    }

    /// A version, and the period that runs now.
    func answer(
        _ type: MeterType,
        _ call: Call,
        status: HTTPResponse.Status = .ok
    ) async throws -> Answer {
        var document = Self.document(type)
        try await tell(period(of: type.key), in: &document)
        var answer = Answer.json(document, isPretty: call.isPretty, status: status)
        answer.headers[.eTag] = EntityTag.number(type.version)
        return answer
    }

    /// The definition as it was given, and what the ledger says of it.
    static func document(_ type: MeterType) -> JSONObject {
        var document = MeterTypeDocument.write(type.definition).objectValue ?? [:]
        document["version"] = .number(String(type.version))
        document["effectiveFrom"] = type.effectiveFrom.map { .string($0.rfc3339) }
        document["createdAt"] = .string(type.createdAt.rfc3339)
        document["retiredAt"] = type.retiredAt.map { .string($0.rfc3339) }
        document["backfill"] = .object(progress(type))
        return document
    }

    /// How far the history of a version is counted.
    static func progress(_ version: MeterType) -> JSONObject {
        let total = version.countsAfter ?? version.createdPosition
        return [
            "state": .string(version.backfillState.rawValue),
            "eventsDone": .string(min(version.backfilled, total).description),
            "eventsTotal": .string(total.description),
        ]
    }
}
