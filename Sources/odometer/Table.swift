/// Rows for people: columns as wide as their widest cell, two spaces between them.
struct Table {
    private var rows: [[String]]
    /// Columns that hold numbers stand to the right.
    private let numbers: Set<Int>

    init(_ head: [String], numbers: Set<Int> = []) { (rows, self.numbers) = ([head], numbers) }

    var isEmpty: Bool { rows.count == 1 }

    /// - Parameter row: As many cells as the head has; control characters are made visible.
    mutating func add(_ row: [String]) { rows.append(row.map(Self.visible)) }

    func text(withHead: Bool = true) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        var text = ""
        for row in rows.dropFirst(withHead ? 0 : 1) {
            var line = ""
            for (column, cell) in row.enumerated() {
                let room = String(repeating: " ", count: widths[column] - cell.count)
                line += numbers.contains(column) ? room + cell : cell + room
                line += "  "
            }
            while line.last == " " { line.removeLast() }
            text += line + "\n"
        }
        return text
    }

    /// The same rows as a JSON array of objects of texts.
    func json(named names: [String]) -> String {
        let objects = rows.dropFirst().map { row in
            "{"
                + zip(names, row).map { "\(JSONText.quote($0)):\(JSONText.quote($1))" }
                .joined(separator: ",") + "}"
        }
        return "[" + objects.joined(separator: ",\n ") + "]\n"
    }

    /// The same for text that may have several lines.
    static func visibleLines(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { visible(String($0)) }.joined(separator: "\n")
    }

    /// What comes from events is not trusted with the terminal.
    static func visible(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return text }
        var shown = ""
        for scalar in text.unicodeScalars {
            if scalar.properties.generalCategory == .control {
                shown += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }
}

/// JSON strings, spelled.
enum JSONText {
    static func quote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\u{0}"..."\u{1f}":
                let hex = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
