import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// Meters: what each subject used of each meter type, in the periods of the type's calendar.
extension FrontDesk {
    /// `GET /v1/meters`.
    func listMeters(_ call: Call) async throws -> Answer {
        var query = try call.query()
        var question = MeterQuery(limit: query.limit())
        question.meterTypes = query.meterTypes()
        question.subjects = query.texts("subject")
        if question.subjects.contains("") {
            query.fault("subject", "a subject is not empty", "name a subject, or leave it out")
        }
        question.prefix = query.text("q") ?? ""
        question.customers = query.customers()
        question.standings = query.words("state")
        question.at = clock()
        let asOf = query.knowledge("asOf")
        if var cursor = try query.cursor(.meters) { question.after = try Self.place(&cursor) }
        try query.finish()
        question.asOf = try await position(of: asOf)

        let answer = try await ledger.meters(question)
        let versions = Dictionary(grouping: try await ledger.versions(), by: \.key)
        let types = versions.compactMapValues(\.newest)
        let periods = try await periods(of: answer.meters, versions, question.at, question.asOf)
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            json.array("items") { json in
                for (place, meter) in answer.meters.enumerated() {
                    guard let type = types[meter.id.meterType] else { continue }
                    json.object { json in
                        Self.write(meter, of: type, &json)
                        if let enrolled = meter.enrolled { Self.write(enrolled, &json) }
                        if let period = periods[place] {
                            json.object("period") { Self.write(period, &$0) }
                        }
                    }
                }
            }
            if let next = answer.next {
                var cursor = Cursor(.meters, fingerprint: query.fingerprint)
                cursor.append(next.subject)
                cursor.append(next.meterType?.text)
                json.field("next", cursor.text)
            }
        }
        return .json(json)
    }

    /// The period that runs at an instant, of each of a list of meters; nil where this machine
    /// lacks the zone that cuts it, for the list is to be had all the same.
    private func periods(
        of meters: [Meter],
        _ versions: [MeterTypeKey: [MeterType]],
        _ instant: Instant,
        _ position: Position?
    ) async throws -> [MeterPeriod?] {
        var calendars: [MeterTypeKey: MeterCalendar?] = [:]
        var owners: [CustomerKey?: UsageQuery.Zone?] = [:]
        var periods: [MeterPeriod?] = []
        for meter in meters {
            let key = meter.id.meterType
            let calendar =
                calendars[key] ?? MeterCalendar(key, versions[key] ?? [], asOf: position)
            calendars[key] = .some(calendar)
            guard let calendar else {
                periods.append(nil)
                continue
            }
            let definition = calendar.meterType.definition
            let zone: UsageQuery.Zone?
            if !definition.isInCustomersZone {
                zone = try? self.zone(named: definition.timezone)
            } else if let found = owners[meter.customer] {
                zone = found
            } else {
                zone = try? await self.zone(of: meter.customer, asOf: position)
                owners[meter.customer] = .some(zone)
            }
            periods.append(
                zone.flatMap { try? calendar.period(of: meter, in: $0, at: instant) }
            )
        }
        return periods
    }

    /// Without its start where no reset came before, without its end where none comes any more.
    static func write(_ period: MeterPeriod, _ json: inout JSONWriter) {
        if let start = period.start { json.field("start", start) }
        if let end = period.end { json.field("end", end) }
        json.field("timezone", period.zone)
    }

    private static func place(_ cursor: inout Cursor) throws(Refusal) -> MeterQuery.Place {
        guard let subject = try cursor.readText() else { throw Cursor.refusal }
        let text = try cursor.readText()
        let key = text.flatMap(MeterTypeKey.init)
        guard text == nil || key != nil else { throw Cursor.refusal }
        return MeterQuery.Place(subject: subject, meterType: key)
    }

    /// `GET /v1/meters/{id}`: the meter in the period of now, or of `at`.
    func readMeter(_ call: Call) async throws -> Answer {
        var query = try call.query()
        let instant = query.instant("at") ?? clock()
        let asOf = query.knowledge("asOf")
        try query.finish()
        let known = try await position(of: asOf)
        let (id, type) = try await meter(call, asOf: known)
        let reading = try await ledger.reading(
            id,
            of: type.definition,
            in: try await zone(of: type, id, at: instant, asOf: known),
            at: instant,
            carriedUntil: clock(),
            asOf: known
        )
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            Self.write(reading.meter, of: type, &json)
            if let enrolled = reading.meter.enrolled {
                Self.write(enrolled, at: instant, &json)
            }
            json.object("period") { Self.write(reading.period, &$0) }
            json.field("value", reading.value)
            json.field("events", String(reading.events))
            if let time = reading.firstEventAt { json.field("firstEventAt", time) }
            if let time = reading.lastEventAt { json.field("lastEventAt", time) }
            if !type.definition.dimensions.isEmpty { Self.write(dimensionsOf: reading, &json) }
            if let capacity = type.definition.capacity { json.field("capacity", capacity) }
            json.array("nextResets") { json in
                for reset in reading.period.nextResets { json.instant(reset) }
            }
            json.field("position", reading.position)
        }
        return .json(json)
    }

    private static func write(dimensionsOf reading: MeterReading, _ json: inout JSONWriter) {
        json.array("dimensions") { json in
            for part in reading.dimensions {
                json.object { json in
                    for one in part.dimensions {
                        let isTaken = one.name == "value" || one.name == "events"
                        json.name(isTaken ? "dimension." + one.name : one.name)
                        if let value = one.value { json.string(value) } else { json.null() }
                    }
                    json.field("value", part.value)
                    json.field("events", String(part.events))
                }
            }
        }
        if reading.hasMoreDimensions { json.field("moreDimensions", true) }
    }

    /// `GET /v1/meters/{id}/periods`: those that ended by now, or by `at`, newest first.
    func listPeriods(_ call: Call) async throws -> Answer {
        var query = try call.query()
        var instant = query.instant("at") ?? clock()
        let limit = query.limit()
        let asOf = query.knowledge("asOf")
        if var cursor = try query.cursor(.periods) {
            instant = Instant(microseconds: try cursor.readSigned())
        }
        try query.finish()
        let known = try await position(of: asOf)
        let (id, type) = try await meter(call, asOf: known)
        let zone = try await zone(of: type, id, at: clock(), asOf: known)
        let answer = try await ledger.pastPeriods(
            id,
            of: type.definition,
            in: zone,
            before: instant,
            carriedUntil: clock(),
            asOf: known,
            limit: limit
        )
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            json.field("position", answer.position)
            json.field("timezone", UsageQuery.name(of: zone))
            json.array("items") { json in
                for reading in answer.readings {
                    json.object { json in
                        // Nothing comes before the first period of a sparse schedule.
                        if reading.range.lowerBound > .earliest {
                            json.field("start", reading.range.lowerBound)
                        }
                        json.field("end", reading.range.upperBound)
                        json.field("value", reading.value)
                        json.field("events", String(reading.events))
                    }
                }
            }
            if let next = answer.next {
                var cursor = Cursor(.periods, fingerprint: query.fingerprint)
                cursor.append(next.microseconds)
                json.field("next", cursor.text)
            }
        }
        return .json(json)
    }

    /// The meter of an address, and its type.
    func meter(
        _ call: Call,
        asOf position: Position? = nil
    ) async throws -> (MeterID, MeterType) {
        let name = try call.name(at: 2)
        guard let id = MeterID(name),
            try await ledger.meterTypes().contains(where: { $0.key == id.meterType })
        else { throw Refusal.notFound("there is no meter \"\(name)\"") }
        return (id, try await ledger.meterTypeInForce(id.meterType, asOf: position))
    }

    /// The zone that cuts a meter's periods: the type's own, or that of the customer who owns the
    /// subject at an instant; UTC where nobody does.
    func zone(
        of type: MeterType,
        _ id: MeterID,
        at instant: Instant,
        asOf position: Position? = nil
    ) async throws -> UsageQuery.Zone {
        guard type.definition.isInCustomersZone else {
            return try zone(named: type.definition.timezone)
        }
        let customer = try await ledger.meter(id, at: instant, asOf: position).customer
        return try await zone(of: customer, asOf: position)
    }

    func zone(
        of key: CustomerKey?,
        asOf position: Position? = nil
    ) async throws -> UsageQuery.Zone {
        guard let key, let customer = try await ledger.customer(key, asOf: position) else {
            return try zone(named: "UTC")
        }
        return try zone(named: customer.definition.timezone)
    }

    /// A machine whose zone database lacks the zone of a definition cannot cut its periods.
    func zone(named name: String) throws(Refusal) -> UsageQuery.Zone {
        do { return try zones.rules(named: name) } catch {
            throw .unavailable("the zone \(name) is not to be had here")
        }
    }

    static func write(_ meter: Meter, of type: MeterType, _ json: inout JSONWriter) {
        json.field("id", meter.id.text)
        json.field("meterType", meter.id.meterType.text)
        json.field("subject", meter.id.subject)
        if let customer = meter.customer { json.field("customer", customer.text) }
        json.field("state", meter.standing.rawValue)
        json.field("unit", type.definition.unit)
    }
}
