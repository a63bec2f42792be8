import WireFormat

/// A JSON value line by line, with the places marked that something is said of.
struct MarkedJSON {
    /// What is said of the place at a JSON pointer.
    var notes: [String: String]
    private(set) var lines: [CodeLine] = []
    private var found: Set<String> = []

    /// - Parameter notes: By JSON pointer; one that leads nowhere is told at the end of the object
    ///   where it should be.
    init(_ value: JSONValue, notes: [String: String]) {
        self.notes = notes
        write(value, name: nil, pointer: "", depth: 0, isLast: true)
        for (pointer, note) in notes where !found.contains(pointer) && !pointer.isEmpty {
            let missing = CodeLine(text: "  \(pointer) is missing", isMarked: true, note: note)
            lines.insert(missing, at: max(lines.count - 1, 0))
        }
        if let note = notes[""], !lines.isEmpty {
            lines[0].isMarked = true
            lines[0].note = note
        }
    }

    /// A text that is no JSON, as it is.
    static func lines(ofText text: String, note: String) -> [CodeLine] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
            CodeLine(text: String($0))
        }
        if !lines.isEmpty {
            lines[0].isMarked = true
            lines[0].note = note
        }
        return lines
    }

    private mutating func write(
        _ value: JSONValue,
        name: String?,
        pointer: String,
        depth: Int,
        isLast: Bool
    ) {
        let indent = String(repeating: "  ", count: depth)
        let label = name.map { JSONValue.string($0).plain + ": " } ?? ""
        let comma = isLast ? "" : ","
        let note = pointer.isEmpty ? nil : notes[pointer]
        if note != nil { found.insert(pointer) }
        func line(_ text: String) -> CodeLine {
            CodeLine(text: indent + label + text, isMarked: note != nil, note: note)
        }
        switch value {
        case .object(let object) where !object.isEmpty:
            lines.append(line("{"))
            for (index, member) in object.members.enumerated() {
                write(
                    member.value,
                    name: member.name,
                    pointer: pointer + "/" + Self.escaped(member.name),
                    depth: depth + 1,
                    isLast: index == object.count - 1
                )
            }
            lines.append(CodeLine(text: indent + "}" + comma))
        case .array(let elements) where !elements.isEmpty:
            lines.append(line("["))
            for (index, element) in elements.enumerated() {
                write(
                    element,
                    name: nil,
                    pointer: pointer + "/\(index)",
                    depth: depth + 1,
                    isLast: index == elements.count - 1
                )
            }
            lines.append(CodeLine(text: indent + "]" + comma))
        default: lines.append(line(value.plain + comma))
        }
    }

    static func escaped(_ name: String) -> String {
        name.replacing("~", with: "~0").replacing("/", with: "~1")
    }

    /// The places in which two values differ, with what stands there; nil where nothing does.
    static func changes(
        _ before: JSONValue,
        _ after: JSONValue,
        at pointer: String = ""
    ) -> [(pointer: String, before: JSONValue?, after: JSONValue?)] {
        if before == after { return [] }
        guard case .object(let old) = before, case .object(let fresh) = after else {
            return [(pointer, before, after)]
        }
        var changes: [(pointer: String, before: JSONValue?, after: JSONValue?)] = []
        for member in old.members {
            let place = pointer + "/" + escaped(member.name)
            if let other = fresh[member.name] {
                changes += Self.changes(member.value, other, at: place)
            } else {
                changes.append((place, member.value, nil))
            }
        }
        for member in fresh.members where old[member.name] == nil {
            changes.append((pointer + "/" + escaped(member.name), nil, member.value))
        }
        return changes
    }

    /// Both values, each with the lines marked that differ.
    static func sides(_ before: JSONValue, _ after: JSONValue) -> ([CodeLine], [CodeLine]) {
        let places = Set(changes(before, after).map(\.pointer))
        func lines(_ value: JSONValue) -> [CodeLine] {
            var marked = MarkedJSON(value, notes: [:])
            marked.lines = []
            marked.notes = Dictionary(uniqueKeysWithValues: places.map { ($0, "") })
            marked.write(value, name: nil, pointer: "", depth: 0, isLast: true)
            return marked.lines.map { CodeLine(text: $0.text, isMarked: $0.isMarked) }
        }
        return (lines(before), lines(after))
    }
}
