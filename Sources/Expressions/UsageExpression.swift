public import Metering
public import UsageModel

/// A filter, value or dimension of a meter type: text compiled to something flat.
///
/// The language, its types and its limits are in `docs/reference/expressions.md`. Every evaluation
/// ends, with a value, with nothing, or with a fault that says why; whatever the event holds. A
/// path alone is an expression too. Immutable; any number of threads evaluate it at once.
///
/// (Not named `Expression`, which Foundation has.)
public struct UsageExpression: Sendable {
    /// As it was written.
    public let text: String
    public let expected: ExpectedResult
    /// The places it reads, each once; slot *i* of an evaluation is what path *i* leads to.
    public let paths: [EventPath]
    let program: Program

    /// Compiles an expression.
    ///
    /// - Parameters:
    ///   - text: At most ``Limits/expressionBytesMax``.
    ///   - expected: What its value must be. What can be known without an event is checked here.
    ///   - zones: Where the rules of named time zones come from.
    ///   - excessDigits: What becomes of digits past the 18th place of a number of the event, where
    ///     it is computed with or is the value. In comparisons they are always rounded.
    /// - Throws: ``ExpressionError`` for the first fault in the text.
    /// - Complexity: O(bytes), but for patterns: up to ``Limits/patternMemoryBytesMax`` of memory
    ///   for each.
    public init(
        parsing text: String,
        expecting expected: ExpectedResult,
        zones: any TimeZoneSource,
        excessDigits: Quantity.ExcessDigits = .round
    ) throws(ExpressionError) {
        var parser = Parser(text, zones: zones)
        let root = try parser.readAll(expecting: expected)
        (self.text, self.expected, paths) = (text, expected, parser.paths)
        program = parser.program(root: root, excessDigits: excessDigits)
    }

    private init(moving expression: UsageExpression, to slots: [Int]) {
        (text, expected, paths) = (expression.text, expression.expected, expression.paths)
        program = expression.program.placed(at: slots)
    }

    /// The path, where the expression is one and nothing else.
    public var plainPath: EventPath? {
        program.nodes[Int(program.root)].operation == .path ? paths.first : nil
    }

    /// The same expression for an evaluation over the paths of several: path *i* of ``paths`` is
    /// read from slot `slots[i]`.
    ///
    /// - Precondition: one slot for each path.
    public func placed(at slots: [Int]) -> UsageExpression {
        precondition(slots.count == paths.count && slots.allSatisfy { $0 >= 0 })
        return UsageExpression(moving: self, to: slots)
    }
}

extension UsageExpression: Hashable {
    /// Two expressions are equal that are spelled alike and expected to give the same.
    public static func == (one: UsageExpression, other: UsageExpression) -> Bool {
        one.text == other.text && one.expected == other.expected
            && one.program.excessDigits == other.program.excessDigits
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
