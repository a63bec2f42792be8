/// One batch, spelled for the database before the clock starts.
struct PeerBatch: Sendable {
    var bytes: [UInt8] = []
    /// Where in `bytes` each parameter lies; empty when the bytes are the statement itself.
    var parameters: [Range<Int>] = []

    /// PostgreSQL's timestamps count from 2000-01-01, in microseconds.
    static let epochMicroseconds = 946_684_800_000_000

    private mutating func parameter(_ write: (inout [UInt8]) -> Void) {
        let start = bytes.count
        write(&bytes)
        parameters.append(start..<bytes.count)
    }
}

extension PeerBatch {
    enum Column: CaseIterable {
        case source, id, type, subject, time, data, model, inputTokens, outputTokens, storage

        /// Name and object id of the column's type, as in `pg_type`.
        var type: (name: String, oid: Int32) {
            switch self {
            case .time: ("timestamptz", 1_184)
            case .inputTokens, .outputTokens: ("int4", 23)
            case .storage: ("int8", 20)
            default: ("text", 25)
            }
        }

        /// Appends the value in PostgreSQL's binary form.
        func append(_ event: Inference, to bytes: inout [UInt8]) {
            switch self {
            case .time:
                bytes.append(bigEndian: event.timeMicroseconds - PeerBatch.epochMicroseconds)
            case .inputTokens: bytes.append(bigEndian: event.inputTokens)
            case .outputTokens: bytes.append(bigEndian: event.outputTokens)
            case .storage: bytes.append(bigEndian: event.storageBytes)
            default: appendText(event, to: &bytes)
            }
        }

        /// Appends the value as text.
        func appendText(_ event: Inference, to bytes: inout [UInt8]) {
            switch self {
            case .source: bytes.append(Inference.sources[Int(event.source)])
            case .id: event.appendID(to: &bytes)
            case .type: bytes.append("llm.request")
            case .subject: event.appendSubject(to: &bytes)
            case .time: bytes.append(timeMicroseconds: event.timeMicroseconds)
            case .data: event.appendData(to: &bytes)
            case .model: bytes.append(Inference.models[Int(event.model)])
            case .inputTokens: bytes.append(decimal: Int(event.inputTokens))
            case .outputTokens: bytes.append(decimal: Int(event.outputTokens))
            case .storage: bytes.append(decimal: event.storageBytes)
            }
        }
    }

    /// Spells events for a variant.
    init(_ events: ArraySlice<Inference>, for variant: PeerVariant) {
        switch variant.input {
        case .unnest:
            for column in Column.allCases { parameter { Self.array(column, events, &$0) } }
        case .parameters:
            for event in events {
                for column in Column.allCases { parameter { column.append(event, to: &$0) } }
            }
        case .body:
            parameter { bytes in
                bytes.append("[")
                for (row, event) in events.enumerated() {
                    if row > 0 { bytes.append(",") }
                    event.appendCloudEvent(to: &bytes)
                }
                bytes.append("]")
            }
        case .values:
            bytes = Array(variant.statement(rows: Self.valuesText(events)).utf8) + [0]
        }
    }

    private static func array(
        _ column: Column,
        _ events: ArraySlice<Inference>,
        _ bytes: inout [UInt8]
    ) {
        // One dimension, no nulls, element type, length, lower bound 1.
        for number in [1, 0, column.type.oid, Int32(events.count), 1] {
            bytes.append(bigEndian: number)
        }
        for event in events {
            let start = bytes.count
            bytes.append(bigEndian: Int32(0))
            column.append(event, to: &bytes)
            let length = Int32(bytes.count - start - 4)
            for byte in 0..<4 {
                bytes[start + byte] = UInt8(truncatingIfNeeded: length >> Int32(24 - 8 * byte))
            }
        }
    }

    private static func valuesText(_ events: ArraySlice<Inference>) -> String {
        var bytes: [UInt8] = []
        bytes.append("values ")
        for (row, event) in events.enumerated() {
            bytes.append(row == 0 ? "(" : ",(")
            for (index, column) in Column.allCases.enumerated() {
                if index > 0 { bytes.append(",") }
                bytes.append("'")
                column.appendText(event, to: &bytes)
                bytes.append("'")
                if row == 0 { bytes += Array("::\(column.type.name)".utf8) }
            }
            bytes.append(")")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The rows of the prepared statement for batches of `size`; nil where nothing is prepared.
    static func preparedRows(_ variant: PeerVariant, size: Int) -> String? {
        switch variant.input {
        case .values: return nil
        case .unnest:
            let arrays = Column.allCases.enumerated().map { "$\($0 + 1)::\($1.type.name)[]" }
            return "select * from unnest(\(arrays.joined(separator: ", ")))"
        case .parameters:
            let width = Column.allCases.count
            let rows = (0..<size).map { row in
                let places = Column.allCases.enumerated().map { index, column in
                    "$\(row * width + index + 1)::\(column.type.name)"
                }
                return "(\(places.joined(separator: ",")))"
            }
            return "values " + rows.joined(separator: ",")
        case .body:
            return """
                select e->>'source', e->>'id', e->>'type', e->>'subject', (e->>'time')::timestamptz,
                  e->'data', e->'data'->>'model', (e->'data'->'tokens'->>'input')::int,
                  (e->'data'->'tokens'->>'output')::int, (e->'data'->>'storageBytes')::bigint
                from json_array_elements($1::text::json) as e
                """
        }
    }
}
