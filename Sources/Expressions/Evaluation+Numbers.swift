import Metering
import UsageModel

extension Evaluation {
    /// The number that a number or a text is, rounded where it has too many digits.
    func reading(_ operand: Operand) -> Result<Quantity, Quantity.ReadFault> {
        reading(operand, .round)
    }

    private func reading(
        _ operand: Operand,
        _ excessDigits: Quantity.ExcessDigits
    ) -> Result<Quantity, Quantity.ReadFault> {
        if operand.kind == .number { return .success(Quantity(mantissa: operand.mantissa)) }
        // An escaped text is read as it stands; no number needs an escape to be spelled.
        return unsafe withBytes(of: operand) {
            unsafe Quantity.read($0, excessDigits: excessDigits)
        }
    }

    /// What a part is as a number: a number, or a text that spells one; nil for nothing.
    mutating func number(_ index: Int32) throws(ExpressionFault) -> Int128? {
        let node = node(index)
        if node.operation == .number { return program.numbers[Int(node.first)] }
        let mark = arena.count
        defer { release(mark) }
        let operand = try value(index)
        return try number(operand, index)
    }

    func number(_ operand: Operand, _ index: Int32) throws(ExpressionFault) -> Int128? {
        switch operand.kind {
        case .missing, .null: return nil
        case .number: return operand.mantissa
        case .spelled, .text:
            switch reading(operand, program.excessDigits) {
            case .success(let quantity): return quantity.mantissa
            case .failure(.notANumber): throw fault(.notNumber, index)
            case .failure(.outOfRange): throw fault(.outOfRange, index)
            case .failure(.excessDigits): throw fault(.excessDigits, index)
            }
        case .bool, .array, .object: throw fault(.notNumber, index)
        }
    }

    /// The value of an operation whose result is a number; nil for nothing.
    mutating func computed(_ node: Node) throws(ExpressionFault) -> Int128? {
        switch node.operation {
        case .add, .subtract, .multiply, .divide, .remainder:
            let left = try number(node.first)
            let right = try number(node.second)
            guard let left, let right else { return nil }
            return try arithmetic(node, left, right)
        case .negate, .absolute:
            guard let number = try number(node.first) else { return nil }
            if node.operation == .absolute, number >= 0 { return number }
            return try fitting(try? Quantity(mantissa: number).negated().mantissa, node)
        case .ceil: return try rounded(node, .ceiling)
        case .floor: return try rounded(node, .floor)
        case .round: return try rounded(node, .halfEven)
        case .minimum, .maximum: return try extreme(node)
        case .length: return try length(node)
        case .duration: return try duration(node)
        case .datePart: return try datePart(node)
        default: return nil
        }
    }

    private func arithmetic(
        _ node: Node,
        _ left: Int128,
        _ right: Int128
    ) throws(ExpressionFault) -> Int128 {
        switch node.operation {
        case .add:
            let (sum, overflow) = left.addingReportingOverflow(right)
            return try fitting(overflow ? nil : sum, node)
        case .subtract:
            let (difference, overflow) = left.subtractingReportingOverflow(right)
            return try fitting(overflow ? nil : difference, node)
        case .multiply: return try fitting(product(left, right), node)
        default:
            guard right != 0 else {
                throw ExpressionFault(.divisionByZero, offset: Int(node.start))
            }
            return try fitting(
                node.operation == .divide ? quotient(left, right) : remainder(left, right),
                node
            )
        }
    }

    private func fitting(_ number: Int128?, _ node: Node) throws(ExpressionFault) -> Int128 {
        guard let number else { throw ExpressionFault(.outOfRange, offset: Int(node.start)) }
        return number
    }

    private mutating func rounded(
        _ node: Node,
        _ mode: Rounding.Mode
    ) throws(ExpressionFault) -> Int128? {
        guard let number = try number(node.first) else { return nil }
        let rounding = Rounding(mode: mode, places: Int(node.second)) ?? .finest
        return try fitting(
            try? rounding.applied(to: Quantity(mantissa: number)).mantissa,
            node
        )
    }

    /// Of numbers, one of which is missing, there is no least and no greatest.
    private mutating func extreme(_ node: Node) throws(ExpressionFault) -> Int128? {
        var found: Int128?
        var isMissing = false
        for place in 0..<Int32(node.count) {
            guard let next = try number(operand(node.first + place)) else {
                isMissing = true
                continue
            }
            guard let best = found else {
                found = next
                continue
            }
            found = node.operation == .minimum ? min(best, next) : max(best, next)
        }
        return isMissing ? nil : found
    }

    // MARK: Times

    /// What a part is as a time; nil for nothing.
    private mutating func instant(_ index: Int32) throws(ExpressionFault) -> Instant? {
        let mark = arena.count
        defer { release(mark) }
        let operand = try value(index)
        if operand.isNothing { return nil }
        guard operand.kind == .text else { throw fault(.notTime, index) }
        let text = plain(operand)
        let reading = unsafe withBytes(of: text) { unsafe Instant.read(rfc3339: $0) }
        guard case .instant(let instant) = reading else { throw fault(.notTime, index) }
        return instant
    }

    private mutating func duration(_ node: Node) throws(ExpressionFault) -> Int128? {
        let start = try instant(node.first)
        let end = try instant(node.second)
        guard let start, let end, let unit = DurationUnit(rawValue: node.count) else { return nil }
        // Instants lie in the years 0 to 9999, so neither this nor the mantissa overflows.
        let microseconds = Int128(end.microseconds - start.microseconds)
        let scale: Int128 = 1_000_000_000_000
        return quotient(microseconds * scale, Int128(unit.microseconds) * scale)
    }

    private mutating func localTime(_ node: Node) throws(ExpressionFault) -> LocalDateTime? {
        guard let instant = try instant(node.first) else { return nil }
        return program.zones[Int(node.second)].local(at: instant)
    }

    private mutating func datePart(_ node: Node) throws(ExpressionFault) -> Int128? {
        guard let local = try localTime(node), let part = DatePart(rawValue: node.count) else {
            return nil
        }
        let date = local.date
        let midnight = LocalDateTime(date)
        let second = (local.microseconds - midnight.microseconds) / 1_000_000
        let value =
            switch part {
            case .year: date.year
            case .month: date.month
            case .day: date.day
            case .hour: Int(second / 3_600)
            case .minute: Int(second / 60 % 60)
            case .second: Int(second % 60)
            // 1970-01-01 was a Thursday, the fourth day of its week.
            case .weekday: ((date.daysSinceEpoch % 7) + 7 + 3) % 7 + 1
            case .dayOfYear:
                date.daysSinceEpoch
                    - CivilDate(year: date.year, month: 1, day: 1).daysSinceEpoch + 1
            case .date: 0
            }
        return Int128(value) * 1_000_000_000_000_000_000
    }

    /// The date as ISO 8601 spells it.
    mutating func date(_ node: Node) throws(ExpressionFault) -> Operand {
        guard let local = try localTime(node) else { return .missing }
        let date = local.date
        let start = arena.count
        if date.year < 0 { arena.append(UInt8(ascii: "-")) }
        append(digits: date.year.magnitude, atLeast: 4)
        arena.append(UInt8(ascii: "-"))
        append(digits: date.month.magnitude, atLeast: 2)
        arena.append(UInt8(ascii: "-"))
        append(digits: date.day.magnitude, atLeast: 2)
        return scratchText(from: start)
    }

    private mutating func append(digits number: UInt, atLeast least: Int) {
        var place: UInt = 1
        var count = 1
        while count < least || number / place >= 10 {
            place *= 10
            count += 1
        }
        while place > 0 {
            arena.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / place % 10))
            place /= 10
        }
    }
}
