import MeteringTestKit
import UsageModel
import WireFormat

/// A row of mutated inputs under one seed, and what must be true of every answer.
struct FuzzRound {
    private var speller: JSONSpeller
    private var mutator: Mutator
    private let paths: PathSet
    private let steps: [[EventPath.Step]]

    init(seed: UInt64) {
        speller = JSONSpeller(seed: seed)
        mutator = Mutator(seed: seed &* 31)
        let texts = [
            "$.data.a", "$.data.tokens.input", "$.data.items[1].qty", "$.data['x y']", "$.data",
            "$.data[0]", "$.time", "$.ext.a", "$.data['longer-than-eight']", "$.data.tokens",
            "$.data['a\"b'].b", "$.id", "$.data['']",
        ]
        let paths = texts.compactMap { try? EventPath($0) }
        steps = paths.map(\.steps)
        self.paths = PathSet(paths)
    }

    /// Draws an input and sends it everywhere; says what was wrong, or nil.
    mutating func next() -> String? {
        let sound = soundInput()
        let input = speller.chance(1, in: 10) ? sound : mutator.mutate(sound)
        let clock = ContinuousClock()
        var shortest = Duration.seconds(1_000)
        var violation: String?
        // A slow answer is asked for again: the machine may have been elsewhere.
        for _ in 0..<5 {
            let took = clock.measure { violation = judge(input) }
            shortest = min(shortest, took)
            if violation != nil || shortest < .milliseconds(20) + .microseconds(20) * input.count {
                break
            }
        }
        if violation == nil, shortest >= .milliseconds(20) + .microseconds(20) * input.count {
            violation = "took \(shortest)"
        }
        return violation.map { "\($0) \(String(decoding: input, as: UTF8.self).debugDescription)" }
    }

    // MARK: Inputs

    private mutating func soundInput() -> [UInt8] {
        switch speller.draw(below: 12) {
        case 0:
            return Array(pick(["2026-11-01T12:00:00.123456Z", "0000-01-01T00:00:00+23:59"]).utf8)
        case 1:
            return Array(pick(["a,\"b\"\"\",c\r\n1,2,3\n", "a;b\n\"c\nd\";\"\"", "x\ry\r"]).utf8)
        case 2: return Array(speller.spell(speller.value()).utf8)
        case 3...5:
            let events = (0..<speller.draw(below: 5)).map { _ in event() }
            return Array("[\(events.joined(separator: ","))]".utf8)
        case 6...8:
            let lines = (0..<speller.draw(below: 5)).map { _ in
                event().replacing("\n", with: " ").replacing("\r", with: "")
            }
            return Array(lines.joined(separator: pick(["\n", "\r\n", "\n\n"])).utf8)
        default: return Array(event().utf8)
        }
    }

    private mutating func pick(_ choices: [String]) -> String { speller.pick(choices) }

    private mutating func event() -> String {
        var object: JSONObject = [
            "specversion": "1.0", "id": .string("r-\(speller.draw(below: 100))"), "source": "s",
            "type": "llm.request", "subject": "acme", "time": "2026-11-01T12:00:00.250Z",
        ]
        if speller.chance(3, in: 4) { object["data"] = speller.value() }
        if speller.chance(1, in: 3) { object["ext"] = speller.value(depth: 4) }
        return speller.spell(.object(object))
    }

    // MARK: Judgement

    private func judge(_ input: [UInt8]) -> String? {
        for framing in [EventFraming.plain, .cloudEvent, .cloudEventBatch, .ndjson] {
            if let violation = judgeEvents(input, framing) { return "\(framing): \(violation)" }
        }
        return judgeDocument(input) ?? judgeGarbage(input) ?? judgeTime(input) ?? judgeCSV(input)
    }

    private func judgeEvents(_ input: [UInt8], _ framing: EventFraming) -> String? {
        guard let batch = try? decodeEvents(input, framing: framing) else { return nil }
        let text = input[..<((input.lastIndex { $0 > 0x20 } ?? -1) + 1)]
        guard batch.bytes.starts(with: text) else { return "bytes" }
        let indexes = (batch.events.map(\.index) + batch.rejected.map(\.index)).sorted()
        guard indexes == (0..<UInt32(batch.received)).map({ $0 }) else { return "indexes" }
        let alone: EventFraming =
            framing == .ndjson ? .ndjson : framing == .plain ? .plain : .cloudEvent
        for event in batch.events {
            guard let whole = bytes(event.whole, of: batch) else { return "whole is outside" }
            guard let again = try? decodeEvents(whole, framing: alone), again.events.count == 1
            else { return "an accepted event is not accepted alone" }
            let (one, other) = (facts(event, batch), facts(again.events[0], again))
            guard one != nil, one == other else { return "an event differs from itself alone" }
            if let violation = judgePaths(event, batch, whole) { return violation }
        }
        for event in batch.rejected where event.reason != .notAnObject {
            guard let whole = bytes(event.whole, of: batch) else { return "whole is outside" }
            // Alone, a byte order mark would be at the start.
            if whole.starts(with: [0xef, 0xbb, 0xbf]) { continue }
            let again = try? decodeEvents(whole, framing: alone)
            if event.reason == .malformedJSON, framing != .ndjson { return "malformed-json" }
            if again?.rejected.first?.reason != event.reason { return "not rejected alone" }
            if again?.rejected.first?.pointer != event.pointer { return "another pointer alone" }
        }
        return nil
    }

    private func bytes(_ slice: ByteSlice, of batch: DecodedBatch) -> [UInt8]? {
        slice.range.upperBound <= batch.bytes.count ? Array(batch.bytes[slice.range]) : nil
    }

    /// What an event says, as bytes; nil where a slice is outside.
    private func facts(_ event: DecodedEvent, _ batch: DecodedBatch) -> [[UInt8]]? {
        let slices = [event.source, event.id, event.type, event.subject, event.data]
        let parts = slices.compactMap { bytes($0, of: batch) }
        guard parts.count == slices.count else { return nil }
        return parts + [Array("\(event.hasTime) \(event.time.microseconds)".utf8)]
    }

    private func judgePaths(
        _ event: DecodedEvent,
        _ batch: DecodedBatch,
        _ whole: [UInt8]
    ) -> String? {
        guard let document = try? JSONValue.parse(whole) else { return "an event is no document" }
        guard jsonEqual(whole, document.serialized()) else { return "not equal to itself" }
        for (value, steps) in zip(paths.values(in: event, of: batch.bytes), steps) {
            let expected = document.value(at: steps[...])
            let found = value.document(in: batch.bytes)
            guard (expected == nil) == (found == nil) else { return "\(steps): \(value.kind)" }
            if let expected, let found, !jsonEqual(expected.serialized(), found.serialized()) {
                return "\(steps) leads elsewhere"
            }
        }
        return nil
    }

    private func judgeDocument(_ input: [UInt8]) -> String? {
        guard let value = try? JSONValue.parse(input) else { return nil }
        for pretty in [false, true] {
            let text = value.serialized(pretty: pretty)
            guard let again = try? JSONValue.parse(text), again == value else {
                return "a document does not survive writing"
            }
        }
        return nil
    }

    /// What trusts its input must stay inside of it all the same.
    private func judgeGarbage(_ input: [UInt8]) -> String? {
        let half = input.count / 2
        _ = jsonEqual(input, Array(input.reversed()))
        _ = jsonEqual(Array(input[..<half]), Array(input[half...]))
        guard jsonEqual(input, input) else { return "bytes are not equal to themselves" }
        guard text(of: input).count <= input.count * 3 else { return "unescaped text grew" }
        for range in [0..<input.count, half..<input.count, 0..<half, half..<half] {
            let slice = ByteSlice(offset: UInt32(range.lowerBound), count: UInt32(range.count))
            let event = DecodedEvent(
                index: 0,
                whole: slice,
                source: slice,
                id: slice,
                type: slice,
                subject: slice,
                data: slice,
                time: nil
            )
            for value in paths.values(in: event, of: input) {
                guard value.slice.range.upperBound <= input.count else { return "outside" }
                let found = elements(of: value, in: input)
                guard found.count <= input.count else { return "more elements than bytes" }
                guard found.allSatisfy({ $0.slice.range.upperBound <= input.count }) else {
                    return "an element is outside"
                }
            }
        }
        return nil
    }

    private func judgeTime(_ input: [UInt8]) -> String? {
        guard case .instant(let instant) = readTime(input) else { return nil }
        return readTime(Array(instant.rfc3339.utf8)) == .instant(instant) ? nil : "time"
    }

    private func judgeCSV(_ input: [UInt8]) -> String? {
        let whole = csvRows(input, chunk: max(input.count, 1))
        let pieces = csvRows(input, chunk: 7)
        return whole.0 == pieces.0 && whole.1 == pieces.1 ? nil : "CSV depends on the chunks"
    }

    /// The rows up to the first fault, and the fault.
    private func csvRows(_ input: [UInt8], chunk: Int) -> ([CSVRow], CSVFault?) {
        var reader = CSVReader()
        var rows: [CSVRow] = []
        do throws(CSVFault) {
            for start in stride(from: 0, to: input.count, by: chunk) {
                reader.feed(Array(input[start..<min(start + chunk, input.count)]))
                while let row = try reader.next() { rows.append(row) }
            }
            reader.finish()
            while let row = try reader.next() { rows.append(row) }
        } catch {
            return (rows, error)
        }
        return (rows, nil)
    }
}
