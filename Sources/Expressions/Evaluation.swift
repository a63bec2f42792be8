import Metering
import UsageModel
import WireFormat

/// One evaluation: walks the nodes of a program, as deep as ``Limits/expressionDepthMax``.
///
/// The pointers are those of the call that made it and do not outlive it. Places in the event are
/// held against its bytes when a slot is read, so that no slot leads outside.
@safe struct Evaluation {
    let program: Program
    private let nodes: UnsafeBufferPointer<Node>
    private let operands: UnsafeBufferPointer<Int32>
    private let literals: UnsafeRawBufferPointer
    private let slots: UnsafeBufferPointer<PathValue>
    let event: UnsafeRawBufferPointer
    /// Texts that were computed; a stack that shrinks when what needed them is done.
    var arena: [UInt8] = []

    init(
        program: Program,
        nodes: UnsafeBufferPointer<Node>,
        operands: UnsafeBufferPointer<Int32>,
        literals: UnsafeRawBufferPointer,
        slots: UnsafeBufferPointer<PathValue>,
        event: UnsafeRawBufferPointer
    ) {
        self.program = program
        unsafe (self.nodes, self.operands, self.literals) = (nodes, operands, literals)
        unsafe (self.slots, self.event) = (slots, event)
    }

    @inline(__always)
    func node(_ index: Int32) -> Node { unsafe nodes[Int(index)] }

    @inline(__always)
    func operand(_ place: Int32) -> Int32 { unsafe operands[Int(place)] }

    // MARK: Values

    mutating func value(_ index: Int32) throws(ExpressionFault) -> Operand {
        let node = node(index)
        switch node.operation {
        case .path: return read(slot: node.first)
        case .text:
            let slice = ByteSlice(offset: UInt32(node.first), count: UInt32(node.second))
            return Operand(text: slice, home: .literal)
        case .number: return Operand(mantissa: program.numbers[Int(node.first)])
        case .bool: return Operand(node.first == 1)
        case .null: return Operand(kind: .null)
        case .coalesce:
            for place in 0..<Int32(node.count) {
                let operand = try value(self.operand(node.first + place))
                if !operand.isNothing { return operand }
            }
            return .missing
        case .choose:
            let holds = try holds(operand(node.first))
            return try value(operand(node.first + (holds ? 1 : 2)))
        case .lower, .upper, .trim, .concat: return try computedText(node)
        case .datePart where node.count == DatePart.date.rawValue: return try date(node)
        case .exists, .and, .or, .not, .equal, .notEqual, .less, .lessOrEqual, .greater,
            .greaterOrEqual, .startsWith, .endsWith, .contains, .isIn, .isInArray, .matches:
            return Operand(try condition(node, index))
        default: return Operand(mantissa: try computed(node))
        }
    }

    @inline(__always)
    private func read(slot: Int32) -> Operand { unsafe operand(of: slots[Int(slot)]) }

    @inline(__always)
    func operand(of value: PathValue) -> Operand {
        let start = Int(value.slice.offset)
        let end = start &+ Int(value.slice.count)
        guard unsafe end <= event.count else { return .missing }
        switch value.kind {
        case .missing: return .missing
        case .null: return Operand(kind: .null)
        case .bool: return unsafe Operand(end > start && event[start] == UInt8(ascii: "t"))
        case .number: return Operand(.spelled, value)
        case .string: return Operand(.text, value)
        case .array: return Operand(.array, value)
        case .object: return Operand(.object, value)
        }
    }

    // MARK: Conditions

    /// What a part is as a condition; nothing is false.
    mutating func holds(_ index: Int32) throws(ExpressionFault) -> Bool {
        let node = node(index)
        switch node.operation {
        case .path, .text, .number, .bool, .null, .coalesce, .choose:
            let operand = try value(index)
            if operand.kind == .bool { return operand.isTrue }
            guard operand.isNothing else { throw fault(.notBoolean, index) }
            return false
        default: return try condition(node, index)
        }
    }

    private mutating func condition(
        _ node: Node,
        _ index: Int32
    ) throws(ExpressionFault) -> Bool {
        switch node.operation {
        case .and:
            for place in 0..<Int32(node.count) {
                if try !holds(operand(node.first + place)) { return false }
            }
            return true
        case .or:
            for place in 0..<Int32(node.count) {
                if try holds(operand(node.first + place)) { return true }
            }
            return false
        case .not: return try !holds(node.first)
        case .exists: return unsafe slots[Int(node.first)].kind != .missing
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
            let mark = arena.count
            defer { release(mark) }
            return try compare(node)
        case .isIn:
            let mark = arena.count
            defer { release(mark) }
            return try isIn(node)
        case .isInArray:
            let mark = arena.count
            defer { release(mark) }
            let element = try value(node.first)
            return try isElement(element, node.first, of: try value(node.second), node.second)
        case .startsWith, .endsWith, .contains, .matches:
            let mark = arena.count
            defer { release(mark) }
            return try search(node)
        default: throw fault(.notBoolean, index)
        }
    }

    // MARK: Texts in memory

    /// Gives up the texts that were computed since; what they were needed for is done.
    @inline(__always)
    mutating func release(_ mark: Int) {
        if arena.count > mark { arena.removeSubrange(mark...) }
    }

    /// Calls `body` with the bytes of a text, as they stand.
    ///
    /// Bind what computes the text before asking for its bytes: a call that changes the arena
    /// within this one's arguments would leave it with the arena as it was.
    @inline(__always)
    func withBytes<Answer>(
        of operand: Operand,
        _ body: (UnsafeRawBufferPointer) -> Answer
    ) -> Answer {
        let range = operand.slice.range
        switch operand.home {
        case .event: return unsafe body(UnsafeRawBufferPointer(rebasing: event[range]))
        case .literal: return unsafe body(UnsafeRawBufferPointer(rebasing: literals[range]))
        case .scratch:
            precondition(range.upperBound <= arena.count)
            return unsafe arena.withUnsafeBytes { bytes in
                unsafe body(UnsafeRawBufferPointer(rebasing: bytes[range]))
            }
        }
    }

    func fault(_ reason: ExpressionFault.Reason, _ index: Int32) -> ExpressionFault {
        ExpressionFault(reason, offset: Int(node(index).start))
    }
}

extension Operand {
    @inline(__always)
    fileprivate init(_ kind: Kind, _ value: PathValue) {
        (self.kind, slice, hasEscapes) = (kind, value.slice, value.hasEscapes)
    }
}
