public import UsageModel

/// What was sent as JSON: of the API, and as it is stored.
public enum SentRequestDocument {
    public static func write(_ request: SentRequest) -> JSONObject {
        var document: JSONObject = [
            "at": .string(request.at.rfc3339),
            "milliseconds": .number(String(request.milliseconds)),
            "method": .string(request.method), "address": .string(request.address),
            "headers": .array(
                request.headers.map { ["name": .string($0.name), "value": .string($0.value)] }
            ),
            "bodyBytes": .number(String(request.bodyBytes)),
            "bodyDigest": .string(request.bodyDigest),
        ]
        document["status"] = request.status.map { .number(String($0)) }
        if !request.answer.isEmpty { document["answer"] = .string(request.answer) }
        return document
    }

    /// - Returns: nil for what ``write(_:)`` did not write.
    public static func read(_ value: JSONValue) -> SentRequest? {
        func whole(_ name: String) -> Int64? { value[name]?.numberValue.flatMap(Int64.init) }
        guard let at = value["at"]?.stringValue.flatMap({ Instant(rfc3339: $0) }),
            let milliseconds = whole("milliseconds"),
            let method = value["method"]?.stringValue, let address = value["address"]?.stringValue,
            let headers = value["headers"]?.arrayValue, let bytes = whole("bodyBytes"),
            let digest = value["bodyDigest"]?.stringValue
        else { return nil }
        return SentRequest(
            at: at,
            milliseconds: milliseconds,
            method: method,
            address: address,
            headers: headers.compactMap { header in
                guard let name = header["name"]?.stringValue,
                    let value = header["value"]?.stringValue
                else { return nil }
                return MetadataMember(name: name, value: value)
            },
            bodyBytes: Int(bytes),
            bodyDigest: digest,
            status: whole("status").map { Int($0) },
            answer: value["answer"]?.stringValue ?? ""
        )
    }
}
