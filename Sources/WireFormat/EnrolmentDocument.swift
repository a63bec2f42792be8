public import UsageModel

/// How meters are enrolled, altered, suspended: the bodies of `/v1/meters`.
///
///     {"meterType":"prints","subject":"printer-7","start":"2026-11-01T00:00:00Z","end":"…",
///      "category":"office","externalRef":"SAP-4711","metadata":{"floor":"3"}}
///
/// or many of them, as `{"meters":[…]}`. A body that alters one holds the fields that change; null
/// takes a date, a note or all metadata away. One that suspends, resumes or closes is
/// `{"from":"…","to":"…","reason":"…"}`; `to` goes with a suspension only.
public enum EnrolmentDocument {
    public typealias Faults = MeterTypeDocument.Faults

    private static let fields = [
        "meterType", "subject", "start", "end", "category", "externalRef", "metadata",
    ]
    private static let ours = ["id", "state", "customer", "unit", "states", "period"]

    /// Reads one enrolment or many.
    ///
    /// - Returns: The enrolments, and whether the document was one of many.
    public static func read(_ value: JSONValue) throws(Faults) -> ([MeterEnrolment], Bool) {
        guard let many = value["meters"] else {
            return ([try enrolment(value, at: "")], false)
        }
        var reader = FieldReader(value, at: "", known: ["meters"])
        guard let elements = many.arrayValue, !elements.isEmpty else {
            reader.fault("meters", "it is no list with a meter in it", "give meters as objects")
            throw reader.faults
        }
        guard elements.count <= Limits.enrolmentsPerCallMax else {
            let most = Limits.enrolmentsPerCallMax
            reader.fault("meters", "there are \(elements.count)", "give at most \(most)")
            throw reader.faults
        }
        var enrolments: [MeterEnrolment] = []
        enrolments.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            do throws(Faults) {
                enrolments.append(try enrolment(element, at: "/meters/\(index)"))
            } catch {
                reader.take(error)
                if reader.faults.all.count >= FieldReader.faultsMax { break }
            }
        }
        guard reader.faults.all.isEmpty else { throw reader.faults }
        return (enrolments, true)
    }

    private static func enrolment(
        _ value: JSONValue,
        at pointer: String
    ) throws(Faults) -> MeterEnrolment {
        var reader = FieldReader(value, at: pointer, known: fields, ours: ours)
        guard reader.isObject else { throw reader.faults }
        let id = reader.meterID()
        let start = reader.instant("start")
        let end = reader.instant("end")
        judge(start, end, &reader)
        let notes = notes(&reader)
        let metadata = reader.metadata()
        guard let id, reader.faults.all.isEmpty else { throw reader.faults }
        return MeterEnrolment(
            id: id,
            start: start,
            end: end,
            category: notes.category ?? "",
            externalRef: notes.externalRef ?? "",
            metadata: metadata ?? []
        )
    }

    /// Writes an enrolment; reading the document gives an equal one.
    public static func write(_ enrolment: MeterEnrolment) -> JSONObject {
        var document: JSONObject = [
            "meterType": .string(enrolment.id.meterType.text),
            "subject": .string(enrolment.id.subject),
        ]
        document["start"] = enrolment.start.map { .string($0.rfc3339) }
        document["end"] = enrolment.end.map { .string($0.rfc3339) }
        for (name, text) in [
            ("category", enrolment.category), ("externalRef", enrolment.externalRef),
        ] where !text.isEmpty {
            document[name] = .string(text)
        }
        if !enrolment.metadata.isEmpty { document["metadata"] = enrolment.metadata.document }
        return document
    }

    private static func judge(_ start: Instant?, _ end: Instant?, _ reader: inout FieldReader) {
        if let start, let end, start >= end {
            reader.fault("end", "it does not lie after start", "give a later time")
        }
    }

    private static func notes(
        _ reader: inout FieldReader
    ) -> (category: String?, externalRef: String?) {
        (
            reader.text("category", bytesMax: MeterTypeDocument.categoryBytesMax),
            reader.text("externalRef", bytesMax: MeterTypeDocument.externalRefBytesMax)
        )
    }

    /// Reads what is to become of a meter's enrolment.
    public static func readAlteration(_ value: JSONValue) throws(Faults) -> MeterAlteration {
        var reader = FieldReader(
            value,
            at: "",
            known: ["start", "end", "category", "externalRef", "metadata"],
            ours: ours + ["meterType", "subject"]
        )
        var alteration = MeterAlteration()
        if let start = reader.instant("start") { alteration.start = start }
        if let end = reader.instant("end") { alteration.end = end }
        if reader.isNull("start") { alteration.start = .some(nil) }
        if reader.isNull("end") { alteration.end = .some(nil) }
        (alteration.category, alteration.externalRef) = notes(&reader)
        if reader.isNull("category") { alteration.category = "" }
        if reader.isNull("externalRef") { alteration.externalRef = "" }
        alteration.metadata = reader.isNull("metadata") ? [] : reader.metadata()
        if let start = alteration.start ?? nil, let end = alteration.end ?? nil {
            judge(start, end, &reader)
        }
        guard reader.faults.all.isEmpty else { throw reader.faults }
        return alteration
    }

    /// Reads the word that a meter is to be active, suspended or closed.
    ///
    /// - Parameter now: Where it begins, if nothing is said.
    public static func readChange(
        _ value: JSONValue,
        _ standing: MeterStanding,
        now: Instant
    ) throws(Faults) -> StandingChange {
        let takesEnd = standing == .suspended
        var reader = FieldReader(
            value,
            at: "",
            known: ["from"] + (takesEnd ? ["to"] : []) + ["reason"]
        )
        let from = reader.instant("from") ?? now
        let to = takesEnd ? reader.instant("to") : nil
        if let to, to <= from {
            reader.fault("to", "it does not lie after from", "give a later time")
        }
        let reason = reader.text("reason", bytesMax: Limits.reasonBytesMax) ?? ""
        if reason.isEmpty, standing != .active, reader.isObject {
            reader.fault("reason", "it is missing", "say why")
        }
        guard reader.faults.all.isEmpty else { throw reader.faults }
        return StandingChange(standing, from: from, to: to, reason: reason)
    }
}
