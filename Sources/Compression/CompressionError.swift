/// Why bytes could not be packed or unpacked.
public struct CompressionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Closed on purpose: a new code breaks every `switch` that has not yet decided about it.
    public enum Code: String, CaseIterable, Sendable {
        /// The bytes are not of the format, or contradict their own checksum.
        case malformed
        /// The bytes end before the format says they may; no bytes at all count as this.
        case truncated
        /// Unpacked, the bytes would exceed the limit given by the caller.
        case tooLarge
        /// The library could not get the memory it needs.
        case memory
    }

    public var code: Code
    /// What was wrong, in the library's words where it has any; holds nothing of the content.
    public var message: String

    public init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

    public var description: String { "\(code.rawValue): \(message)" }
}
