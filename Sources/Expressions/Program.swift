import Metering
import UsageModel

/// One step of a compiled expression. What `first`, `second` and `count` mean is said per
/// operation; operands are indexes of nodes.
struct Node: Sendable {
    enum Operation: UInt8, Sendable {
        case null
        /// `first` is 1 or 0.
        case bool
        /// `first` is the place in ``Program/numbers``.
        case number
        /// `first` and `second` are offset and count in ``Program/literals``.
        case text
        /// `first` is the slot.
        case path
        /// `first` is the slot.
        case exists
        /// `count` operands from `first` in ``Program/operands``.
        case and, or
        case not
        /// The operands are `first` and `second`, of all these.
        case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
        case startsWith, endsWith, contains
        case add, subtract, multiply, divide, remainder
        /// `first` in the `count` elements from `second` in ``Program/operands``.
        case isIn
        /// `first` in the array `second`.
        case isInArray
        /// `second` is the place in ``Program/patterns``.
        case matches
        case negate, absolute, length, lower, upper, trim
        /// `second` is the number of places.
        case ceil, floor, round
        /// `count` operands from `first` in ``Program/operands``.
        case minimum, maximum, concat, coalesce, choose
        /// `second` is the place in ``Program/zones``, `count` the raw value of a ``DatePart``.
        case datePart
        /// `count` is the raw value of a ``DurationUnit``.
        case duration
    }

    var operation: Operation
    var count: UInt16 = 0
    var first: Int32 = 0
    var second: Int32 = 0
    /// Where it stands in the text, for words about it.
    var start: UInt16 = 0
    var end: UInt16 = 0
}

enum DatePart: UInt16, CaseIterable, Sendable {
    case year, month, day, hour, minute, second, weekday, dayOfYear, date

    var word: String { "\(self)" }
}

enum DurationUnit: UInt16, CaseIterable, Sendable {
    case microseconds, milliseconds, seconds, minutes, hours, days

    var word: String { "\(self)" }

    var microseconds: Int64 {
        switch self {
        case .microseconds: 1
        case .milliseconds: 1_000
        case .seconds: 1_000_000
        case .minutes: 60_000_000
        case .hours: 3_600_000_000
        case .days: 86_400_000_000
        }
    }
}

/// A compiled expression: flat, immutable, shared by all threads.
final class Program: Sendable {
    let nodes: [Node]
    let operands: [Int32]
    let numbers: [Int128]
    let literals: [UInt8]
    let patterns: [Pattern]
    let zones: [TimeZoneRules]
    let root: Int32
    let excessDigits: Quantity.ExcessDigits

    init(
        nodes: [Node],
        operands: [Int32],
        numbers: [Int128],
        literals: [UInt8],
        patterns: [Pattern],
        zones: [TimeZoneRules],
        root: Int32,
        excessDigits: Quantity.ExcessDigits
    ) {
        (self.nodes, self.operands, self.numbers) = (nodes, operands, numbers)
        (self.literals, self.patterns, self.zones) = (literals, patterns, zones)
        (self.root, self.excessDigits) = (root, excessDigits)
    }

    /// The same program with its paths read from other slots.
    func placed(at slots: [Int]) -> Program {
        let moved = nodes.map { node in
            var node = node
            if node.operation == .path || node.operation == .exists {
                node.first = Int32(slots[Int(node.first)])
            }
            return node
        }
        return Program(
            nodes: moved,
            operands: operands,
            numbers: numbers,
            literals: literals,
            patterns: patterns,
            zones: zones,
            root: root,
            excessDigits: excessDigits
        )
    }
}
