/// One request of a try, as it was sent, and what was answered: without secrets, and of its body
/// what tells it apart. A file that was written is one, too.
public struct SentRequest: Hashable, Sendable {
    public var at: Instant
    /// Until the answer was there, or none came; whole milliseconds.
    public var milliseconds: Int64
    /// `WRITE` where it is no request.
    public var method: String
    public var address: String
    public var headers: [MetadataMember]
    public var bodyBytes: Int
    /// SHA-256 of the body, 64 hexadecimal digits.
    public var bodyDigest: String
    /// The status of the answer; nil where none came, or there is no such thing.
    public var status: Int?
    /// How the answer begins, or why there is none.
    public var answer: String

    public init(
        at: Instant,
        milliseconds: Int64,
        method: String,
        address: String,
        headers: [MetadataMember] = [],
        bodyBytes: Int,
        bodyDigest: String,
        status: Int? = nil,
        answer: String = ""
    ) {
        (self.at, self.milliseconds) = (at, milliseconds)
        (self.method, self.address, self.headers) = (method, address, headers)
        (self.bodyBytes, self.bodyDigest) = (bodyBytes, bodyDigest)
        (self.status, self.answer) = (status, answer)
    }
}
