public import UsageModel

/// Which deliveries to send again: `POST /v1/deliveries/resend`. One of `state`, `from` with `to`,
/// and `records`.
///
///     {"destination":"billing","state":"failed"}
///     {"destination":"billing","from":"17","to":"20"}
///     {"destination":"billing","records":["ur_…"]}
public enum ResendDocument {
    public typealias Faults = MeterTypeDocument.Faults

    public static func read(_ value: JSONValue) throws(Faults) -> DeliverySelection {
        let known = ["destination", "state", "from", "to", "records"]
        var reader = FieldReader(value, at: "", known: known)
        guard reader.isObject else { throw reader.faults }
        let key = reader.string("destination").flatMap(DestinationKey.init)
        if key == nil {
            reader.fault("destination", "it is missing, or no key", "name a destination")
        }
        let what = what(&reader)
        guard reader.faults.all.isEmpty, let key, let what else { throw reader.faults }
        return DeliverySelection(destination: key, what: what)
    }

    private static func what(_ reader: inout FieldReader) -> DeliverySelection.What? {
        let given = ["state", "from", "records"].filter { reader.value($0) != nil }
        guard given.count == 1 else {
            let remedy = "give one of state, from with to, and records"
            reader.fault("", "it does not say which", remedy)
            return nil
        }
        if reader.value("to") != nil, reader.value("from") == nil {
            reader.fault("to", "there is no from", "give both, or neither")
            return nil
        }
        if let state = reader.string("state") {
            if state == Delivery.State.failed.rawValue { return .failed }
            reader.fault("state", "it is \"\(state)\"", "say \"failed\", or give numbers")
            return nil
        }
        if reader.value("records") != nil { return records(&reader) }
        let first = reader.string("from").flatMap { Int64($0) }
        let last = reader.string("to").flatMap { Int64($0) }
        guard let first, let last, first > 0, first <= last else {
            reader.fault("to", "from and to are no range of numbers", "\"from\":\"1\",\"to\":\"9\"")
            return nil
        }
        return .numbers(first...last)
    }

    private static func records(_ reader: inout FieldReader) -> DeliverySelection.What? {
        let elements = reader.value("records")?.arrayValue ?? []
        let ids = elements.compactMap { $0.stringValue.flatMap(UsageRecordID.init) }
        guard ids.count == elements.count, (1...Limits.resendRecordsMax).contains(ids.count) else {
            let most = Limits.resendRecordsMax
            reader.fault("records", "it is no list of ids", "give 1 to \(most) ids of records")
            return nil
        }
        return .records(ids)
    }
}
