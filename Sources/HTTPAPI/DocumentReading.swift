import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// Bodies that are one JSON document: definitions, enrolments, customers.
extension FrontDesk {
    /// Reads a body that must be JSON.
    ///
    /// - Throws: `unsupported-media-type`, `body-too-large`, `malformed-json`.
    func readDocument(
        _ call: Call,
        bytesMax: Int = FrontDesk.definitionBytesMax
    ) async throws -> JSONValue {
        guard let text = call.request.headers[.contentType] else {
            throw Refusal(.unsupportedMediaType, "a definition is application/json")
        }
        let media = MediaType(text)
        guard media.name == "application/json", media.charset ?? "utf-8" == "utf-8" else {
            throw Refusal(.unsupportedMediaType, "a definition is application/json in UTF-8")
        }
        var share = BodyShare(of: budget)
        let reading = BodyReading(bytesMax: min(bodies.bytesMax, bytesMax))
        let announced = try reading.announcement(call.request.headers)
        let body = try await reading.read(call.request.body, announced, share: &share)
        share.end()
        do throws(MalformedBody) {
            return try JSONValue.parse(body)
        } catch { throw Refusal(error) }
    }
}

extension Refusal {
    init(_ faults: MeterTypeDocument.Faults) {
        guard faults.unknown.isEmpty else {
            let detail = "\(faults.unknown.count) not known or not supported yet, see errors"
            self.init(.unknownField, detail, faults: faults.unknown + faults.invalid)
            return
        }
        self = .fields(faults.invalid)
    }
}
