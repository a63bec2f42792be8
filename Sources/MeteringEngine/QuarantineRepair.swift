internal import Expressions
public import UsageModel
internal import WireFormat

/// Why a repair cannot be made of what was written.
public struct RepairFaults: Error, Sendable, Hashable {
    /// Pointers into the rule: `/set/~1data~1duration`.
    public var faults: [FieldFault]
}

/// A repair, compiled: mends events one by one.
///
/// The values of its expressions are read from the JSON event, whether it keeps the rules of an
/// event or not; that is what it is in quarantine for.
public struct QuarantineRepair: Sendable {
    public enum Outcome: Sendable, Hashable {
        case changed([UInt8])
        /// The event is as it was.
        case unchanged
        /// Why it cannot be applied to this event.
        case failed(String)
    }

    private var set: [(steps: [String], pointer: String, expression: UsageExpression)] = []
    private var remove: [(steps: [String], pointer: String)] = []

    public init(_ rule: EventRepair, zones: SystemTimeZones) throws(RepairFaults) {
        var faults: [FieldFault] = []
        func steps(_ pointer: String, at place: String) -> [String]? {
            if let steps = JSONValue.steps(of: pointer), !steps.isEmpty { return steps }
            let remedy = "give a JSON pointer into the event, such as /data/amount"
            faults.append(
                FieldFault(pointer: place, reason: "it is no JSON pointer", remedy: remedy)
            )
            return nil
        }
        for one in rule.set {
            let place = "/set/" + one.pointer.replacing("~", with: "~0").replacing("/", with: "~1")
            guard let steps = steps(one.pointer, at: place) else { continue }
            do throws(ExpressionError) {
                let expression = try UsageExpression(
                    parsing: one.expression,
                    expecting: .scalar,
                    zones: zones
                )
                set.append((steps, one.pointer, expression))
            } catch {
                let reason = "column \(error.column): found \(error.found)"
                let remedy = "expected \(error.expected); \(error.remedy)"
                faults.append(FieldFault(pointer: place, reason: reason, remedy: remedy))
            }
        }
        for (number, pointer) in rule.remove.enumerated() {
            guard let steps = steps(pointer, at: "/remove/\(number)") else { continue }
            remove.append((steps, pointer))
        }
        guard faults.isEmpty else { throw RepairFaults(faults: faults) }
    }

    /// Mends one event.
    ///
    /// A value that the event does not have sets nothing. Objects on the way to a place are made
    /// where they are missing.
    /// - Complexity: O(bytes) for each place.
    public func applied(to bytes: [UInt8]) -> Outcome {
        let event: JSONValue
        do throws(MalformedBody) { event = try JSONValue.parse(bytes) } catch {
            return .failed("it is not JSON: \(error.description)")
        }
        guard case .object = event else { return .failed("it is \(event.kindName), not an event") }
        var mended = event
        var scratch = ExpressionScratch()
        for (steps, pointer, expression) in set {
            switch Self.value(of: expression, in: event, &scratch) {
            case .fault(let words): return .failed("\(pointer): \(words)")
            case .missing: continue
            case .value(let value):
                guard let changed = mended.replacing(at: steps[...], with: value) else {
                    return .failed("\(pointer): the event has no such place")
                }
                mended = changed
            }
        }
        for (steps, _) in remove { mended = mended.removing(at: steps[...]) }
        return mended == event ? .unchanged : .changed(mended.serialized())
    }

    private enum Computed {
        case value(JSONValue)
        case missing
        case fault(String)
    }

    private static func value(
        of expression: UsageExpression,
        in event: JSONValue,
        _ scratch: inout ExpressionScratch
    ) -> Computed {
        var bytes: [UInt8] = []
        let slots = expression.paths.map { PathValue($0, in: event, &bytes) }
        return unsafe bytes.withUnsafeBytes { bytes in
            unsafe slots.withUnsafeBufferPointer { slots in
                switch unsafe expression.evaluate(slots, in: bytes, &scratch) {
                case .bool(let truth): return .value(.bool(truth))
                case .number(let quantity): return .value(.number(quantity.description))
                case .text(let text):
                    let plain = unsafe expression.withBytes(of: text, in: bytes, scratch) {
                        unsafe String(decoding: $0, as: UTF8.self)
                    }
                    return .value(.string(plain))
                case .missing: return .missing
                case .fault(let fault): return .fault(fault.reason.rawValue)
                }
            }
        }
    }
}
