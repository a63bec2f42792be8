/// A stretch of a batch's bytes: what the decoder hands out instead of copies.
///
/// It says nothing about whose bytes they are; whoever holds the slice holds the batch too.
public struct ByteSlice: Hashable, Sendable {
    public static let empty = ByteSlice(offset: 0, count: 0)

    /// The first byte, counted from the start of the batch.
    public var offset: UInt32
    /// How many bytes; zero where the thing is absent (no JSON value has zero bytes).
    public var count: UInt32

    public init(offset: UInt32, count: UInt32) { (self.offset, self.count) = (offset, count) }

    public var isEmpty: Bool { count == 0 }
    public var range: Range<Int> { Int(offset)..<(Int(offset) + Int(count)) }
}
