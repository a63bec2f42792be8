import CRE2
import UsageModel

/// A regular expression, compiled once. Matching is linear in the text, by RE2, whose syntax it is.
///
/// `@unchecked`: RE2 promises that a compiled pattern may be asked by many threads at once, and
/// nothing here changes it.
@safe public final class Pattern: @unchecked Sendable {
    private let compiled: OpaquePointer

    /// Why a text is no pattern.
    public struct Fault: Error, Sendable {
        public var reason: String
    }

    /// Compiles a pattern.
    ///
    /// - Parameter text: RE2's syntax, UTF-8; its length is the caller's to limit.
    /// - Throws: ``Fault``, also where it takes more than ``Limits/patternMemoryBytesMax``.
    public init(_ text: [UInt8]) throws(Fault) {
        let made = unsafe text.withUnsafeBytes { bytes in
            unsafe cre2_compile(
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                bytes.count,
                Int64(Limits.patternMemoryBytesMax)
            )
        }
        guard let made = unsafe made else { throw Fault(reason: "no memory") }
        if let reason = unsafe cre2_fault(made) {
            let reason = unsafe String(cString: reason)
            unsafe cre2_free(made)
            throw Fault(reason: reason)
        }
        unsafe compiled = made
    }

    deinit { unsafe cre2_free(compiled) }

    /// Whether the pattern matches anywhere in a text.
    public func matches(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return unsafe bytes.withUnsafeBytes { unsafe matches($0) }
    }

    /// Whether the pattern matches anywhere in the bytes.
    public func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        unsafe cre2_matches(
            compiled,
            text.baseAddress?.assumingMemoryBound(to: CChar.self),
            text.count
        )
    }
}

/// Whether the bytes stand anywhere in the text; linear in both.
func contains(_ text: UnsafeRawBufferPointer, _ bytes: UnsafeRawBufferPointer) -> Bool {
    unsafe cre2_contains(text.baseAddress, text.count, bytes.baseAddress, bytes.count)
}
