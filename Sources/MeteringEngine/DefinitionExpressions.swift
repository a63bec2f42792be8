internal import Expressions
public import Metering
public import UsageModel
public import WireFormat

extension MeterTypeDefinition {
    /// What is wrong with the expressions of a definition, in the order of the fields.
    ///
    /// A ledger takes definitions for which this is empty; what does not compile makes every event
    /// unreadable.
    /// - Complexity: compiles each expression; some 10 µs, more for patterns.
    public func expressionFaults(zones: any TimeZoneSource) -> [FieldFault] {
        parts.compactMap { part in
            do throws(ExpressionError) {
                _ = try compiled(part, zones)
                return nil
            } catch {
                return FieldFault(
                    pointer: part.pointer,
                    reason: "column \(error.column): found \(error.found), "
                        + "expected \(error.expected)",
                    remedy: error.remedy
                )
            }
        }
    }

    fileprivate struct Part {
        var pointer: String
        var text: String
        var expected: ExpectedResult
        var excessDigits: Quantity.ExcessDigits
    }

    /// Everything that is computed.
    fileprivate var parts: [Part] {
        var parts: [Part] = []
        if let filter { parts.append(Part("/filter", filter, .bool, excessDigits)) }
        for (place, rule) in [value, secondValue].enumerated() {
            guard case .expression(let text) = rule else { continue }
            let pointer = aggregation.takesPair ? "/value/\(place)" : "/value"
            parts.append(Part(pointer, text, aggregation.expectedValue, excessDigits))
        }
        for dimension in dimensions {
            // Names need no escapes in a pointer.
            if case .expression(let text) = dimension.value {
                parts.append(Part("/dimensions/\(dimension.name)", text, .scalar, .round))
            }
        }
        return parts
    }

    fileprivate func compiled(
        _ part: Part,
        _ zones: any TimeZoneSource
    ) throws(ExpressionError) -> UsageExpression {
        try UsageExpression(
            parsing: part.text,
            expecting: part.expected,
            zones: zones,
            excessDigits: part.excessDigits
        )
    }
}

extension MeterTypeDefinition.Part {
    fileprivate init(
        _ pointer: String,
        _ text: String,
        _ expected: ExpectedResult,
        _ excessDigits: Quantity.ExcessDigits
    ) {
        (self.pointer, self.text) = (pointer, text)
        (self.expected, self.excessDigits) = (expected, excessDigits)
    }
}

/// Says in words what the expressions of a meter type make of an event it does not count.
///
/// Compiled once for many events; not for the hot path.
public struct ExpressionReport: Sendable {
    private var parts: [(name: String, expression: UsageExpression)] = []
    private let paths: PathSet
    private let timeSlot: Int

    /// - Returns: nil where the meter type has no expression.
    public init?(
        _ definition: MeterTypeDefinition,
        zones: any TimeZoneSource = SystemTimeZones.shared
    ) {
        guard definition.hasExpressions else { return nil }
        var slots = SharedSlots()
        for part in definition.parts {
            guard let expression = try? definition.compiled(part, zones) else { continue }
            let name = String(part.pointer.dropFirst())
            parts.append((name, slots.place(expression)))
        }
        (paths, timeSlot) = (PathSet(slots.paths), slots.timeSlot)
    }

    /// The first part that excludes the event or faults: `filter: … is false`, `value:
    /// division-by-zero at column 15`; nil where none does.
    ///
    /// - Parameters:
    ///   - bytes: Those of the event's batch.
    ///   - arrival: The time of an event that states none.
    public func cause(of event: DecodedEvent, in bytes: [UInt8], arrival: Instant) -> String? {
        let arrivals = ArrivalTexts(behind: bytes, [arrival])
        var slots = [PathValue](repeating: .missing, count: max(paths.count, 1))
        var scratch = ExpressionScratch()
        return unsafe arrivals.bytes.withUnsafeBytes { raw in
            unsafe slots.withUnsafeMutableBufferPointer { slots in
                unsafe paths.extract(event, bytes: raw, into: slots)
                if timeSlot >= 0, !event.hasTime { unsafe slots[timeSlot] = arrivals[0] }
                let known = UnsafeBufferPointer(slots)
                for (name, expression) in parts {
                    if expression.expected == .bool {
                        let sentence = unsafe expression.explain(known, in: raw, &scratch)
                        if let sentence { return sentence }
                        continue
                    }
                    if case .fault(let fault) = unsafe expression.evaluate(
                        known,
                        in: raw,
                        &scratch
                    ) {
                        let column = expression.column(fault.offset)
                        return "\(name): \(fault.reason.rawValue) at column \(column)"
                    }
                }
                return nil
            }
        }
    }
}
