/// One call of a large language model, before it is spelled as JSON or as database columns.
struct Inference: Sendable {
    static let models: [StaticString] = ["large", "medium", "small", "embed"]
    static let sources: [StaticString] = ["gateway-eu-1", "gateway-eu-2", "gateway-us-1"]
    static let statuses: [StaticString] = ["ok", "ok", "ok", "ok", "ok", "ok", "ok", "error"]

    var idHigh: UInt64
    var idLow: UInt64
    var source: UInt8
    var model: UInt8
    var status: UInt8
    var subject: Int32
    var user: Int32
    var timeMicroseconds: Int
    var inputTokens: Int32
    var outputTokens: Int32
    var latencyMilliseconds: Int32
    var storageBytes: Int
}

extension Inference {
    func appendID(to bytes: inout [UInt8]) {
        bytes.append("req-")
        bytes.append(hexadecimal: idHigh)
        bytes.append(hexadecimal: idLow)
    }

    func appendSubject(to bytes: inout [UInt8]) {
        bytes.append("customer-")
        bytes.append(decimal: Int(subject), width: 7)
    }

    /// Appends the `data` member alone.
    func appendData(to bytes: inout [UInt8]) {
        bytes.append("{\"model\":\"")
        bytes.append(Self.models[Int(model)])
        bytes.append("\",\"tokens\":{\"input\":")
        bytes.append(decimal: Int(inputTokens))
        bytes.append(",\"output\":")
        bytes.append(decimal: Int(outputTokens))
        bytes.append("},\"user\":\"user-")
        bytes.append(decimal: Int(user), width: 5)
        bytes.append("\",\"status\":\"")
        bytes.append(Self.statuses[Int(status)])
        bytes.append("\",\"latencyMs\":")
        bytes.append(decimal: Int(latencyMilliseconds))
        bytes.append(",\"storageBytes\":")
        bytes.append(decimal: storageBytes)
        bytes.append("}")
    }

    /// Appends the whole CloudEvents 1.0 event, about 310 bytes.
    func appendCloudEvent(to bytes: inout [UInt8]) {
        bytes.append("{\"specversion\":\"1.0\",\"id\":\"")
        appendID(to: &bytes)
        bytes.append("\",\"source\":\"")
        bytes.append(Self.sources[Int(source)])
        bytes.append("\",\"type\":\"llm.request\",\"subject\":\"")
        appendSubject(to: &bytes)
        bytes.append("\",\"time\":\"")
        bytes.append(timeMicroseconds: timeMicroseconds)
        bytes.append("\",\"data\":")
        appendData(to: &bytes)
        bytes.append("}")
    }
}
