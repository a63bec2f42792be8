public import UsageModel

/// What the value of an expression must be; checked when it is compiled.
public enum ExpectedResult: Hashable, Sendable {
    /// A filter.
    case bool
    /// The value of every aggregation that computes.
    case number
    /// A text, number or boolean: a dimension, or a value that is only told apart.
    case scalar
}

/// How an expression ends for an event.
public enum ExpressionResult: Hashable, Sendable {
    case bool(Bool)
    case number(Quantity)
    case text(ExpressionText)
    /// The event has no such value: the place is absent or `null`.
    case missing
    case fault(ExpressionFault)
}

/// A text as an expression gives it: a place, not a copy.
///
/// It is good until the scratch is used again; ``UsageExpression/withBytes(of:in:_:_:)`` reads it.
public struct ExpressionText: Hashable, Sendable {
    /// Whose bytes ``slice`` points into.
    public enum Home: UInt8, Hashable, Sendable {
        case event
        /// Of the expression itself.
        case literal
        case scratch
    }

    public var home: Home
    /// Of a text of the event whose bytes are not yet its text.
    public var hasEscapes: Bool
    public var slice: ByteSlice
}

/// Memory that one evaluation after the other uses, so that none of them allocates. One per thread.
public struct ExpressionScratch: Sendable {
    /// What is kept between evaluations, in bytes.
    static let keptBytesMax = 1 << 20

    var bytes: [UInt8] = []

    public init() {}

    mutating func clear() {
        if bytes.capacity > Self.keptBytesMax { bytes = [] }
        bytes.removeAll(keepingCapacity: true)
    }
}
