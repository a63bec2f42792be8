import UsageModel
import WireFormat

/// How two values stand to each other.
private enum Relation {
    case less, equal, greater
    /// Both nothing, or the same boolean: equal, but in no order.
    case alike
    case unlike
}

extension Evaluation {
    mutating func compare(_ node: Node) throws(ExpressionFault) -> Bool {
        let left = try value(node.first)
        let right = try value(node.second)
        switch node.operation {
        case .equal: return try isEqual(left, right, node.first, node.second)
        case .notEqual: return try !isEqual(left, right, node.first, node.second)
        default: break
        }
        let relation = try relation(left, right, node.first, node.second)
        switch node.operation {
        case .less: return relation == .less
        case .lessOrEqual: return relation == .less || relation == .equal
        case .greater: return relation == .greater
        default: return relation == .greater || relation == .equal
        }
    }

    /// - Parameters:
    ///   - leftNode: Whose fault it is where the left side is a number that does not fit.
    ///   - rightNode: The same for the right side.
    mutating func isEqual(
        _ left: Operand,
        _ right: Operand,
        _ leftNode: Int32,
        _ rightNode: Int32
    ) throws(ExpressionFault) -> Bool {
        if left.kind == .text, right.kind == .text, !left.hasEscapes, !right.hasEscapes {
            guard left.slice.count == right.slice.count else { return false }
            return unsafe withBytes(of: left) { one in
                unsafe withBytes(of: right) { other in unsafe areEqual(one, other) }
            }
        }
        switch try relation(left, right, leftNode, rightNode) {
        case .equal, .alike: return true
        case .less, .greater, .unlike: return false
        }
    }

    private mutating func relation(
        _ left: Operand,
        _ right: Operand,
        _ leftNode: Int32,
        _ rightNode: Int32
    ) throws(ExpressionFault) -> Relation {
        if left.isNothing || right.isNothing {
            return left.isNothing && right.isNothing ? .alike : .unlike
        }
        switch (left.kind, right.kind) {
        case (.bool, .bool): return left.isTrue == right.isTrue ? .alike : .unlike
        case (.text, .text):
            let (one, other) = (plain(left), plain(right))
            return order(one, other)
        case (.number, .number): return order(left.mantissa, right.mantissa)
        case (.number, .text), (.number, .spelled), (.spelled, .text), (.spelled, .spelled),
            (.spelled, .number), (.text, .number), (.text, .spelled):
            // A text that spells no number is unlike any number, also one that does not fit.
            let one = reading(left)
            let other = reading(right)
            // Patterns, not ==: that of `Result` is generic, and costs more than all the rest.
            if case .failure(.notANumber) = one { return .unlike }
            if case .failure(.notANumber) = other { return .unlike }
            guard case .success(let leftQuantity) = one else { throw fault(.outOfRange, leftNode) }
            guard case .success(let rightQuantity) = other else {
                throw fault(.outOfRange, rightNode)
            }
            return order(leftQuantity.mantissa, rightQuantity.mantissa)
        default: return .unlike
        }
    }

    @inline(__always)
    private func order(_ one: Int128, _ other: Int128) -> Relation {
        one < other ? .less : one == other ? .equal : .greater
    }

    /// By the bytes of UTF-8, which is the order of code points.
    private func order(_ one: Operand, _ other: Operand) -> Relation {
        unsafe withBytes(of: one) { one in
            unsafe withBytes(of: other) { other in
                let common = min(one.count, other.count)
                for place in 0..<common {
                    let (left, right) = unsafe (one[place], other[place])
                    if left != right { return left < right ? .less : .greater }
                }
                return one.count == other.count
                    ? .equal : one.count < other.count ? .less : .greater
            }
        }
    }

    // MARK: Membership

    mutating func isIn(_ node: Node) throws(ExpressionFault) -> Bool {
        var left = try value(node.first)
        // Unescaped and read once, not for each element.
        if left.kind == .text { left = plain(left) }
        for place in 0..<Int32(node.count) {
            let element = operand(node.second + place)
            let mark = arena.count
            defer { release(mark) }
            if try isEqual(left, try value(element), node.first, element) { return true }
        }
        return false
    }

    /// Whether an array of the event holds an element; nothing holds nothing.
    mutating func isElement(
        _ element: Operand,
        _ elementNode: Int32,
        of array: Operand,
        _ arrayNode: Int32
    ) throws(ExpressionFault) -> Bool {
        if array.isNothing { return false }
        guard array.kind == .array else { throw fault(.notArray, arrayNode) }
        let element = element.kind == .text ? plain(element) : element
        let whole = PathValue(kind: .array, slice: array.slice)
        var elements = unsafe ArrayElements(whole, in: event)
        while let next = elements.next() {
            let mark = arena.count
            defer { release(mark) }
            let operand = operand(of: next)
            if try isEqual(element, operand, elementNode, arrayNode) { return true }
        }
        return false
    }

    func count(of array: Operand) -> Int {
        let whole = PathValue(kind: .array, slice: array.slice)
        var elements = unsafe ArrayElements(whole, in: event)
        var count = 0
        while elements.next() != nil { count += 1 }
        return count
    }
}

/// Whether two stretches of the same length hold the same bytes.
@inline(__always)
func areEqual(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
    let count = one.count
    guard count == other.count else { return false }
    var at = 0
    while at &+ 8 <= count {
        let left = unsafe one.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        let right = unsafe other.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        if left != right { return false }
        at &+= 8
    }
    while at < count {
        if unsafe one[at] != other[at] { return false }
        at &+= 1
    }
    return true
}
