import UsageModel

/// Why a call is not answered as it was meant: a problem document (RFC 9457) to be.
struct Refusal: Error, Sendable {
    var type: ProblemType
    var detail: String
    /// The fields or parameters at fault; a parameter's pointer is its name.
    var faults: [FieldFault] = []
    /// The byte of the body at fault.
    var offset: Int?
    /// The methods an address takes, for `Allow`.
    var allowed: String?
    var retryAfterSeconds: Int?
    /// Whether the rest of the request is not worth reading: the connection closes.
    var closesConnection = false

    init(_ type: ProblemType, _ detail: String, faults: [FieldFault] = []) {
        (self.type, self.detail, self.faults) = (type, detail, faults)
    }

    static func notFound(_ detail: String) -> Refusal { Refusal(.notFound, detail) }

    static func busy(_ detail: String) -> Refusal {
        var refusal = Refusal(.busy, detail)
        refusal.retryAfterSeconds = 1
        return refusal
    }

    static func unavailable(_ detail: String) -> Refusal {
        var refusal = Refusal(.storageUnavailable, detail)
        refusal.retryAfterSeconds = 5
        return refusal
    }

    static func fields(_ faults: [FieldFault]) -> Refusal {
        let what = faults.count == 1 ? "1 field or parameter is" : "\(faults.count) are"
        return Refusal(.invalidField, "\(what) at fault, see errors", faults: faults)
    }
}
