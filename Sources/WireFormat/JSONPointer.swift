import UsageModel

/// The RFC 6901 pointer to the value, or the member, that the byte at `target` belongs to.
///
/// Walks the event once more, up to that byte; only rejected events pay for it. A name longer than
/// 256 bytes ends the pointer before it.
func jsonPointer(to target: Int, in bytes: RawBytes, _ event: Range<Int>) -> String {
    var walker = PointerWalker(bytes: bytes, end: event.upperBound)
    walker.walk(from: event.lowerBound, to: target)
    return walker.pointer
}

private struct PointerWalker {
    private static let nameBytesMax = 256

    /// Where the walk stands in one open container.
    private enum Step {
        case member(Range<Int>?)
        case element(Int)
    }

    private let bytes: RawBytes
    private let end: Int
    private var steps: [Step] = []

    init(bytes: RawBytes, end: Int) { (self.bytes, self.end) = (bytes, end) }

    mutating func walk(from start: Int, to target: Int) {
        var at = start
        while at < min(target, end) {
            switch bytes[at] {
            case Ascii.openBrace: steps.append(.member(nil))
            case Ascii.openBracket: steps.append(.element(0))
            case Ascii.closeBrace, Ascii.closeBracket: _ = steps.popLast()
            case Ascii.comma:
                switch steps.popLast() {
                case .element(let index): steps.append(.element(index + 1))
                case .member: steps.append(.member(nil))
                case nil: break
                }
            case Ascii.quote:
                let close = trustedStringEnd(bytes, at + 1, end: end)
                // A fault inside a name is a fault of its member.
                nameStep(at + 1..<close)
                if close >= target { return }
                at = close
            default: break
            }
            at += 1
        }
        if at < end, bytes[at] == Ascii.quote {
            nameStep(at + 1..<trustedStringEnd(bytes, at + 1, end: end))
        }
    }

    /// Takes a string as the member's name if the member has none yet.
    private mutating func nameStep(_ range: Range<Int>) {
        if case .member(nil) = steps.last { steps[steps.count - 1] = .member(range) }
    }

    var pointer: String {
        var text = ""
        for step in steps {
            switch step {
            case .element(let index): text += "/\(index)"
            case .member(nil): return text
            case .member(let range?):
                if range.count > Self.nameBytesMax { return text }
                var name: [UInt8] = []
                appendUnescaped(bytes.slice(range), to: &name)
                let spelled = String(decoding: name, as: UTF8.self)
                text += "/" + spelled.replacing("~", with: "~0").replacing("/", with: "~1")
            }
        }
        return text
    }
}
