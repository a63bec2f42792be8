internal import Metering
public import MeteringEngine
internal import Synchronization
internal import UsageModel
internal import WireFormat

extension SQLiteLedger: EventCatalogue {
    public func eventTypes() async throws(LedgerError) -> [EventTypeLine] {
        let query = BooksQuery(groupBy: [.type, .hour], range: .allTime)
        return EventTypeLine.all(of: try await books(query).lines)
    }

    public func eventType(
        _ type: String,
        events: Int
    ) async throws(LedgerError) -> (line: EventTypeLine, sample: EventTypeSample)? {
        let query = BooksQuery(groupBy: [.type, .hour], range: .allTime, type: type)
        guard let line = EventTypeLine.all(of: try await books(query).lines).first else {
            return nil
        }
        let sample = try reading("the fields of an event type") {
            try EventFieldsReader(core: core).sample(of: type, events: events)
        }
        return (line, sample)
    }
}

extension EventTypeLine {
    /// What lines of the books, by type and hour, come to by type.
    fileprivate static func all(of lines: [BooksLine]) -> [EventTypeLine] {
        var types: [String: EventTypeLine] = [:]
        for line in lines {
            // What could not be read has no type, and entries are the ledger's own.
            guard let type = line.type, let hour = line.hour, line.received > 0, !type.isEmpty,
                !LedgerEntry.isEntry(type: type.utf8)
            else { continue }
            var known = types[type] ?? EventTypeLine(type: type, hour: hour)
            known.received += line.received
            known.accepted += line.counted + line.unmatched
            known.quarantined += line.quarantined
            known.firstSeenHour = min(known.firstSeenHour, hour)
            known.lastSeenHour = max(known.lastSeenHour, hour)
            types[type] = known
        }
        return types.values.sorted { $0.type.utf8.lexicographicallyPrecedes($1.type.utf8) }
    }
}

/// Reads what stands in the newest events of a type.
private struct EventFieldsReader {
    let core: LedgerCore

    /// What every event has.
    private static let known: Set = ["specversion", "id", "source", "type", "subject"]

    func sample(of type: String, events: Int) throws -> EventTypeSample {
        var (sample, fields) = (EventTypeSample(), [String: EventTypeSample.Field]())
        try NewestEvents(core: core, type: type, limit: events).visit { block, places in
            for place in places {
                let position = Position(block.firstPosition + UInt64(place))
                sample.events += 1
                // They come from the newest on.
                sample.positions = position...(sample.positions?.upperBound ?? position)
                let whole = block.decoded.events[place].whole
                let event = try JSONValue.parse(Array(block.decoded.bytes[whole.range]))
                for member in event.objectValue?.members ?? []
                where !Self.known.contains(member.name) {
                    var walk = FieldWalk(at: block.arrival(of: place))
                    walk.add(member.value, [.member(member.name)], &fields)
                    if walk.hasMore { sample.hasMoreFields = true }
                }
            }
        }
        sample.fields = fields.values.sorted {
            $0.path.utf8.lexicographicallyPrecedes($1.path.utf8)
        }
        return sample
    }
}

/// Notes the fields of one event.
private struct FieldWalk {
    /// When the event came.
    let at: Instant
    private(set) var hasMore = false

    init(at: Instant) { self.at = at }

    mutating func add(
        _ value: JSONValue,
        _ steps: [EventPath.Step],
        _ fields: inout [String: EventTypeSample.Field]
    ) {
        guard steps.count <= Limits.pathStepsMax else {
            hasMore = true
            return
        }
        let path = EventPath(steps: steps).description
        guard fields[path] != nil || fields.count < Limits.catalogueFieldsMax else {
            hasMore = true
            return
        }
        var field = fields[path] ?? EventTypeSample.Field(path: path, at: at)
        field.events += 1
        field.firstSeenAt = min(field.firstSeenAt, at)
        field.lastSeenAt = max(field.lastSeenAt, at)
        field.kinds.insert(Self.kind(of: value))
        if field.example.isEmpty, value.objectValue == nil, value.arrayValue == nil, !value.isNull {
            let example = value.serialized()
            if example.count <= Limits.catalogueExampleBytesMax { field.example = example }
        }
        fields[path] = field
        // A path names one place, so elements of arrays are no fields.
        for member in value.objectValue?.members ?? [] {
            add(member.value, steps + [.member(member.name)], &fields)
        }
    }

    private static func kind(of value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
