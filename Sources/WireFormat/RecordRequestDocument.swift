public import UsageModel

/// Which usage records to make now: `POST /v1/usage-records`. Of one meter, or of all meters of a
/// customer's subjects.
///
///     {"meter":"kwh~house-7","kind":"final"}
///     {"customer":"acme","kind":"interim"}
public struct RecordRequestDocument: Sendable, Hashable {
    public typealias Faults = MeterTypeDocument.Faults

    public enum Whose: Sendable, Hashable {
        case meter(MeterID)
        case customer(CustomerKey)
    }

    public var whose: Whose
    /// ``UsageRecord/Kind/final`` closes the running period, and ``UsageRecord/Kind/interim`` tells
    /// where it stands.
    public var kind: UsageRecord.Kind

    public init(_ value: JSONValue) throws(Faults) {
        var reader = FieldReader(value, at: "", known: ["meter", "customer", "kind"])
        guard reader.isObject else { throw reader.faults }
        let kind = reader.string("kind").flatMap(UsageRecord.Kind.init)
        if kind == nil || kind == .adjustment {
            let remedy = "say \"final\" to close, or \"interim\" to look"
            reader.fault("kind", "it is missing, or not one that is made on demand", remedy)
        }
        var whose: Whose?
        switch (reader.string("meter"), reader.string("customer")) {
        case (let meter?, nil):
            whose = MeterID(meter).map { .meter($0) }
            if whose == nil { reader.fault("meter", "it is no id of a meter", "meterType~subject") }
        case (nil, let customer?):
            whose = CustomerKey(customer).map { .customer($0) }
            if whose == nil { reader.fault("customer", "it is no key of a customer", "give one") }
        default: reader.fault("", "it does not say of whom", "name a meter or a customer")
        }
        guard reader.faults.all.isEmpty, let whose, let kind else { throw reader.faults }
        (self.whose, self.kind) = (whose, kind)
    }
}
