import HTTPTypes
import Hummingbird
import MeteringEngine
import NIOCore
import UsageModel
import WireFormat

/// What a call is answered with.
struct Answer {
    var status: HTTPResponse.Status = .ok
    var headers: HTTPFields = [:]
    var body: [UInt8] = []

    static func json(_ writer: consuming JSONWriter, status: HTTPResponse.Status = .ok) -> Answer {
        Answer(
            status: status,
            headers: [.contentType: "application/json"],
            body: writer.bytes
        )
    }

    static func json(
        _ document: JSONObject,
        isPretty: Bool,
        status: HTTPResponse.Status = .ok
    ) -> Answer {
        Answer(
            status: status,
            headers: [.contentType: "application/json"],
            body: JSONValue.object(document).serialized(pretty: isPretty)
        )
    }

    static func text(
        _ text: String,
        type: String = "text/plain; charset=utf-8",
        status: HTTPResponse.Status = .ok
    ) -> Answer {
        Answer(status: status, headers: [.contentType: type], body: Array(text.utf8))
    }

    func response(for method: HTTPRequest.Method) -> Response {
        var headers = headers
        if status != .noContent { headers[.contentLength] = String(body.count) }
        guard method != .head, status != .noContent else {
            return Response(status: status, headers: headers)
        }
        return Response(
            status: status,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body))
        )
    }
}

extension HTTPField.Name {
    /// The position after which the answer is visible, also where there is no body to hold it.
    static let odometerPosition = HTTPField.Name("Odometer-Position")!
    static let link = HTTPField.Name("Link")!
    static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
    static let prefer = HTTPField.Name("Prefer")!
    static let preferenceApplied = HTTPField.Name("Preference-Applied")!
}
