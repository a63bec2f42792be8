import FileIntake
import Foundation
import MeteringEngine
import Yams

/// What flags and mapping file say together, as texts, before it becomes a ``RowMapping``.
struct MappingWords {
    private var said: [String: String] = [:]
    private var data: [RowMapping.Member] = []
    private var text: [String] = []
    private var columns: [String]?
    private var isRecords = false

    /// The keys of the file that take one text; flags have the same names, spelled with dashes.
    private static let keys = [
        "format", "source", "sourceColumn", "type", "typeColumn", "subject", "subjectText", "id",
        "time", "timeFormat", "timezone", "timeEpoch", "delimiter",
    ]

    /// - Throws: ``IntakeFault``, or what reading the file throws.
    init(flags: MappingFlags) throws {
        if let path = flags.mapping {
            let file: String
            do {
                file = try String(contentsOfFile: path, encoding: .utf8)
            } catch {
                throw IntakeFault("cannot read the mapping \(path): \(error.localizedDescription)")
            }
            try read(file, path: path)
        }
        let texts: [(String, String?)] = [
            ("format", flags.format), ("source", flags.source),
            ("sourceColumn", flags.sourceColumn), ("type", flags.type),
            ("typeColumn", flags.typeColumn), ("subject", flags.subject),
            ("subjectText", flags.subjectText), ("id", flags.id), ("time", flags.time),
            ("timeFormat", flags.timeFormat), ("timezone", flags.timezone),
            ("timeEpoch", flags.timeEpoch), ("delimiter", flags.delimiter),
        ]
        // A flag for all rows replaces a column of the file, and the other way round.
        let rivals = [
            "source": "sourceColumn", "type": "typeColumn", "subject": "subjectText",
            "sourceColumn": "source", "typeColumn": "type", "subjectText": "subject",
        ]
        for case (let name, _?) in texts { said[rivals[name] ?? ""] = nil }
        for case (let name, let value?) in texts { said[name] = value }
        if !flags.data.isEmpty { data = try flags.data.map(Self.member) }
        if !flags.text.isEmpty { text = flags.text }
        if let names = flags.columns { columns = Self.split(names) }
        if flags.records { isRecords = true }
    }

    /// - Throws: ``IntakeFault`` for YAML that is none, and for a key that is not known.
    init(file: String, path: String) throws { try read(file, path: path) }

    private mutating func read(_ file: String, path: String) throws {
        guard let root = try Yams.compose(yaml: file) else { return }
        guard let mapping = root.mapping else {
            throw IntakeFault("\(path): a mapping is `name: value` lines")
        }
        for (key, value) in mapping {
            let name = key.string ?? "?"
            let place = "\(path):\(key.mark?.line ?? 0)"
            func texts() throws(IntakeFault) -> [String] {
                if let one = value.scalar?.string { return Self.split(one) }
                guard let list = value.sequence?.compactMap({ $0.scalar?.string }) else {
                    throw IntakeFault("\(place): \"\(name)\" takes a list of columns")
                }
                return list
            }
            switch name {
            case "data":
                guard let members = value.mapping else {
                    throw IntakeFault("\(place): \"data\" takes `name: column` lines")
                }
                data = members.map {
                    RowMapping.Member(name: $0.key.string ?? "", column: $0.value.string ?? "")
                }
            case "text": text = try texts()
            case "columns": columns = try texts()
            case "records": isRecords = value.bool ?? false
            case _ where Self.keys.contains(name):
                guard let text = value.scalar?.string else {
                    throw IntakeFault("\(place): \"\(name)\" takes one value")
                }
                said[name] = text
            default:
                let known = Self.keys + ["data", "text", "columns", "records"]
                throw IntakeFault(
                    "\(place): unknown key \"\(name)\"; known keys are "
                        + known.joined(separator: ", ")
                )
            }
        }
    }

    var format: FileFormat? {
        get throws(IntakeFault) {
            guard let name = said["format"] else { return nil }
            guard let format = FileFormat(rawValue: name) else {
                let known = FileFormat.allCases.map(\.rawValue).joined(separator: ", ")
                throw IntakeFault("format \"\(name)\" is none of \(known)")
            }
            return format
        }
    }

    /// - Throws: ``IntakeFault`` for what contradicts itself or cannot be read.
    func mapping() throws(IntakeFault) -> RowMapping {
        func term(text: String, column: String) throws(IntakeFault) -> RowMapping.Term? {
            guard said[text] == nil || said[column] == nil else {
                throw IntakeFault("\(text) and \(column) are both said: one of them is enough")
            }
            return said[text].map { .text($0) } ?? said[column].map { .column($0) }
        }
        var mapping = RowMapping()
        mapping.source = try term(text: "source", column: "sourceColumn")
        mapping.type = try term(text: "type", column: "typeColumn")
        mapping.subject = try term(text: "subjectText", column: "subject")
        (mapping.id, mapping.time, mapping.epoch) = (said["id"], said["time"], said["timeEpoch"])
        if let format = said["timeFormat"] { mapping.timeFormat = try TimeFormat(format) }
        if let zone = said["timezone"] {
            do {
                mapping.zone = try SystemTimeZones().rules(named: zone)
            } catch {
                throw IntakeFault("no time zone \"\(zone)\"; names are such as Europe/Berlin, UTC")
            }
        }
        if let delimiter = said["delimiter"] {
            let text = delimiter == "\\t" ? "\t" : delimiter
            guard let byte = text.utf8.first, text.utf8.count == 1, byte != 0x22, byte != 0x0A
            else { throw IntakeFault("a delimiter is one ASCII character, not \"\(delimiter)\"") }
            mapping.delimiter = byte
        }
        (mapping.data, mapping.text, mapping.columns) = (data, text, columns)
        mapping.isRecords = isRecords
        return mapping
    }

    /// Everything that was said, in a fixed order: tells one mapping from another.
    var fingerprint: [String] {
        said.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
            + data.flatMap { ["data", $0.name, $0.column] } + text.flatMap { ["text", $0] }
            + (columns ?? []).flatMap { ["column", $0] } + (isRecords ? ["records"] : [])
    }

    private static func member(_ text: String) throws(IntakeFault) -> RowMapping.Member {
        let halves = text.split(separator: "=", maxSplits: 1).map(String.init)
        switch halves.count {
        case 1: return RowMapping.Member(name: halves[0], column: halves[0])
        case 2: return RowMapping.Member(name: halves[0], column: halves[1])
        default: throw IntakeFault("--data \(text): say NAME=COLUMN")
        }
    }

    private static func split(_ text: String) -> [String] {
        text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
}
