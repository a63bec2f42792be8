import UsageModel

/// A request that is about to leave.
struct OutletRequest: Sendable {
    var method = "POST"
    var url: String
    private(set) var headers: [(name: String, value: String)]
    var body: [UInt8]

    init(url: String, contentType: String? = nil, body: [UInt8] = []) {
        (self.url, self.body) = (url, body)
        headers = [("user-agent", "odometer")]
        if let contentType { set("content-type", contentType) }
    }

    /// Sets a header, in place of one of that name.
    mutating func set(_ name: String, _ value: String) {
        let name = name.lowercased()
        headers.removeAll { $0.name == name }
        headers.append((name, value))
    }

    /// Sets what somebody wrote down.
    mutating func set(_ members: [MetadataMember]) {
        for member in members { set(member.name, member.value) }
    }

    /// Why it cannot be sent: a header that would break the request apart.
    var fault: String? {
        for (name, value) in headers {
            guard !name.isEmpty, name.utf8.allSatisfy(Self.isToken) else {
                return "`\(name)` cannot be the name of a header"
            }
            if value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) {
                return "the header `\(name)` would hold a line break or another control character"
            }
        }
        return nil
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        PlainByte.holds(byte) || "!#$%&'*+^`|~".utf8.contains(byte)
    }
}

/// What came of a request.
enum OutletReply: Sendable {
    case answer(OutletAnswer)
    /// No answer: it may work another time.
    case none(reason: String)
    /// It was not sent, and cannot be as it is.
    case unsendable(reason: String)
}

struct OutletAnswer: Sendable {
    var status: Int
    /// The header, as it came.
    var retryAfter: String?
    /// At most ``Limits/outletAnswerBytesMax``, what came of it before the time was over.
    var bytes: [UInt8]
}
