/// Turns rows of a table into events, for one header.
struct ColumnMapper: RowMapper {
    private enum Part {
        /// Spelled already, name and all.
        case fixed([UInt8])
        case column(Int, name: [UInt8])
    }

    private struct Member {
        var name: [UInt8]
        var column: Int
        var isText: Bool
    }

    private let columns: Int
    private let source: Part
    private let type: Part
    private let subject: Part
    private let id: Int?
    private let time: Int?
    private let reader: TimeReader
    private var members: [Member] = []

    /// - Parameter header: The names of the columns; where two are equal, only their numbers tell
    ///   them apart, and in `data` the later one is called `name_2`.
    /// - Throws: ``IntakeFault`` for a column that the header does not have.
    init(_ mapping: RowMapping, header: [String], format: FileFormat) throws(IntakeFault) {
        try mapping.check(for: format)
        columns = header.count
        func find(_ name: String) throws(IntakeFault) -> Int {
            try Self.find(name, in: header)
        }
        func part(_ term: RowMapping.Term, _ name: String) throws(IntakeFault) -> Part {
            let label = Array("\"\(name)\":".utf8)
            switch term {
            case .text(let text):
                var spelled = label
                EventText.append(string: text.utf8, to: &spelled)
                return .fixed(spelled)
            case .column(let column): return .column(try find(column), name: label)
            }
        }
        source = try part(mapping.source ?? .text(RowMapping.defaultSource), "source")
        type = try part(mapping.type ?? .text(""), "type")
        subject = try part(mapping.subject ?? .text(""), "subject")
        var used: Set<Int> = []
        for case .column(let index, _) in [source, type, subject] { used.insert(index) }
        id = try mapping.id.map(find)
        time = try mapping.time.map(find)
        used.formUnion([id, time].compactMap(\.self))
        reader = try mapping.timeReader()

        let texts = Set(try mapping.text.map(find))
        var chosen: [(name: String, column: Int)] = []
        if mapping.data.isEmpty {
            let names = Self.distinct(header)
            chosen = header.indices.filter { !used.contains($0) }.map { (names[$0], $0) }
        } else {
            for member in mapping.data { chosen.append((member.name, try find(member.column))) }
        }
        for (name, column) in chosen {
            var spelled: [UInt8] = []
            EventText.append(string: name.utf8, to: &spelled)
            spelled.append(UInt8(ascii: ":"))
            members.append(Member(name: spelled, column: column, isText: texts.contains(column)))
        }
    }

    func append(_ row: Row, key: RowKey, to bytes: inout [UInt8]) -> String? {
        let start = bytes.count
        let reason = row.fault ?? write(row, key: key, to: &bytes)
        guard let reason else { return nil }
        bytes.removeSubrange(start...)
        EventText.append(unmapped: row, because: reason, to: &bytes) { bytes in
            bytes += "\"id\":\"".utf8
            key.appendID(to: &bytes)
            bytes.append(UInt8(ascii: "\""))
            for case .fixed(let spelled) in [source, type] {
                bytes.append(UInt8(ascii: ","))
                bytes += spelled
            }
        }
        return reason
    }

    /// - Returns: Why the row is no event; nil where it is written.
    private func write(_ row: Row, key: RowKey, to bytes: inout [UInt8]) -> String? {
        guard row.count == columns else {
            return "\(row.count) fields where \(columns) columns are named"
        }
        bytes += "{\"id\":".utf8
        if let id {
            guard !row[id].isEmpty else { return "the id is empty" }
            EventText.append(string: row[id], to: &bytes)
        } else {
            bytes.append(UInt8(ascii: "\""))
            key.appendID(to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
        for part in [source, type, subject] {
            bytes.append(UInt8(ascii: ","))
            switch part {
            case .fixed(let spelled): bytes += spelled
            case .column(let column, let name):
                guard !row[column].isEmpty else {
                    return "the \(String(decoding: name.dropLast(2).dropFirst(), as: UTF8.self))"
                        + " is empty"
                }
                bytes += name
                EventText.append(string: row[column], to: &bytes)
            }
        }
        if let time {
            bytes += ",\"time\":\"".utf8
            guard reader.append(row[time], to: &bytes) else {
                return row[time].isEmpty ? "the time is empty" : "the time cannot be read"
            }
            bytes.append(UInt8(ascii: "\""))
        }
        writeData(row, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return nil
    }

    /// An empty field is no member: it says nothing.
    private func writeData(_ row: Row, to bytes: inout [UInt8]) {
        bytes += ",\"data\":{".utf8
        var isFirst = true
        for member in members {
            let field = row[member.column]
            if field.isEmpty { continue }
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            bytes += member.name
            if !member.isText, EventText.isNumber(field) {
                bytes += field
            } else {
                EventText.append(string: field, to: &bytes)
            }
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private static func find(_ name: String, in header: [String]) throws(IntakeFault) -> Int {
        let named = header.indices.filter { header[$0] == name }
        if named.count == 1 { return named[0] }
        if named.count > 1 {
            throw IntakeFault("\(named.count) columns are called \"\(name)\": use a number, as #1")
        }
        if name.first == "#", let number = Int(name.dropFirst()), header.indices ~= number - 1 {
            return number - 1
        }
        throw IntakeFault(
            "no column \"\(name)\"; the columns are \(header.joined(separator: ", "))"
        )
    }

    /// Names that are all different and none empty.
    private static func distinct(_ header: [String]) -> [String] {
        var taken: Set<String> = []
        return header.enumerated().map { index, name in
            let stem = name.isEmpty ? "column_\(index + 1)" : name
            var (candidate, number) = (stem, 2)
            while !taken.insert(candidate).inserted {
                candidate = "\(stem)_\(number)"
                number += 1
            }
            return candidate
        }
    }
}
