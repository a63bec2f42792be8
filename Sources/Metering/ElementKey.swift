public import UsageModel

// Elements are told apart by 128 bits. A hash stands for a text or scalar; a number stands for
// itself, so that the elements of sorted cells are in the order of their numbers.
extension KeyHash {
    /// The element that is a value, in the order of values.
    @inlinable
    public init(value mantissa: Int128) {
        let bits = UInt128(truncatingIfNeeded: mantissa) ^ (1 << 127)
        self.init(
            high: UInt64(truncatingIfNeeded: bits >> 64),
            low: UInt64(truncatingIfNeeded: bits)
        )
    }

    /// The value that the element is.
    @inlinable public var value: Int128 {
        Int128(truncatingIfNeeded: (UInt128(high) << 64 | UInt128(low)) ^ (1 << 127))
    }

    /// The element that is an instant, in the order of time.
    @inlinable
    public init(microseconds: Int64) {
        self.init(high: UInt64(bitPattern: microseconds) ^ (1 << 63), low: 0)
    }

    /// The instant that the element is.
    @inlinable public var microseconds: Int64 { Int64(bitPattern: high ^ (1 << 63)) }
}
