public import UsageModel

/// How a usage record is spelled: `GET /v1/usage-records`, and in the store.
///
///     {"sequence":"12","id":"ur_…","kind":"final","cause":"period-end",
///      "meter":"kwh~house-7","meterType":"kwh","version":1,"subject":"house-7","customer":"acme",
///      "period":{"start":"…Z","end":"…Z","localStart":"…+11:00","localEnd":"…",
///      "timezone":"Australia/Sydney"},"revision":0,"value":"12.5","delta":"12.5","amount":"12.5",
///      "events":"48","eventsDelta":"48",
///      "dimensions":[{"dimensions":{"tariff":"peak"},"value":"3","events":"12"}],
///      "name":"Energy","unit":"kWh","position":"1021","createdAt":"…Z"}
///
/// What is empty is left out; `value` is null where there is none.
public enum UsageRecordDocument {
    public static func write(_ record: UsageRecord) -> JSONObject {
        var document: JSONObject = [
            "sequence": .string(String(record.sequence)), "id": .string(record.id.text),
            "kind": .string(record.kind.rawValue), "cause": .string(record.cause.rawValue),
            "meter": .string(record.meter.text),
            "meterType": .string(record.meter.meterType.text),
            "version": .number(String(record.version)),
            "subject": .string(record.meter.subject),
        ]
        document["customer"] = record.customer.map { .string($0.text) }
        document["period"] = [
            "start": .string(record.period.lowerBound.rfc3339),
            "end": .string(record.period.upperBound.rfc3339),
            "localStart": .string(record.localStart), "localEnd": .string(record.localEnd),
            "timezone": .string(record.zone),
        ]
        document["revision"] = .number(String(record.revision))
        document["previous"] = record.previous.map { .string($0.text) }
        document["value"] = quantity(record.value)
        document["exact"] = record.exact.map { .string($0.description) }
        document["delta"] = .string(record.delta.description)
        document["amount"] = (try? record.amount()).map { .string($0.description) } ?? .null
        document["events"] = .string(String(record.events))
        document["eventsDelta"] = .string(String(record.eventsDelta))
        if !record.dimensions.isEmpty {
            document["dimensions"] = .array(record.dimensions.map(write))
        }
        if record.hasMoreDimensions { document["moreDimensions"] = true }
        if !record.late.isEmpty { document["late"] = .array(record.late.map(write)) }
        if let evidence = record.evidence {
            document["firstEventAt"] = .string(evidence.firstEventAt.rfc3339)
            document["lastEventAt"] = .string(evidence.lastEventAt.rfc3339)
            document["keysHash"] = .string(evidence.keysHash)
            if !evidence.fields.isEmpty { document["fields"] = evidence.fields.document }
        }
        document["toldIn"] = record.toldIn.map { .string($0.text) }
        document["threshold"] = record.crossing.map(write)
        write(record.labels, to: &document)
        if let capacity = record.labels.capacity, let value = record.value {
            document["capacityUsed"] = value.percent(of: capacity).map { .string($0.description) }
        }
        document["position"] = .string(record.position.description)
        document["createdAt"] = .string(record.createdAt.rfc3339)
        return document
    }

    private static func quantity(_ quantity: Quantity?) -> JSONValue {
        quantity.map { .string($0.description) } ?? .null
    }

    private static func write(_ part: UsageRecord.Part) -> JSONValue {
        var names = JSONObject()
        for one in part.dimensions { names[one.name] = one.value.map { .string($0) } ?? .null }
        return [
            "dimensions": .object(names), "value": quantity(part.value),
            "events": .string(String(part.events)),
        ]
    }

    private static func write(_ labels: UsageRecord.Labels, to document: inout JSONObject) {
        for (name, text) in [
            ("name", labels.name), ("unit", labels.unit), ("category", labels.category),
            ("externalRef", labels.externalRef), ("meterCategory", labels.meterCategory),
            ("meterExternalRef", labels.meterExternalRef), ("customerName", labels.customerName),
            ("customerExternalRef", labels.customerExternalRef),
        ] where !text.isEmpty {
            document[name] = .string(text)
        }
        if !labels.metadata.isEmpty { document["metadata"] = labels.metadata.document }
        if !labels.meterMetadata.isEmpty {
            document["meterMetadata"] = labels.meterMetadata.document
        }
        document["capacity"] = labels.capacity.map { .string($0.description) }
    }

    private static func write(_ part: UsageRecord.LatePart) -> JSONValue {
        [
            "id": .string(part.id.text), "start": .string(part.period.lowerBound.rfc3339),
            "end": .string(part.period.upperBound.rfc3339),
            "delta": .string(part.delta.description), "events": .string(String(part.events)),
        ]
    }

    private static func write(_ crossing: UsageRecord.Crossing) -> JSONValue {
        var document: JSONObject = ["name": .string(crossing.name)]
        document["percent"] = crossing.percent.map { .string($0.description) }
        document["amount"] = .string(crossing.amount.description)
        return .object(document)
    }

    /// Reads what ``write(_:)`` wrote; nil for anything else.
    public static func read(_ document: JSONObject) -> UsageRecord? {
        guard let period = document["period"]?.objectValue,
            let id = text(document, "id").flatMap(UsageRecordID.init),
            let kind = text(document, "kind").flatMap(UsageRecord.Kind.init),
            let cause = text(document, "cause").flatMap(UsageRecord.Cause.init),
            let meter = text(document, "meter").flatMap(MeterID.init),
            let start = instant(period, "start"), let end = instant(period, "end"), start < end,
            let delta = quantity(document, "delta"),
            let createdAt = instant(document, "createdAt"),
            let position = text(document, "position").flatMap(UInt64.init)
        else { return nil }
        var record = UsageRecord(
            sequence: text(document, "sequence").flatMap(Int64.init) ?? 0,
            id: id,
            kind: kind,
            cause: cause,
            meter: meter,
            version: document["version"]?.numberValue.flatMap { Int($0) } ?? 1,
            period: start..<end,
            zone: text(period, "timezone") ?? "",
            revision: document["revision"]?.numberValue.flatMap { Int($0) } ?? 0,
            value: quantity(document, "value"),
            delta: delta,
            events: text(document, "events").flatMap(Int64.init) ?? 0,
            eventsDelta: text(document, "eventsDelta").flatMap(Int64.init) ?? 0,
            position: Position(position),
            createdAt: createdAt
        )
        (record.localStart, record.localEnd) = (
            text(period, "localStart") ?? "", text(period, "localEnd") ?? ""
        )
        record.customer = text(document, "customer").flatMap(CustomerKey.init)
        record.previous = text(document, "previous").flatMap(UsageRecordID.init)
        record.dimensions = (document["dimensions"]?.arrayValue ?? []).compactMap(part)
        record.hasMoreDimensions = document["moreDimensions"] == true
        record.labels = labels(document)
        record.exact = quantity(document, "exact")
        record.late = (document["late"]?.arrayValue ?? []).compactMap(latePart)
        record.toldIn = text(document, "toldIn").flatMap(UsageRecordID.init)
        record.crossing = document["threshold"]?.objectValue.flatMap(crossing)
        if let first = instant(document, "firstEventAt"),
            let last = instant(document, "lastEventAt"), let hash = text(document, "keysHash")
        {
            record.evidence = UsageRecord.Evidence(
                firstEventAt: first,
                lastEventAt: last,
                keysHash: hash,
                fields: document["fields"].flatMap([MetadataMember].init(document:)) ?? []
            )
        }
        return record
    }

    private static func latePart(_ value: JSONValue) -> UsageRecord.LatePart? {
        guard let document = value.objectValue,
            let id = text(document, "id").flatMap(UsageRecordID.init),
            let start = instant(document, "start"), let end = instant(document, "end"),
            start < end, let delta = quantity(document, "delta")
        else { return nil }
        return UsageRecord.LatePart(
            id: id,
            period: start..<end,
            delta: delta,
            events: text(document, "events").flatMap(Int64.init) ?? 0
        )
    }

    private static func crossing(_ document: JSONObject) -> UsageRecord.Crossing? {
        guard let amount = quantity(document, "amount") else { return nil }
        return UsageRecord.Crossing(
            name: text(document, "name") ?? "",
            percent: quantity(document, "percent"),
            amount: amount
        )
    }

    private static func part(_ value: JSONValue) -> UsageRecord.Part? {
        guard let document = value.objectValue, let names = document["dimensions"]?.objectValue
        else { return nil }
        return UsageRecord.Part(
            dimensions: names.members.map { .init(name: $0.name, value: $0.value.stringValue) },
            value: quantity(document, "value"),
            events: text(document, "events").flatMap(Int64.init) ?? 0
        )
    }

    private static func labels(_ document: JSONObject) -> UsageRecord.Labels {
        var labels = UsageRecord.Labels()
        labels.name = text(document, "name") ?? ""
        labels.unit = text(document, "unit") ?? ""
        labels.category = text(document, "category") ?? ""
        labels.externalRef = text(document, "externalRef") ?? ""
        labels.meterCategory = text(document, "meterCategory") ?? ""
        labels.meterExternalRef = text(document, "meterExternalRef") ?? ""
        labels.customerName = text(document, "customerName") ?? ""
        labels.customerExternalRef = text(document, "customerExternalRef") ?? ""
        labels.metadata = document["metadata"].flatMap([MetadataMember].init(document:)) ?? []
        labels.meterMetadata =
            document["meterMetadata"].flatMap([MetadataMember].init(document:)) ?? []
        labels.capacity = quantity(document, "capacity")
        return labels
    }

    private static func text(_ document: JSONObject, _ name: String) -> String? {
        document[name]?.stringValue
    }

    private static func instant(_ document: JSONObject, _ name: String) -> Instant? {
        text(document, name).flatMap { Instant(rfc3339: $0) }
    }

    private static func quantity(_ document: JSONObject, _ name: String) -> Quantity? {
        text(document, name).flatMap { try? Quantity($0) }
    }
}
