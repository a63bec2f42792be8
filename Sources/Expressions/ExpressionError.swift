import UsageModel

/// Why a text is no expression, or one of the wrong type: where, what is there, what should be.
public struct ExpressionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The first byte at fault, from 0.
    public var offset: Int
    /// The same place for people: characters, from 1.
    public var column: Int
    public var found: String
    public var expected: String
    /// What to do about it.
    public var remedy: String

    /// `column 12: found "tokens" (a text), expected a number; …`
    public var description: String {
        "column \(column): found \(found), expected \(expected); \(remedy)"
    }
}

/// Why an expression has no value for an event. Data may make one; it never traps.
public struct ExpressionFault: Error, Hashable, Sendable {
    /// The raw values are the words on the wire.
    public enum Reason: String, CaseIterable, Hashable, Sendable {
        case divisionByZero = "division-by-zero"
        /// A number does not fit a `Quantity`: one of the event, or one that was computed.
        case outOfRange = "out-of-range"
        /// Digits past the 18th place, where the meter type wants them rejected.
        case excessDigits = "excess-digits"
        case notNumber = "not-a-number"
        case notBoolean = "not-a-boolean"
        case notText = "not-a-text"
        /// Not an RFC 3339 time with an offset.
        case notTime = "not-a-time"
        case notArray = "not-an-array"
        /// An array or object as the value of the whole.
        case notScalar = "not-a-scalar"
        /// A computed text over ``Limits/expressionTextBytesMax``.
        case textTooLong = "text-too-long"
    }

    public var reason: Reason
    /// The first byte, in the expression, of the part at fault.
    public var offset: Int

    public init(_ reason: Reason, offset: Int) { (self.reason, self.offset) = (reason, offset) }
}
