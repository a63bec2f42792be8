public import UsageModel

/// What a path leads to in one event.
public struct PathValue: Hashable, Sendable {
    public enum Kind: UInt8, Hashable, Sendable {
        /// The event has no such place.
        case missing
        case null, bool, number, string, array, object
    }

    public static let missing = PathValue(kind: .missing, slice: .empty)

    public var kind: Kind
    /// A string whose bytes are not yet its text: see ``unescape(_:)``.
    public var hasEscapes: Bool
    /// The value's bytes in the batch; of a string the content, without its quotes.
    public var slice: ByteSlice

    public init(kind: Kind, hasEscapes: Bool = false, slice: ByteSlice) {
        (self.kind, self.hasEscapes, self.slice) = (kind, hasEscapes, slice)
    }

    /// The value that stands at `start..<end`.
    @inline(__always)
    init(_ bytes: RawBytes, _ start: Int, _ end: Int) {
        let whole = ByteSlice(
            offset: UInt32(truncatingIfNeeded: start),
            count: UInt32(truncatingIfNeeded: end &- start)
        )
        guard start < end else {
            self = .missing
            return
        }
        switch bytes[start] {
        case Ascii.quote:
            let content = ByteSlice(
                offset: whole.offset &+ 1,
                count: whole.count < 2 ? 0 : whole.count &- 2
            )
            let hasEscapes = bytes.containsBackslash(content.range)
            self.init(kind: .string, hasEscapes: hasEscapes, slice: content)
        case Ascii.openBrace: self.init(kind: .object, slice: whole)
        case Ascii.openBracket: self.init(kind: .array, slice: whole)
        case UInt8(ascii: "t"), UInt8(ascii: "f"): self.init(kind: .bool, slice: whole)
        case UInt8(ascii: "n"): self.init(kind: .null, slice: whole)
        default: self.init(kind: .number, slice: whole)
        }
    }
}

extension RawBytes {
    @inline(__always)
    func containsBackslash(_ range: Range<Int>) -> Bool {
        var at = range.lowerBound
        let end = range.upperBound
        while at &+ 8 <= end {
            let lanes = word(at) ^ (Lanes.ones &* UInt64(Ascii.backslash))
            if (lanes &- Lanes.ones) & ~lanes & Lanes.highs != 0 { return true }
            at &+= 8
        }
        while at < end {
            if self[at] == Ascii.backslash { return true }
            at &+= 1
        }
        return false
    }
}

/// The elements of an array, one after the other, as slices of the batch it came from.
///
/// Trusts that the array was validated, and stays inside its slice whatever it holds.
/// - Complexity: O(length of the array) in all; never allocates.
@safe public struct ArrayElements {
    private let bytes: RawBytes
    private let end: Int
    private var at: Int

    /// - Parameters:
    ///   - array: A ``PathValue`` of kind `array`; of any other kind there are no elements.
    ///   - bytes: The bytes its slice points into; they must outlive the elements.
    public init(_ array: PathValue, in bytes: UnsafeRawBufferPointer) {
        self.bytes = unsafe RawBytes(bytes)
        let range = array.slice.range
        let isArray = array.kind == .array && range.upperBound <= bytes.count
        end = isArray ? range.upperBound : 0
        at = isArray ? trustedSpaceEnd(self.bytes, range.lowerBound + 1, end: end) : 0
    }

    public mutating func next() -> PathValue? {
        guard at < end, bytes[at] != Ascii.closeBracket else { return nil }
        let start = at
        let behind = trustedValueEnd(bytes, start, end: end)
        at = trustedSpaceEnd(bytes, behind, end: end)
        if at < end, bytes[at] == Ascii.comma { at = trustedSpaceEnd(bytes, at + 1, end: end) }
        // Not JSON: whatever is here, every element takes a byte, so this ends.
        if at == start { at = end }
        return PathValue(bytes, start, behind)
    }
}

/// Calls `body` with every element of an array; see ``ArrayElements``.
public func forEachElement<Failure: Error>(
    of array: PathValue,
    in bytes: UnsafeRawBufferPointer,
    _ body: (PathValue) throws(Failure) -> Void
) throws(Failure) {
    var elements = unsafe ArrayElements(array, in: bytes)
    while let element = elements.next() { try body(element) }
}
