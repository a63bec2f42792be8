/// Whether two texts are the same JSON value.
///
/// What does not matter: the order of members, spaces, how strings are escaped, how numbers are
/// spelled (1.0, 1 and 10e-1 are one number, compared exactly; -0 is 0). What does: the order of
/// elements, the kind of a value ("1" is not 1), and every member, also one that is null.
///
/// Both are meant to be validated values with at most ``Limits/eventDepthMax`` levels. Of other
/// bytes the answer is true where they are identical, else it may be either; nothing outside is
/// read.
///
/// - Complexity: O(n) where the members come in the same order, else O(n log n); n is at most
///   multiplied by the depth where the order differs on every level. Allocates only then.
public func jsonValuesEqual(
    _ one: UnsafeRawBufferPointer,
    _ other: UnsafeRawBufferPointer
) -> Bool {
    let (one, other) = unsafe (RawBytes(one), RawBytes(other))
    if one.count == other.count, one.isEqual(0, to: other, 0, length: one.count) { return true }
    let comparison = ValueComparison(one: one, other: other)
    let starts = ValueComparison.Places(
        one: trustedSpaceEnd(one, 0, end: one.count),
        other: trustedSpaceEnd(other, 0, end: other.count)
    )
    guard let ends = comparison.value(starts, level: 0) else { return false }
    return trustedSpaceEnd(one, ends.one, end: one.count) == one.count
        && trustedSpaceEnd(other, ends.other, end: other.count) == other.count
}

/// Walks two values side by side. Each function returns the places behind them, or nil where they
/// differ.
private struct ValueComparison {
    struct Places {
        var one: Int
        var other: Int
    }

    /// More levels than any validated value has; ends the recursion on other bytes.
    private static let levelMax = 128

    let one: RawBytes
    let other: RawBytes

    func value(_ at: Places, level: Int) -> Places? {
        guard at.one < one.count, at.other < other.count, level < Self.levelMax else { return nil }
        let (first, second) = (one[at.one], other[at.other])
        switch first {
        case Ascii.openBrace: return second == first ? object(at, level: level) : nil
        case Ascii.openBracket: return second == first ? array(at, level: level) : nil
        case Ascii.quote: return second == first ? string(at) : nil
        default: break
        }
        let ends = Places(
            one: trustedValueEnd(one, at.one, end: one.count),
            other: trustedValueEnd(other, at.other, end: other.count)
        )
        let (left, right) = (at.one..<ends.one, at.other..<ends.other)
        if left.count == right.count,
            one.isEqual(at.one, to: other, at.other, length: left.count)
        {
            return ends
        }
        let areNumbers =
            (Ascii.isDigit(first) || first == Ascii.minus)
            && (Ascii.isDigit(second) || second == Ascii.minus)
        return areNumbers && DecimalSpelling(one, left) == DecimalSpelling(other, right)
            ? ends : nil
    }

    private func string(_ at: Places) -> Places? {
        let ends = Places(
            one: trustedStringEnd(one, at.one + 1, end: one.count),
            other: trustedStringEnd(other, at.other + 1, end: other.count)
        )
        let isSame = textsEqual(
            one.slice(at.one + 1..<ends.one),
            other.slice(at.other + 1..<ends.other)
        )
        guard isSame else { return nil }
        return Places(one: min(ends.one + 1, one.count), other: min(ends.other + 1, other.count))
    }

    private func array(_ at: Places, level: Int) -> Places? {
        var at = Places(one: space(one, at.one + 1), other: space(other, at.other + 1))
        while true {
            guard at.one < one.count, at.other < other.count else { return nil }
            let isEnd = one[at.one] == Ascii.closeBracket
            guard isEnd == (other[at.other] == Ascii.closeBracket) else { return nil }
            if isEnd { return Places(one: at.one + 1, other: at.other + 1) }
            guard let behind = value(at, level: level + 1) else { return nil }
            at.one = afterComma(one, behind.one)
            at.other = afterComma(other, behind.other)
        }
    }

    private func object(_ start: Places, level: Int) -> Places? {
        var at = Places(one: space(one, start.one + 1), other: space(other, start.other + 1))
        while true {
            guard at.one < one.count, at.other < other.count else { return nil }
            let isEnd = one[at.one] != Ascii.quote
            guard isEnd == (other[at.other] != Ascii.quote) else { return nil }
            if isEnd { return Places(one: at.one + 1, other: at.other + 1) }
            let first = MemberSpelling(one, at.one)
            let second = MemberSpelling(other, at.other)
            guard textsEqual(first.text(one), second.text(other)) else {
                return reordered(at, level: level)
            }
            let values = Places(one: first.value, other: second.value)
            guard let behind = value(values, level: level + 1) else { return nil }
            at.one = afterComma(one, behind.one)
            at.other = afterComma(other, behind.other)
        }
    }

    /// Compares the members from here on by name.
    private func reordered(_ at: Places, level: Int) -> Places? {
        let (left, oneEnd) = members(one, at.one)
        let (right, otherEnd) = members(other, at.other)
        guard left.count == right.count else { return nil }
        for (first, second) in zip(left, right) {
            guard textsEqual(first.text(one), second.text(other)),
                value(Places(one: first.value, other: second.value), level: level + 1) != nil
            else { return nil }
        }
        return Places(one: oneEnd, other: otherEnd)
    }

    /// The members from `start` on, sorted by name, and the place behind the object.
    private func members(_ bytes: RawBytes, _ start: Int) -> ([MemberSpelling], end: Int) {
        var found: [MemberSpelling] = []
        var at = start
        while at < bytes.count, bytes[at] == Ascii.quote {
            let member = MemberSpelling(bytes, at)
            found.append(member)
            at = afterComma(bytes, trustedValueEnd(bytes, member.value, end: bytes.count))
        }
        found.sort { textPrecedes($0.text(bytes), $1.text(bytes)) }
        return (found, min(at + 1, bytes.count))
    }

    private func space(_ bytes: RawBytes, _ at: Int) -> Int {
        trustedSpaceEnd(bytes, at, end: bytes.count)
    }

    private func afterComma(_ bytes: RawBytes, _ at: Int) -> Int {
        let at = space(bytes, at)
        return at < bytes.count && bytes[at] == Ascii.comma ? space(bytes, at + 1) : at
    }
}

/// Where a member's name and value are.
private struct MemberSpelling {
    private let nameStart: Int
    private let nameEnd: Int
    let value: Int

    /// - Parameter start: The opening quote of the name.
    init(_ bytes: RawBytes, _ start: Int) {
        nameStart = start + 1
        nameEnd = trustedStringEnd(bytes, nameStart, end: bytes.count)
        var at = trustedSpaceEnd(bytes, nameEnd + 1, end: bytes.count)
        if at < bytes.count, bytes[at] == Ascii.colon { at += 1 }
        value = min(trustedSpaceEnd(bytes, at, end: bytes.count), bytes.count)
    }

    func text(_ bytes: RawBytes) -> RawBytes { bytes.slice(nameStart..<nameEnd) }
}

private func textsEqual(_ one: RawBytes, _ other: RawBytes) -> Bool {
    if one.count == other.count, one.isEqual(0, to: other, 0, length: one.count) { return true }
    guard one.containsBackslash(0..<one.count) || other.containsBackslash(0..<other.count) else {
        return false
    }
    var (left, right) = (TextBytes(one), TextBytes(other))
    while true {
        let (first, second) = (left.next(), right.next())
        if first != second { return false }
        if first == nil { return true }
    }
}

private func textPrecedes(_ one: RawBytes, _ other: RawBytes) -> Bool {
    var (left, right) = (TextBytes(one), TextBytes(other))
    while let second = right.next() {
        guard let first = left.next() else { return true }
        if first != second { return first < second }
    }
    return false
}

/// The text of a string's content, byte by byte.
private struct TextBytes {
    private var reader: TextReader
    private var piece = TextPiece(0)
    private var place = 1

    init(_ bytes: RawBytes) { reader = TextReader(bytes) }

    mutating func next() -> UInt8? {
        if place == piece.count {
            guard let following = reader.next() else { return nil }
            (piece, place) = (following, 0)
        }
        place += 1
        return piece[place - 1]
    }
}
