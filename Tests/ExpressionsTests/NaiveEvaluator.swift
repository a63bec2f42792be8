import UsageModel
import WireFormat

/// Evaluates a tree on a document, as simply as it can be said. Shares no code with `Expressions`.
struct NaiveEvaluator {
    let event: JSONValue

    /// The result as the reference page spells it.
    func result(_ tree: ExpressionTree, isFilter: Bool, isNumber: Bool) -> String {
        do throws(NaiveFault) {
            if isFilter { return "\(try holds(tree))" }
            let value = try value(tree)
            if isNumber { return try number(value)?.text ?? "missing" }
            switch value {
            case .nothing: return "missing"
            case .bool(let bool): return "\(bool)"
            case .number(let decimal): return decimal.text
            case .tooLarge: throw NaiveFault("out-of-range")
            case .text(let text):
                return String(decoding: JSONValue.string(text).serialized(), as: UTF8.self)
            case .array, .object: throw NaiveFault("not-a-scalar")
            }
        } catch {
            return "fault: \(error.reason)"
        }
    }

    private func place(_ path: String) -> JSONValue? {
        let spelled = path.hasPrefix("$") ? path : "$." + path
        var value: JSONValue? = event
        for step in (try? EventPath(spelled))?.steps ?? [] {
            switch step {
            case .member(let name): value = value?[name]
            case .element(let index):
                let elements = value?.arrayValue ?? []
                value = index < elements.count ? elements[index] : nil
            }
        }
        return value
    }

    // MARK: Conditions

    private func holds(_ tree: ExpressionTree) throws(NaiveFault) -> Bool {
        switch try value(tree) {
        case .bool(let bool): return bool
        case .nothing: return false
        default: throw NaiveFault("not-a-boolean")
        }
    }

    private func condition(_ tree: ExpressionTree) throws(NaiveFault) -> Bool? {
        switch tree {
        case .exists(let path): return place(path) != nil
        case .and(let parts):
            for part in parts { if try !holds(part) { return false } }
            return true
        case .or(let parts):
            for part in parts { if try holds(part) { return true } }
            return false
        case .not(let part): return try !holds(part)
        case .compare(let sign, let left, let right):
            return try compare(sign, try value(left), try value(right))
        case .isIn(let left, let elements), .isNotIn(let left, let elements):
            let left = try value(left)
            var isFound = false
            for element in elements where !isFound {
                isFound = try compare("==", left, try value(element))
            }
            if case .isIn = tree { return isFound }
            return !isFound
        case .search(let word, let left, let right): return try search(word, left, right)
        case .matches(let text, let pattern):
            return try self.text(try value(text)).map(NaivePattern.all[pattern].matches) ?? false
        default: return nil
        }
    }

    private func search(
        _ word: String,
        _ left: ExpressionTree,
        _ right: ExpressionTree
    ) throws(NaiveFault) -> Bool {
        let (left, right) = (try value(left), try value(right))
        if word == "in" {
            if right.isNothing { return false }
            guard case .array(let elements) = right else { throw NaiveFault("not-an-array") }
            return try isElement(left, of: elements)
        }
        if word == "contains", case .array(let elements) = left {
            return try isElement(right, of: elements)
        }
        let (wholeText, partText) = (try text(left), try text(right))
        guard let whole = wholeText, let part = partText else { return false }
        let (bytes, needle) = (Array(whole.utf8), Array(part.utf8))
        switch word {
        case "startsWith": return bytes.starts(with: needle)
        case "endsWith": return bytes.reversed().starts(with: needle.reversed())
        default: return bytes.indices.contains { bytes[$0...].starts(with: needle) } || needle == []
        }
    }

    private func isElement(
        _ value: NaiveValue,
        of elements: [JSONValue]
    ) throws(NaiveFault) -> Bool {
        for element in elements {
            if try compare("==", value, NaiveValue(element)) { return true }
        }
        return false
    }

    private func compare(
        _ sign: String,
        _ left: NaiveValue,
        _ right: NaiveValue
    ) throws(NaiveFault) -> Bool {
        if sign == "!=" { return try !compare("==", left, right) }
        switch (left, right) {
        case (.nothing, .nothing): return sign == "=="
        case (.nothing, _), (_, .nothing): return false
        case (.bool(let one), .bool(let other)): return sign == "==" && one == other
        case (.text(let one), .text(let other)):
            let (one, other) = (Array(one.utf8), Array(other.utf8))
            return ordered(sign, one.lexicographicallyPrecedes(other), one == other)
        case (.bool, _), (_, .bool), (.array, _), (_, .array), (.object, _), (_, .object):
            return false
        default:
            let (one, other) = (spelled(left), spelled(right))
            if one == .notANumber || other == .notANumber { return false }
            guard case .value(let less) = one, case .value(let more) = other else {
                throw NaiveFault("out-of-range")
            }
            return ordered(sign, less < more, less == more)
        }
    }

    private func spelled(_ value: NaiveValue) -> NaiveDecimal.Reading {
        switch value {
        case .number(let decimal): return .value(decimal)
        case .tooLarge: return .outOfRange
        case .text(let text): return NaiveDecimal.read(text)
        default: return .notANumber
        }
    }

    private func ordered(_ sign: String, _ isLess: Bool, _ isEqual: Bool) -> Bool {
        switch sign {
        case "==": isEqual
        case "<": isLess
        case "<=": isLess || isEqual
        case ">": !isLess && !isEqual
        default: !isLess
        }
    }

    // MARK: Values

    private func text(_ value: NaiveValue) throws(NaiveFault) -> String? {
        switch value {
        case .nothing: return nil
        case .bool(let bool): return "\(bool)"
        case .number(let decimal): return decimal.text
        case .tooLarge: throw NaiveFault("out-of-range")
        case .text(let text): return text
        case .array, .object: throw NaiveFault("not-a-text")
        }
    }

    private func number(_ value: NaiveValue) throws(NaiveFault) -> NaiveDecimal? {
        switch value {
        case .nothing: return nil
        case .bool, .array, .object: throw NaiveFault("not-a-number")
        default:
            switch spelled(value) {
            case .value(let decimal): return decimal
            case .notANumber: throw NaiveFault("not-a-number")
            case .outOfRange: throw NaiveFault("out-of-range")
            }
        }
    }

    private func fitting(_ decimal: NaiveDecimal?) throws(NaiveFault) -> NaiveValue {
        guard let decimal else { throw NaiveFault("division-by-zero") }
        guard decimal.fits else { throw NaiveFault("out-of-range") }
        return .number(decimal)
    }

    private func value(_ tree: ExpressionTree) throws(NaiveFault) -> NaiveValue {
        if let holds = try condition(tree) { return .bool(holds) }
        switch tree {
        case .number(let spelled): return NaiveValue(.number(spelled))
        case .text(let text): return .text(text)
        case .bool(let bool): return .bool(bool)
        case .path(let path): return NaiveValue(place(path))
        case .arithmetic(let sign, let left, let right):
            let (left, right) = (try number(try value(left)), try number(try value(right)))
            guard let left, let right else { return .nothing }
            switch sign {
            case "+": return try fitting(left + right)
            case "-": return try fitting(left + -right)
            case "*": return try fitting(left * right)
            case "/": return try fitting(left / right)
            default: return try fitting(left % right)
            }
        case .negate(let part):
            guard let number = try number(try value(part)) else { return .nothing }
            return try fitting(-number)
        case .call(let name, let parts): return try call(name, parts)
        case .settled(let name, let parts, let setting): return try settled(name, parts, setting)
        default: return .nothing
        }
    }

    private func call(
        _ name: String,
        _ parts: [ExpressionTree]
    ) throws(NaiveFault) -> NaiveValue {
        switch name {
        case "if": return try value(try holds(parts[0]) ? parts[1] : parts[2])
        case "coalesce":
            for part in parts {
                let value = try value(part)
                if !value.isNothing { return value }
            }
            return .nothing
        case "concat":
            var joined = ""
            for part in parts { joined += try text(try value(part)) ?? "" }
            return .text(joined)
        case "min", "max":
            var numbers: [NaiveDecimal?] = []
            for part in parts { numbers.append(try number(try value(part))) }
            let found = numbers.compactMap(\.self)
            guard found.count == numbers.count, var best = found.first else { return .nothing }
            for next in found where name == "min" ? next < best : best < next { best = next }
            return .number(best)
        case "abs":
            guard let number = try number(try value(parts[0])) else { return .nothing }
            return try fitting(number < .zero ? -number : number)
        case "length":
            let value = try value(parts[0])
            if case .array(let elements) = value { return .number(NaiveDecimal(elements.count)) }
            guard let text = try text(value) else { return .nothing }
            return .number(NaiveDecimal(text.unicodeScalars.count))
        default:
            guard let text = try text(try value(parts[0])) else { return .nothing }
            if name == "lower" { return .text(text.lowercased()) }
            if name == "upper" { return .text(text.uppercased()) }
            let spaces: Set<Unicode.Scalar> = [" ", "\t", "\n", "\r", "\u{b}", "\u{c}"]
            var scalars = text.unicodeScalars[...]
            while let first = scalars.first, spaces.contains(first) { scalars.removeFirst() }
            while let last = scalars.last, spaces.contains(last) { scalars.removeLast() }
            return .text(String(scalars))
        }
    }

    private func time(_ tree: ExpressionTree) throws(NaiveFault) -> NaiveTime? {
        switch try value(tree) {
        case .nothing: return nil
        case .text(let text):
            guard let time = NaiveTime(text) else { throw NaiveFault("not-a-time") }
            return time
        default: throw NaiveFault("not-a-time")
        }
    }

    private func settled(
        _ name: String,
        _ parts: [ExpressionTree],
        _ setting: String?
    ) throws(NaiveFault) -> NaiveValue {
        switch name {
        case "ceil", "floor", "round":
            guard let number = try number(try value(parts[0])) else { return .nothing }
            let places = setting.flatMap { Int($0) } ?? 0
            let way: NaiveDecimal.Way = name == "ceil" ? .up : name == "floor" ? .down : .even
            return try fitting(number.rounded(to: places, way))
        case "duration":
            let (start, end) = (try time(parts[0]), try time(parts[1]))
            guard let start, let end else { return .nothing }
            let units = [
                "microseconds": 1, "milliseconds": 1_000, "seconds": 1_000_000,
                "minutes": 60_000_000, "hours": 3_600_000_000, "days": 86_400_000_000,
            ]
            let length = NaiveDecimal(end.microseconds - start.microseconds)
            return try fitting(length / NaiveDecimal(units[setting ?? ""] ?? 0))
        default:
            guard let time = try time(parts[0]) else { return .nothing }
            let part = time.part(name, in: setting ?? "UTC")
            if name == "date" { return .text(part) }
            return .number(NaiveDecimal(Int(part) ?? 0))
        }
    }
}
