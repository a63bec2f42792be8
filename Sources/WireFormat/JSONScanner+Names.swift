import UsageModel

/// The names of an object, kept apart from each other.
extension JSONScanner {
    /// Adds a name to the open object and notes the fault if it is there already.
    @inline(__always)
    mutating func addName(tag: UInt64, offset: Int, length: Int, place: Int) {
        if names.membersOfOpenObject >= Limits.objectMembersMax {
            note(.tooManyMembers, at: place)
            return
        }
        let record = NameStack.Record(
            tag: tag,
            offset: UInt32(truncatingIfNeeded: offset),
            count: UInt32(truncatingIfNeeded: length),
            place: UInt32(truncatingIfNeeded: place)
        )
        if names.mayHold(record), isRepeated(record) { note(.duplicateMember, at: place) }
        names.add(record)
    }

    /// Compares the name with all of the open object that begin as it does.
    @inline(never)
    private mutating func isRepeated(_ record: NameStack.Record) -> Bool {
        let (bytes, end) = (bytes, bytes.count)
        return unsafe nameSpill.withUnsafeBytes { unescaped in
            let spill = unsafe RawBytes(unescaped)
            return names.hold(record) { other in
                let (first, second) = (Int(record.offset), Int(other.offset))
                return (first < end ? bytes : spill).isEqual(
                    first < end ? first : first - end,
                    to: second < end ? bytes : spill,
                    second < end ? second : second - end,
                    length: Int(record.count)
                )
            }
        }
    }

    /// A name with escapes or faults, or the end of the scan.
    @inline(never)
    mutating func unusualName(_ text: Int, close: StringEnd) -> Int {
        if close.isFailed { return Self.failed }
        if let unescaped = unescapedName(text, close: close) {
            addName(
                tag: unescaped.tag,
                offset: unescaped.offset,
                length: unescaped.length,
                place: text - 1
            )
        }
        return colon(close.index + 1)
    }

    /// The text of a name with escapes, put into the spill; nil if the name has a fault anyway.
    mutating func unescapedName(
        _ text: Int,
        close: StringEnd
    ) -> (tag: UInt64, offset: Int, length: Int)? {
        if close.isFaulty { return nil }
        let start = nameSpill.count
        appendUnescaped(bytes.slice(text..<close.index), to: &nameSpill)
        var tag: UInt64 = 0
        for (index, byte) in nameSpill[start...].prefix(8).enumerated() {
            tag |= UInt64(byte) << UInt64(index * 8)
        }
        return (tag, bytes.count + start, nameSpill.count - start)
    }

    /// Notes the first repeated name of a large object.
    @inline(never)
    mutating func sortNames() {
        let (bytes, end) = (bytes, bytes.count)
        var names = names  // the same memory: sorting it in place is what is wanted
        let repeated = unsafe nameSpill.withUnsafeBytes { unescaped in
            let spill = unsafe RawBytes(unescaped)
            return names.firstRepeated { one, other in
                if one.tag != other.tag { return one.tag < other.tag }
                if one.count != other.count { return one.count < other.count }
                let (first, second) = (Int(one.offset), Int(other.offset))
                for index in 8..<max(8, Int(one.count)) {
                    let left = first < end ? bytes[first + index] : spill[first - end + index]
                    let right = second < end ? bytes[second + index] : spill[second - end + index]
                    if left != right { return left < right }
                }
                return false
            }
        }
        if let repeated { note(.duplicateMember, at: repeated) }
    }
}
