import UsageModel

// Values of one kind within bounds. Each is nil where the member is left out, or is at fault.
extension FieldReader {
    /// Tells the fault of a member that must be there.
    mutating func require(_ name: String, _ remedy: String) {
        if value(name) == nil { fault(name, "it is missing", remedy) }
    }

    mutating func flag(_ name: String) -> Bool? {
        guard let value = value(name) else { return nil }
        if let flag = value.boolValue { return flag }
        fault(name, "it is \(value.kindName)", "give true or false")
        return nil
    }

    mutating func whole(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = value(name) else { return nil }
        if let number = value.integerValue.flatMap({ Int(exactly: $0) }), range.contains(number) {
            return number
        }
        let bounds = "\(range.lowerBound) to \(range.upperBound)"
        let found = value.numberValue ?? value.kindName
        fault(name, "it is \(found)", "give a whole number from \(bounds)")
        return nil
    }

    mutating func word<Word: RawRepresentable & CaseIterable>(_ name: String) -> Word?
    where Word.RawValue == String {
        guard let value = value(name) else { return nil }
        if let word = value.stringValue.flatMap(Word.init(rawValue:)) { return word }
        let words = DefinitionReader.words(Word.self)
        fault(name, "it is not one of its words", "choose from: \(words)")
        return nil
    }

    mutating func length(_ name: String, from least: TimeLength, to most: TimeLength) -> TimeLength?
    {
        guard let text = string(name) else { return nil }
        guard let length = TimeLength(text) else {
            fault(name, "it is no length of time", "give a number of s, m, h or d: \"15m\"")
            return nil
        }
        if length.microseconds < least.microseconds {
            fault(name, "it is shorter than \(least)", "give \(least) to \(most)")
        } else if length.microseconds > most.microseconds {
            fault(name, "it is longer than \(most)", "give \(least) to \(most)")
        }
        return length
    }

    /// A text without control characters: nothing in it ends a header or a line.
    mutating func line(_ name: String, bytes: ClosedRange<Int>) -> String? {
        guard let text = string(name) else { return nil }
        if !bytes.contains(text.utf8.count) {
            let reason = text.isEmpty ? "it is empty" : "it has \(text.utf8.count) bytes"
            fault(name, reason, "give \(bytes.lowerBound) to \(bytes.upperBound) bytes")
        } else if text.utf8.contains(where: Self.isControl) {
            fault(name, "it holds a control character", "write it on one line, without tabs")
        }
        return text
    }

    /// The elements of a list.
    ///
    /// - Parameters:
    ///   - what: What an element is to be: "status code".
    ///   - read: nil for what is none.
    mutating func list<Element>(
        _ name: String,
        countMax: Int,
        of what: String,
        _ remedy: String,
        _ read: (JSONValue) -> Element?
    ) -> [Element]? {
        guard let value = value(name) else { return nil }
        guard let elements = value.arrayValue else {
            fault(name, "it is \(value.kindName)", "give a list")
            return nil
        }
        guard elements.count <= countMax else {
            fault(name, "there are \(elements.count)", "give at most \(countMax)")
            return nil
        }
        var found: [Element] = []
        for (place, element) in elements.enumerated() {
            if let element = read(element) {
                found.append(element)
            } else {
                fault("\(name)/\(place)", "it is no \(what)", remedy)
            }
        }
        return found
    }

    static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7f }
}
