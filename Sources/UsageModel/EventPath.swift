/// A place in an event: `$.data.tokens.input`, `$.data.items[0].qty`, `$.data['a b']`, `$.subject`.
///
/// The first step after `$` is an attribute of the event (`data`, `subject`, `type`, `source`,
/// `id`, `time` or an extension). A path names one place, never many: there are no wildcards.
public struct EventPath: Hashable, Sendable, CustomStringConvertible {
    public enum Step: Hashable, Sendable {
        case member(String)
        case element(Int)
    }

    public let steps: [Step]

    /// Reads a path.
    ///
    /// - Throws: ``EventPathError`` with the offset of the byte at fault.
    public init(_ text: String) throws(EventPathError) {
        var reader = PathReader(text)
        steps = try reader.readAll()
    }

    /// Makes a path of steps, the first of which is an attribute.
    public init(steps: [Step]) { self.steps = steps }

    /// The path in its canonical spelling; reading it again gives an equal path.
    public var description: String {
        var text = "$"
        for step in steps {
            switch step {
            case .element(let index): text += "[\(index)]"
            case .member(let name) where PathReader.isPlain(name): text += ".\(name)"
            case .member(let name):
                let escaped = name.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
                text += "['\(escaped)']"
            }
        }
        return text
    }
}

/// Why a text is no path.
public struct EventPathError: Error, Hashable, Sendable {
    /// The byte at fault, from the start of the text.
    public var offset: Int
    /// What was expected, in words.
    public var reason: String
}

private struct PathReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy(isNameByte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), 0x80...:
            true
        default: false
        }
    }

    mutating func readAll() throws(EventPathError) -> [EventPath.Step] {
        guard bytes.first == UInt8(ascii: "$") else { throw fault("a path begins with \"$\"") }
        at = 1
        var steps: [EventPath.Step] = []
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "."): steps.append(try readName())
            case UInt8(ascii: "["): steps.append(try readBracket())
            default: throw fault("expected \".\" or \"[\"")
            }
            if steps.count > Limits.pathStepsMax {
                throw fault("a path has at most \(Limits.pathStepsMax) steps")
            }
        }
        guard case .member = steps.first else {
            throw fault("a path names an attribute of the event, such as \"$.data.amount\"")
        }
        return steps
    }

    private mutating func readName() throws(EventPathError) -> EventPath.Step {
        at += 1
        let start = at
        while at < bytes.count, Self.isNameByte(bytes[at]) { at += 1 }
        guard at > start else { throw fault("expected a name after \".\"") }
        return .member(String(decoding: bytes[start..<at], as: UTF8.self))
    }

    private mutating func readBracket() throws(EventPathError) -> EventPath.Step {
        at += 1
        guard at < bytes.count else {
            throw fault("expected an index or a quoted name after \"[\"")
        }
        let step: EventPath.Step
        if bytes[at] == UInt8(ascii: "'") || bytes[at] == UInt8(ascii: "\"") {
            step = .member(try readQuoted(until: bytes[at]))
        } else {
            let start = at
            while at < bytes.count, bytes[at] >= 0x30, bytes[at] <= 0x39, at - start < 9 { at += 1 }
            guard at > start, let index = Int(String(decoding: bytes[start..<at], as: UTF8.self))
            else { throw fault("expected an index or a quoted name after \"[\"") }
            step = .element(index)
        }
        guard at < bytes.count, bytes[at] == UInt8(ascii: "]") else {
            throw fault("expected \"]\"")
        }
        at += 1
        return step
    }

    private mutating func readQuoted(until quote: UInt8) throws(EventPathError) -> String {
        at += 1
        var name: [UInt8] = []
        while at < bytes.count, bytes[at] != quote {
            if bytes[at] == UInt8(ascii: "\\"), at + 1 < bytes.count { at += 1 }
            name.append(bytes[at])
            at += 1
        }
        guard at < bytes.count else { throw fault("the quoted name does not end") }
        at += 1
        return String(decoding: name, as: UTF8.self)
    }

    private func fault(_ reason: String) -> EventPathError {
        EventPathError(offset: at, reason: reason)
    }
}
