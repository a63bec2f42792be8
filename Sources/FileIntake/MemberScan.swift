/// The members of one JSON object, by place: names and values as they are written.
///
/// It trusts the text to be JSON and checks nothing; where that is wrong, it finds other members or
/// none, and the server refuses the event. For right objects it is right.
struct MemberScan {
    struct Member {
        /// Between the quotes, as written.
        var name: Range<Int>
        /// The whole value, a string with its quotes.
        var value: Range<Int>
    }

    private(set) var members: [Member] = []

    /// Looks through an object; no members where the text is none.
    mutating func scan(_ text: ArraySlice<UInt8>) {
        members.removeAll(keepingCapacity: true)
        guard text.first == UInt8(ascii: "{") else { return }
        var at = text.startIndex + 1
        while true {
            at = Self.skipBlanks(text, from: at)
            guard at < text.endIndex, text[at] == UInt8(ascii: "\"") else { return }
            let nameEnd = Self.stringEnd(text, from: at)
            let name = (at + 1)..<max(nameEnd - 1, at + 1)
            at = Self.skipBlanks(text, from: nameEnd)
            guard at < text.endIndex, text[at] == UInt8(ascii: ":") else { return }
            at = Self.skipBlanks(text, from: at + 1)
            let valueEnd = Self.valueEnd(text, from: at)
            guard valueEnd > at else { return }
            members.append(Member(name: name, value: at..<valueEnd))
            at = Self.skipBlanks(text, from: valueEnd)
            guard at < text.endIndex, text[at] == UInt8(ascii: ",") else { return }
            at += 1
        }
    }

    /// The value of the first member of a name, as written.
    func value(named name: [UInt8], in text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        for member in members where member.name.count == name.count {
            if text[member.name].elementsEqual(name) { return text[member.value] }
        }
        return nil
    }

    private static func skipBlanks(_ text: ArraySlice<UInt8>, from start: Int) -> Int {
        var at = start
        while at < text.endIndex, text[at] <= 0x20 { at += 1 }
        return at
    }

    /// The place after the closing quote, or the end.
    private static func stringEnd(_ text: ArraySlice<UInt8>, from start: Int) -> Int {
        var at = start + 1
        while at < text.endIndex {
            switch text[at] {
            case UInt8(ascii: "\""): return at + 1
            case UInt8(ascii: "\\"): at += 2
            default: at += 1
            }
        }
        return text.endIndex
    }

    private static func valueEnd(_ text: ArraySlice<UInt8>, from start: Int) -> Int {
        var (depth, at) = (0, start)
        while at < text.endIndex {
            switch text[at] {
            case UInt8(ascii: "\""):
                at = stringEnd(text, from: at)
                if depth == 0 { return at }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return at }
                depth -= 1
                at += 1
                if depth == 0 { return at }
            case UInt8(ascii: ",") where depth == 0: return at
            case 0...0x20 where depth == 0: return at
            default: at += 1
            }
        }
        return text.endIndex
    }
}
