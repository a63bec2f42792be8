internal import Expressions
internal import UsageModel
internal import Validation
internal import WireFormat

/// The rules that look at one type of event, and the places they read, each once.
final class RulePlan: Sendable {
    let paths: PathSet
    /// The slot that an expression reads the time from; -1 where none does.
    let timeSlot: Int
    private let placed: [Placed]

    private struct Placed: Sendable {
        var rule: ValidationRule
        var check: CompiledCheck
        /// The slots of ``RuleCheck/required(_:)`` and the one of a range.
        var slots: [Int] = []
    }

    /// One event, and what its rules may read of it.
    struct Event {
        var decoded: DecodedEvent
        /// When it came: the time of an event that states none.
        var arrival: Instant
    }

    private struct Failure {
        var pointer: String
        var reason: String
    }

    init(_ rules: [(rule: ValidationRule, check: CompiledCheck)]) {
        var slots = SharedSlots()
        placed = rules.map { rule, check in
            var placed = Placed(rule: rule, check: check)
            switch check {
            case .required(let paths): placed.slots = paths.map { slots.slot(of: $0) }
            case .range(let path, _, _): placed.slots = [slots.slot(of: path)]
            case .expression(let expression): placed.check = .expression(slots.place(expression))
            default: break
            }
            return placed
        }
        (paths, timeSlot) = (PathSet(slots.paths), slots.timeSlot)
    }

    /// Adds what the rules find in one event: the first rule that rejects it alone, else all that
    /// warn.
    func judge(
        _ event: Event,
        at place: Int,
        _ slots: UnsafeMutableBufferPointer<PathValue>,
        _ raw: UnsafeRawBufferPointer,
        _ scratch: inout ExpressionScratch,
        _ findings: inout [RuleFinding]
    ) {
        let first = findings.count
        for one in placed {
            guard let failure = unsafe failure(of: one, event, slots, raw, &scratch) else {
                continue
            }
            let finding = Self.finding(one.rule, failure, place)
            if finding.action == .reject {
                findings.removeLast(findings.count - first)
                findings.append(finding)
                return
            }
            findings.append(finding)
        }
    }

    private static func finding(
        _ rule: ValidationRule,
        _ failure: Failure,
        _ place: Int
    ) -> RuleFinding {
        let message = rule.definition.message
        let words = message.isEmpty ? failure.reason : message
        return RuleFinding(
            place: place,
            rule: rule.key,
            version: rule.version,
            action: rule.definition.action,
            pointer: failure.pointer,
            detail: "\(rule.key) version \(rule.version): \(words)"
        )
    }

    private func failure(
        of placed: Placed,
        _ event: Event,
        _ slots: UnsafeMutableBufferPointer<PathValue>,
        _ raw: UnsafeRawBufferPointer,
        _ scratch: inout ExpressionScratch
    ) -> Failure? {
        switch placed.check {
        case .broken: return Failure(pointer: "", reason: "the rule cannot be compiled here")
        case .schema(let schema): return unsafe Self.failure(schema, event.decoded, raw)
        case .required(let paths):
            for (path, slot) in zip(paths, placed.slots) {
                let value = unsafe slots[slot]
                guard value.kind == .missing || value.kind == .null else { continue }
                return Failure(pointer: path.pointer, reason: "it is required")
            }
            return nil
        case .range(let path, let least, let most):
            let value = unsafe slots[placed.slots[0]]
            return unsafe Self.reason(value, raw, least, most).map {
                Failure(pointer: path.pointer, reason: $0)
            }
        case .time(let ageMax, let aheadMax):
            return Self.reason(event, ageMax, aheadMax).map {
                Failure(pointer: "/time", reason: $0)
            }
        case .subjects(let subjects):
            let subject = unsafe Array(raw[event.decoded.subject.range])
            if subjects.contains(subject) { return nil }
            return Failure(pointer: "/subject", reason: "the subject is not on the list")
        case .subjectPattern(let pattern):
            let range = event.decoded.subject.range
            let subject = unsafe UnsafeRawBufferPointer(rebasing: raw[range])
            if unsafe pattern.matches(subject) { return nil }
            return Failure(pointer: "/subject", reason: "the subject does not match the pattern")
        case .expression(let expression):
            return unsafe Self.reason(expression, slots, raw, &scratch).map {
                Failure(pointer: "", reason: $0)
            }
        }
    }

    // MARK: Checks

    private static func failure(
        _ schema: JSONSchema,
        _ event: DecodedEvent,
        _ raw: UnsafeRawBufferPointer
    ) -> Failure? {
        guard !event.data.isEmpty else {
            return Failure(pointer: "/data", reason: "the event has no data")
        }
        let bytes = unsafe Array(raw[event.data.range])
        // It was decoded with the event; a fault here is none of the sender's.
        guard let value = try? JSONValue.parse(bytes) else {
            return Failure(pointer: "/data", reason: "the data cannot be read")
        }
        return schema.misfit(of: value).map {
            Failure(pointer: "/data" + $0.pointer, reason: $0.reason)
        }
    }

    private static func reason(
        _ value: PathValue,
        _ raw: UnsafeRawBufferPointer,
        _ least: ExactDecimal?,
        _ most: ExactDecimal?
    ) -> String? {
        switch value.kind {
        case .missing, .null: return nil
        // A text that spells a number is one, as in meter types.
        case .number, .string: break
        case .bool, .array, .object: return "it is no number"
        }
        let spelling = unsafe String(decoding: raw[value.slice.range], as: UTF8.self)
        guard let number = ExactDecimal(spelling) else { return "it is no number" }
        if let least, number < least { return "it is less than \(least)" }
        if let most, number > most { return "it is more than \(most)" }
        return nil
    }

    private static func reason(
        _ event: Event,
        _ ageMax: TimeLength?,
        _ aheadMax: TimeLength?
    ) -> String? {
        guard event.decoded.hasTime else { return nil }
        // Both are within the years that can be spelled, so the difference fits.
        let age = event.arrival.microseconds - event.decoded.time.microseconds
        if let ageMax, age > ageMax.microseconds {
            return "the event came more than \(ageMax) after its time"
        }
        if let aheadMax, -age > aheadMax.microseconds {
            return "the event's time is more than \(aheadMax) ahead"
        }
        return nil
    }

    private static func reason(
        _ expression: UsageExpression,
        _ slots: UnsafeMutableBufferPointer<PathValue>,
        _ raw: UnsafeRawBufferPointer,
        _ scratch: inout ExpressionScratch
    ) -> String? {
        do throws(ExpressionFault) {
            let known = UnsafeBufferPointer(slots)
            if try unsafe expression.holds(known, in: raw, &scratch) { return nil }
            return unsafe expression.explain(known, in: raw, &scratch) ?? "the expression is false"
        } catch {
            let column = expression.column(error.offset)
            return "\(error.reason.rawValue) at column \(column) of the expression"
        }
    }
}
