import Expressions
import Foundation
import Metering
import UsageModel
import WireFormat

/// The zone database of the machine, read anew each time.
struct DiskZones: TimeZoneSource {
    func rules(named name: String) throws(TimeZoneError) -> TimeZoneRules {
        if name == "UTC" { return .utc }
        let path = "/usr/share/zoneinfo/" + name
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw .unknown(name: name)
        }
        return try TimeZoneRules(tzif: Array(bytes), name: name)
    }
}

/// One event, decoded, to evaluate expressions on.
struct ExpressionTrial {
    private let bytes: [UInt8]
    private let event: DecodedEvent

    /// An event, or nil where the text is none.
    init?(event text: String) {
        guard let batch = try? decodeEvents(Array(text.utf8), framing: .plain),
            let event = batch.events.first
        else { return nil }
        (bytes, self.event) = (batch.bytes, event)
    }

    /// An event around some data.
    init?(data: String) {
        self.init(
            event: """
                {"specversion":"1.0","id":"req-1","source":"gateway-eu","type":"llm.request",\
                "subject":"acme","time":"2026-11-01T12:00:00.25Z","region":"eu","data":\(data)}
                """
        )
    }

    /// Calls `body` with the slots of an expression's paths.
    func withSlots<Answer>(
        _ expression: UsageExpression,
        _ body: (UnsafeBufferPointer<PathValue>, UnsafeRawBufferPointer) -> Answer
    ) -> Answer {
        let paths = PathSet(expression.paths)
        var slots = [PathValue](repeating: .missing, count: paths.count)
        unsafe slots.withUnsafeMutableBufferPointer { slots in
            unsafe bytes.withUnsafeBytes { unsafe paths.extract(event, bytes: $0, into: slots) }
        }
        return unsafe slots.withUnsafeBufferPointer { slots in
            unsafe bytes.withUnsafeBytes { unsafe body(slots, $0) }
        }
    }

    /// The result as the reference page spells it: JSON, `missing`, or `fault: reason`.
    func result(of expression: UsageExpression) -> String {
        var scratch = ExpressionScratch()
        return result(of: expression, &scratch)
    }

    func result(of expression: UsageExpression, _ scratch: inout ExpressionScratch) -> String {
        unsafe withSlots(expression) { slots, bytes in
            switch unsafe expression.evaluate(slots, in: bytes, &scratch) {
            case .bool(let bool): return "\(bool)"
            case .number(let quantity): return quantity.description
            case .missing: return "missing"
            case .fault(let fault): return "fault: \(fault.reason.rawValue)"
            case .text(let text):
                let plain = unsafe expression.withBytes(of: text, in: bytes, scratch) {
                    unsafe String(decoding: $0, as: UTF8.self)
                }
                let value = JSONValue.string(plain)
                return String(decoding: value.serialized(), as: UTF8.self)
            }
        }
    }

    func explanation(of expression: UsageExpression) -> String? {
        var scratch = ExpressionScratch()
        return unsafe withSlots(expression) { slots, bytes in
            unsafe expression.explain(slots, in: bytes, &scratch)
        }
    }
}

/// The expression, or its error, as one word.
func compile(
    _ text: String,
    _ expected: ExpectedResult = .scalar,
    excessDigits: Quantity.ExcessDigits = .round
) -> Result<UsageExpression, ExpressionError> {
    do throws(ExpressionError) {
        return .success(
            try UsageExpression(
                parsing: text,
                expecting: expected,
                zones: DiskZones(),
                excessDigits: excessDigits
            )
        )
    } catch {
        return .failure(error)
    }
}
