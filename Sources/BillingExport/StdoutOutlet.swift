import MeteringEngine
import UsageModel
import WireFormat

/// A line of JSON for each record, to where the process writes.
struct StdoutOutlet: RecordOutlet {
    let out: @Sendable ([UInt8]) throws -> Void
    let clock: @Sendable () -> Instant

    func send(_ batch: DeliveryBatch) async -> DeliveryOutcome {
        let (lines, began) = (batch.lines, clock())
        let outcome = write(lines)
        SentRequest.note(lines, to: "standard output", since: began, clock(), outcome)
        return outcome
    }

    private func write(_ lines: [UInt8]) -> DeliveryOutcome {
        do {
            try out(lines)
            return .delivered(status: nil, reference: "")
        } catch {
            return .retry(status: nil, reason: "cannot write: \(error)", after: nil)
        }
    }
}

extension DeliveryBatch {
    /// NDJSON.
    var lines: [UInt8] {
        items.reduce(into: []) { bytes, item in
            bytes += JSONValue.object(document(of: item)).serialized()
            bytes.append(UInt8(ascii: "\n"))
        }
    }
}

extension Sequence<UInt8> {
    /// Two digits for each byte.
    var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        let text = reduce(into: [UInt8]()) { text, byte in
            text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: text, as: UTF8.self)
    }
}
