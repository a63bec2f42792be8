/// Turns a row into one event.
protocol RowMapper: Sendable {
    /// Appends the event without a line end.
    ///
    /// - Parameter key: The row is in it already.
    /// - Returns: Why the row is no event; what is appended then says so too, and is refused by the
    ///   server. nil where it is one.
    mutating func append(_ row: Row, key: RowKey, to bytes: inout [UInt8]) -> String?
}

/// Passes on rows that are events already, with what they lack: an id, and the attributes that the
/// mapping says for all of them. What a row says itself stands.
struct EventMapper: RowMapper {
    private var scan = MemberScan()
    private let id = Array("id".utf8)
    /// Name, and name with value as spelled.
    private let defaults: [(name: [UInt8], spelled: [UInt8])]

    init(_ mapping: RowMapping) {
        let said: [(String, RowMapping.Term?)] = [
            ("source", mapping.source), ("type", mapping.type), ("subject", mapping.subject),
        ]
        defaults = said.compactMap { name, term in
            guard case .text(let text)? = term else { return nil }
            var spelled = Array("\"\(name)\":".utf8)
            EventText.append(string: text.utf8, to: &spelled)
            return (Array(name.utf8), spelled)
        }
    }

    mutating func append(_ row: Row, key: RowKey, to bytes: inout [UInt8]) -> String? {
        let text = row[0].drop { $0 <= 0x20 }
        scan.scan(text)
        // Not an object, or an empty one: nothing is added to what the server will refuse anyway.
        guard let first = scan.members.first else {
            bytes += text
            return nil
        }
        bytes.append(UInt8(ascii: "{"))
        if scan.value(named: id, in: text) == nil {
            bytes += "\"id\":\"".utf8
            key.appendID(to: &bytes)
            bytes += "\",".utf8
        }
        for (name, spelled) in defaults where scan.value(named: name, in: text) == nil {
            bytes += spelled
            bytes.append(UInt8(ascii: ","))
        }
        bytes += text[(first.name.lowerBound - 1)...]
        return nil
    }
}

/// Turns JSON objects that are no events into events: members are what columns are to a table, and
/// `data` is the whole object, or the members asked for, as they are written.
struct RecordMapper: RowMapper {
    private let mapping: RowMapping
    private let reader: TimeReader
    private let texts: Set<String>
    private var scan = MemberScan()

    init(_ mapping: RowMapping, format: FileFormat) throws(IntakeFault) {
        try mapping.check(for: format)
        (self.mapping, reader) = (mapping, try mapping.timeReader())
        texts = Set(mapping.text)
    }

    mutating func append(_ row: Row, key: RowKey, to bytes: inout [UInt8]) -> String? {
        scan.scan(row[0])
        let start = bytes.count
        guard let reason = write(row[0], key: key, to: &bytes) else { return nil }
        bytes.removeSubrange(start...)
        EventText.append(unmapped: row, because: reason, to: &bytes) { bytes in
            bytes += "\"id\":\"".utf8
            key.appendID(to: &bytes)
            bytes.append(UInt8(ascii: "\""))
            for case (let name, .text(let text)?) in [
                ("source", source), ("type", mapping.type),
            ] {
                bytes += ",\"\(name)\":".utf8
                EventText.append(string: text.utf8, to: &bytes)
            }
        }
        return reason
    }

    private var source: RowMapping.Term? { mapping.source ?? .text(RowMapping.defaultSource) }

    private func write(
        _ text: ArraySlice<UInt8>,
        key: RowKey,
        to bytes: inout [UInt8]
    ) -> String? {
        guard !scan.members.isEmpty else { return "not a JSON object" }
        bytes += "{\"id\":".utf8
        if let id = mapping.id {
            guard let written = scalar(id, in: text) else { return "no \(id) to be the id" }
            bytes += written
        } else {
            bytes.append(UInt8(ascii: "\""))
            key.appendID(to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
        let terms = [("source", source), ("type", mapping.type), ("subject", mapping.subject)]
        for (name, term) in terms {
            bytes += ",\"\(name)\":".utf8
            switch term {
            case .text(let constant): EventText.append(string: constant.utf8, to: &bytes)
            case .column(let member):
                guard let written = scalar(member, in: text) else {
                    return "no \(member) to be the \(name)"
                }
                bytes += written
            case nil: return "no \(name)"
            }
        }
        if let time = mapping.time {
            guard let written = scalar(time, in: text) else { return "no \(time) to be the time" }
            bytes += ",\"time\":\"".utf8
            guard reader.append(written.dropFirst().dropLast(), to: &bytes) else {
                return "the time cannot be read"
            }
            bytes.append(UInt8(ascii: "\""))
        }
        bytes += ",\"data\":".utf8
        writeData(text, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return nil
    }

    private func writeData(_ text: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        guard !mapping.data.isEmpty else {
            bytes += text
            return
        }
        var separator = UInt8(ascii: "{")
        for member in mapping.data {
            let name = Array(member.column.utf8)
            guard let value = scan.value(named: name, in: text) else { continue }
            bytes.append(separator)
            separator = UInt8(ascii: ",")
            EventText.append(string: member.name.utf8, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            let isString = value.first == UInt8(ascii: "\"")
            if texts.contains(member.column), !isString {
                EventText.append(string: value, to: &bytes)
            } else {
                bytes += value
            }
        }
        if separator == UInt8(ascii: "{") { bytes.append(separator) }
        bytes.append(UInt8(ascii: "}"))
    }

    /// A string or a number as a JSON string; nil for what is neither, or empty.
    private func scalar(_ member: String, in text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let value = scan.value(named: Array(member.utf8), in: text) else { return nil }
        if value.first == UInt8(ascii: "\"") { return value.count > 2 ? value : nil }
        guard EventText.isNumber(value) else { return nil }
        let quote = [UInt8(ascii: "\"")]
        return (quote + value + quote)[...]
    }
}
