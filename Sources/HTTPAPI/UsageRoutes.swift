import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// `GET /v1/usage`: readings.
extension FrontDesk {
    private enum Fill: String, CaseIterable { case zero }

    /// Asks for readings ahead of the batches that wait to be decoded: those fill both cores for
    /// milliseconds each, and whoever looks up a customer should not stand behind them.
    private func answer(_ question: UsageQuery) async throws(LedgerError) -> UsageAnswer {
        let ledger = ledger
        let answer = await withTaskGroup(of: Result<UsageAnswer, LedgerError>.self) { group in
            group.addTask(priority: .userInitiated) {
                do throws(LedgerError) {
                    return .success(try await ledger.readings(question))
                } catch {
                    return .failure(error)
                }
            }
            return await group.next()
        }
        guard let answer else { throw LedgerError(.unavailable, "the question was given up") }
        return try answer.get()
    }

    func readUsage(_ call: Call) async throws -> Answer {
        var query = try call.query()
        var question = try usageQuestion(&query)
        let isByPeriod = query.texts("window") == ["period"]
        let asOf = query.knowledge("asOf")
        try query.finish()
        question.asOf = try await position(of: asOf)
        if isByPeriod { question.calendar = try await calendar(for: question) }

        let answer = try await answer(question)
        var next: String?
        if answer.hasMore, let last = answer.readings.last {
            next = Self.cursor(after: last.orderKey, query).text
        }
        if call.wantsCSV {
            return Self.csv(answer, question, next: next, call)
        }
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            json.field("position", answer.position)
            json.array("readings") { json in
                for reading in answer.readings { json.object { Self.write(reading, &$0) } }
            }
            if let next { json.field("next", next) }
        }
        return .json(json)
    }

    /// Understands the parameters; faults stay in the query.
    private func usageQuestion(_ query: inout Query) throws(Refusal) -> UsageQuery {
        let keys = query.meterTypes()
        let hasBounds = !query.texts("from").isEmpty && !query.texts("to").isEmpty
        var question = UsageQuery(meterTypes: keys, range: query.range(), limit: query.limit())
        if keys.isEmpty {
            query.fault("meterType", "no meter type is named", "name one or more")
        }
        for subject in query.texts("subject") where !question.subjects.contains(subject) {
            question.subjects.append(subject)
        }
        if question.subjects.contains("") {
            query.fault("subject", "a subject is not empty", "name a subject, or leave it out")
        }
        if let text = query.text("window") {
            if text == "period" {
                Self.judgePeriods(keys, &query)
            } else {
                do { question.window = try UsageQuery.window(text) } catch {
                    query.fault("window", "\"\(text)\" is no window", UsageQuery.windowRemedy)
                }
            }
            if !hasBounds {
                query.fault("window", "windows need a range", "give both from and to")
            }
        }
        if let name = query.text("timezone") {
            do { question.zone = try zones.rules(named: name) } catch {
                query.fault(
                    "timezone",
                    "\"\(name)\" is not in this machine's zone database",
                    "give an IANA name such as Europe/Berlin"
                )
            }
        }
        question.version = query.version()
        if question.version != nil, keys.count > 1 {
            query.fault("version", "a version is of one meter type", "name exactly one")
        }
        question.customers = query.customers()
        question.groupBy = Self.groups(&query)
        question.carriedUntil = clock()
        question.fillsZero = (query.word("fill") as Fill?) != nil
        if var cursor = try query.cursor(.usage) { question.after = try Self.orderKey(&cursor) }
        return question
    }

    /// Periods are those of one meter type, cut in its own zone.
    private static func judgePeriods(_ keys: [MeterTypeKey], _ query: inout Query) {
        if keys.count > 1 {
            query.fault("window", "periods are of one meter type", "name exactly one")
        }
        if query.text("timezone") != nil {
            query.fault("timezone", "the meter type's own zone cuts periods", "leave it out")
        }
    }

    private func calendar(for question: UsageQuery) async throws -> UsageQuery.Calendar? {
        let keys = question.meterTypes
        guard let key = keys.first else { return nil }
        let asOf = question.asOf
        let type = try await ledger.meterTypeInForce(key, asOf: asOf)
        let definition = type.definition
        let zone: UsageQuery.Zone
        if !definition.isInCustomersZone {
            zone = try self.zone(named: definition.timezone)
        } else if question.customers.count == 1 {
            zone = try await self.zone(of: question.customers[0], asOf: asOf)
        } else if question.subjects.count == 1, question.customers.isEmpty,
            let id = MeterID(meterType: type.key, subject: question.subjects[0])
        {
            zone = try await self.zone(of: type, id, at: clock(), asOf: asOf)
        } else {
            throw Refusal.fields([
                FieldFault(
                    pointer: "window",
                    reason: "the periods of \(type.key) are cut in each customer's zone",
                    remedy: "name one customer or one subject"
                )
            ])
        }
        return UsageQuery.calendar(definition.resetSchedule, in: zone)
    }

    /// `customer`, `subject`, and names of dimensions, no name twice.
    private static func groups(_ query: inout Query) -> [UsageQuery.Group] {
        var groups: [UsageQuery.Group] = []
        for name in query.list("groupBy") {
            let group: UsageQuery.Group =
                switch name {
                case "customer": .customer
                case "subject": .subject
                default: .dimension(name)
                }
            if name.isEmpty {
                query.fault("groupBy", "a name is empty", "name a dimension, subject or customer")
            } else if groups.contains(group) {
                query.fault("groupBy", "\"\(name)\" stands twice", "say it once")
            } else {
                groups.append(group)
            }
        }
        if groups.count > Limits.dimensionsMax + 2 {
            query.fault("groupBy", "it names too much", "a meter type has 16 dimensions at most")
        }
        return groups
    }

    // MARK: Cursors

    private static func cursor(after key: UsageReading.OrderKey, _ query: Query) -> Cursor {
        var cursor = Cursor(.usage, fingerprint: query.fingerprint)
        cursor.append(key.start.microseconds)
        cursor.append(key.meterType.text)
        cursor.append(UInt64(key.groups.count))
        for group in key.groups { cursor.append(group) }
        return cursor
    }

    private static func orderKey(
        _ cursor: inout Cursor
    ) throws(Refusal) -> UsageReading.OrderKey {
        let start = Instant(microseconds: try cursor.readSigned())
        guard let key = try cursor.readText().flatMap(MeterTypeKey.init) else {
            throw Cursor.refusal
        }
        let count = try cursor.readNumber()
        guard count <= UInt64(Limits.dimensionsMax) + 2 else { throw Cursor.refusal }
        var groups: [String?] = []
        for _ in 0..<count { groups.append(try cursor.readText()) }
        return UsageReading.OrderKey(start: start, meterType: key, groups: groups)
    }

    // MARK: Answers

    static func write(_ reading: UsageReading, _ json: inout JSONWriter) {
        json.field("meterType", reading.meterType.text)
        if let customer = reading.customer { json.field("customer", customer) }
        if let subject = reading.subject { json.field("subject", subject) }
        json.field("from", reading.range.lowerBound)
        json.field("to", reading.range.upperBound)
        if !reading.dimensions.isEmpty { json.field("dimensions", reading.dimensions) }
        json.field("value", reading.value)
        json.field("events", String(reading.events))
    }

    /// The same rows as CSV (RFC 4180). What the JSON has around them goes into headers: the
    /// position, and the next page as a `Link`.
    private static func csv(
        _ answer: UsageAnswer,
        _ question: UsageQuery,
        next: String?,
        _ call: Call
    ) -> Answer {
        let hasCustomer = !question.customers.isEmpty || question.groupBy.contains(.customer)
        let hasSubject = !question.subjects.isEmpty || question.groupBy.contains(.subject)
        let names = question.groupBy.compactMap { group in
            if case .dimension(let name) = group { name } else { nil as String? }
        }
        var csv = CSVWriter()
        csv.row(
            ["meterType"] + (hasCustomer ? ["customer"] : []) + (hasSubject ? ["subject"] : []) + [
                "from", "to",
            ] + names
                + ["value", "events"]
        )
        for reading in answer.readings {
            csv.field(reading.meterType.text)
            if hasCustomer { csv.value(reading.customer) }
            if hasSubject { csv.value(reading.subject) }
            csv.field(reading.range.lowerBound.rfc3339)
            csv.field(reading.range.upperBound.rfc3339)
            for name in names { csv.value(reading.dimensions.first { $0.name == name }?.value) }
            csv.value(reading.value?.description)
            csv.field(String(reading.events))
            csv.endRow()
        }
        var result = Answer(
            headers: [
                .contentType: "text/csv; charset=utf-8",
                .odometerPosition: answer.position.description,
            ],
            body: csv.bytes
        )
        if let next { result.headers[.link] = call.link(next: next) }
        return result
    }
}

extension CSVWriter {
    /// A field; what is missing is nothing at all, and told apart from an empty text.
    fileprivate mutating func value(_ text: String?) {
        if let text { field(text) } else { absent() }
    }
}
