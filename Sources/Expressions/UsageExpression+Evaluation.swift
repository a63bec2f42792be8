import UsageModel
public import WireFormat

extension UsageExpression {
    /// The value for an event.
    ///
    /// - Parameters:
    ///   - slots: What ``PathSet/extract(_:bytes:into:)`` found, at least as far as the slots go.
    ///   - bytes: The bytes of the batch that the slots point into.
    ///   - scratch: Of this thread; computed texts are in it until it is used again.
    /// - Returns: What ``expected`` says, `missing`, or a fault. A filter is never missing: nothing
    ///   is false.
    /// - Complexity: O(parts, and bytes of the texts they look at). Allocates only as the scratch
    ///   grows, and for `lower` and `upper` of texts that are not ASCII.
    public func evaluate(
        _ slots: UnsafeBufferPointer<PathValue>,
        in bytes: UnsafeRawBufferPointer,
        _ scratch: inout ExpressionScratch
    ) -> ExpressionResult {
        do throws(ExpressionFault) {
            return try unsafe evaluating(slots, bytes, &scratch) {
                (evaluation) throws(ExpressionFault) in
                try evaluation.result(expected)
            }
        } catch {
            return .fault(error)
        }
    }

    /// The value of a filter; ``evaluate(_:in:_:)`` for where the answer is yes or no.
    ///
    /// - Precondition: ``expected`` is `bool`.
    public func holds(
        _ slots: UnsafeBufferPointer<PathValue>,
        in bytes: UnsafeRawBufferPointer,
        _ scratch: inout ExpressionScratch
    ) throws(ExpressionFault) -> Bool {
        precondition(expected == .bool)
        return try unsafe evaluating(slots, bytes, &scratch) {
            (evaluation) throws(ExpressionFault) in
            try evaluation.holds(evaluation.program.root)
        }
    }

    /// Calls `body` with a text that this expression gave, escapes resolved.
    ///
    /// - Parameters:
    ///   - bytes: Those of the evaluation.
    ///   - scratch: That of the evaluation, not used since.
    public func withBytes<Answer>(
        of text: ExpressionText,
        in bytes: UnsafeRawBufferPointer,
        _ scratch: borrowing ExpressionScratch,
        _ body: (UnsafeRawBufferPointer) -> Answer
    ) -> Answer {
        let range = text.slice.range
        switch text.home {
        case .event:
            let slice = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
            guard text.hasEscapes else { return unsafe body(slice) }
            return unsafe unescape(slice).withUnsafeBytes { unsafe body($0) }
        case .literal:
            return unsafe program.literals.withUnsafeBytes { literals in
                unsafe body(UnsafeRawBufferPointer(rebasing: literals[range]))
            }
        case .scratch:
            return unsafe scratch.bytes.withUnsafeBytes { scratch in
                unsafe body(UnsafeRawBufferPointer(rebasing: scratch[range]))
            }
        }
    }

    @inline(__always)
    func evaluating<Answer>(
        _ slots: UnsafeBufferPointer<PathValue>,
        _ bytes: UnsafeRawBufferPointer,
        _ scratch: inout ExpressionScratch,
        _ body: (inout Evaluation) throws(ExpressionFault) -> Answer
    ) throws(ExpressionFault) -> Answer {
        try unsafe program.nodes.withUnsafeBufferPointer {
            (nodes) throws(ExpressionFault) in
            try unsafe program.operands.withUnsafeBufferPointer {
                (operands) throws(ExpressionFault) in
                try unsafe program.literals.withUnsafeBufferPointer {
                    (literals) throws(ExpressionFault) in
                    var evaluation = unsafe Evaluation(
                        program: program,
                        nodes: nodes,
                        operands: operands,
                        literals: UnsafeRawBufferPointer(literals),
                        slots: slots,
                        event: bytes
                    )
                    scratch.clear()
                    swap(&evaluation.arena, &scratch.bytes)
                    defer { swap(&evaluation.arena, &scratch.bytes) }
                    return try body(&evaluation)
                }
            }
        }
    }
}

extension Evaluation {
    fileprivate mutating func result(
        _ expected: ExpectedResult
    ) throws(ExpressionFault) -> ExpressionResult {
        let root = program.root
        if expected == .bool { return .bool(try holds(root)) }
        let operand = try value(root)
        if operand.isNothing { return .missing }
        if expected == .number {
            guard let mantissa = try number(operand, root) else { return .missing }
            return .number(Quantity(mantissa: mantissa))
        }
        switch operand.kind {
        case .bool: return .bool(operand.isTrue)
        case .text:
            return .text(
                ExpressionText(
                    home: operand.home,
                    hasEscapes: operand.hasEscapes,
                    slice: operand.slice
                )
            )
        case .number, .spelled:
            guard let mantissa = try number(operand, root) else { return .missing }
            return .number(Quantity(mantissa: mantissa))
        default: throw fault(.notScalar, root)
        }
    }
}
