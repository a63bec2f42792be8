internal import Expressions
internal import UsageModel
internal import WireFormat

/// What must hold of an event, compiled: for questions that look at events one by one, away from
/// the intake.
public struct EventCondition: Sendable {
    private let expression: UsageExpression

    /// - Parameter pointer: Where the text stands in what the caller sent.
    /// - Throws: `invalidCorrection` with the place and the remedy.
    public init(
        _ text: String,
        zones: SystemTimeZones = .shared,
        at pointer: String
    ) throws(LedgerError) {
        do throws(ExpressionError) {
            expression = try UsageExpression(parsing: text, expecting: .bool, zones: zones)
        } catch {
            var fault = LedgerError(.invalidCorrection, "the expression cannot be read")
            fault.faults = [
                FieldFault(
                    pointer: pointer,
                    reason: "column \(error.column): found \(error.found)",
                    remedy: "expected \(error.expected); \(error.remedy)"
                )
            ]
            throw fault
        }
    }

    /// Whether it holds; no where it cannot be told, since the event lacks what is asked for.
    ///
    /// - Complexity: parses the whole event, some microseconds.
    public func holds(of bytes: [UInt8]) -> Bool {
        guard let event = try? JSONValue.parse(bytes) else { return false }
        var scratch = ExpressionScratch()
        var values: [UInt8] = []
        let slots = expression.paths.map { PathValue($0, in: event, &values) }
        return unsafe values.withUnsafeBytes { values in
            unsafe slots.withUnsafeBufferPointer { slots in
                (try? unsafe expression.holds(slots, in: values, &scratch)) ?? false
            }
        }
    }
}

extension PathValue {
    /// What a path leads to in a parsed event, with its bytes behind the others.
    init(_ path: EventPath, in event: JSONValue, _ bytes: inout [UInt8]) {
        guard let value = event.value(at: path) else {
            self = .missing
            return
        }
        let start = bytes.count
        let kind: Kind
        switch value {
        case .null: kind = .null
        case .bool: kind = .bool
        case .number: kind = .number
        case .string: kind = .string
        case .array: kind = .array
        case .object: kind = .object
        }
        if case .string(let text) = value {
            bytes += text.utf8
        } else {
            bytes += value.serialized()
        }
        let slice = ByteSlice(offset: UInt32(start), count: UInt32(bytes.count - start))
        self.init(kind: kind, slice: slice)
    }
}
