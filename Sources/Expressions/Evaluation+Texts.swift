import UsageModel
import WireFormat

extension Evaluation {
    /// The text that begins at `start` and ends where the arena does.
    func scratchText(from start: Int) -> Operand {
        let slice = ByteSlice(offset: UInt32(start), count: UInt32(arena.count - start))
        return Operand(text: slice, home: .scratch)
    }

    /// The text with its escapes resolved.
    @inline(__always)
    mutating func plain(_ operand: Operand) -> Operand {
        guard operand.hasEscapes else { return operand }
        let start = arena.count
        let range = operand.slice.range
        unsafe unescape(UnsafeRawBufferPointer(rebasing: event[range]), into: &arena)
        return scratchText(from: start)
    }

    /// What a part is as a text: a text; a number's canonical decimal; `true` or `false`. Nil for
    /// nothing.
    mutating func text(_ index: Int32) throws(ExpressionFault) -> Operand? {
        try text(try value(index), index)
    }

    private mutating func text(
        _ operand: Operand,
        _ index: Int32
    ) throws(ExpressionFault) -> Operand? {
        let start = arena.count
        switch operand.kind {
        case .missing, .null: return nil
        case .text: return plain(operand)
        case .bool:
            arena.append(contentsOf: (operand.isTrue ? "true" : "false").utf8)
        case .number, .spelled:
            guard case .success(let quantity) = reading(operand) else {
                throw fault(.outOfRange, index)
            }
            quantity.append(to: &arena)
        case .array, .object: throw fault(.notText, index)
        }
        return scratchText(from: start)
    }

    // MARK: Searches

    mutating func search(_ node: Node) throws(ExpressionFault) -> Bool {
        let whole = try value(node.first)
        if node.operation == .matches {
            guard let whole = try text(whole, node.first) else { return false }
            let pattern = program.patterns[Int(node.second)]
            return unsafe withBytes(of: whole) { unsafe pattern.matches($0) }
        }
        let part = try value(node.second)
        if node.operation == .contains, whole.kind == .array {
            return try isElement(part, node.second, of: whole, node.first)
        }
        let wholeText = try text(whole, node.first)
        let partText = try text(part, node.second)
        guard let whole = wholeText, let part = partText else { return false }
        return unsafe withBytes(of: whole) { whole in
            unsafe withBytes(of: part) { part in
                guard whole.count >= part.count else { return false }
                switch node.operation {
                case .startsWith:
                    return unsafe areEqual(.init(rebasing: whole[..<part.count]), part)
                case .endsWith:
                    let start = whole.count - part.count
                    return unsafe areEqual(.init(rebasing: whole[start...]), part)
                default: return unsafe Expressions.contains(whole, part)
                }
            }
        }
    }

    /// In code points, or elements; nil for nothing.
    mutating func length(_ node: Node) throws(ExpressionFault) -> Int128? {
        let mark = arena.count
        defer { release(mark) }
        let operand = try value(node.first)
        let count: Int
        if operand.kind == .array {
            count = self.count(of: operand)
        } else {
            guard let text = try text(operand, node.first) else { return nil }
            count = unsafe withBytes(of: text) { bytes in
                var count = 0
                // A plain loop: swift-format takes `for unsafe` apart.
                for place in 0..<bytes.count {
                    if unsafe bytes[place] & 0xc0 != 0x80 { count += 1 }
                }
                return count
            }
        }
        return Int128(count) * 1_000_000_000_000_000_000
    }

    // MARK: Computed texts

    mutating func computedText(_ node: Node) throws(ExpressionFault) -> Operand {
        if node.operation == .concat { return try joined(node) }
        guard let text = try text(node.first) else { return .missing }
        return node.operation == .trim ? trimmed(text) : try cased(text, node)
    }

    /// Without the space, tab and line ends at both ends; the same place, nothing copied.
    private func trimmed(_ text: Operand) -> Operand {
        var text = text
        let (start, end) = unsafe withBytes(of: text) { bytes in
            func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0d ~= byte }
            var (start, end) = (0, bytes.count)
            while start < end, unsafe isSpace(bytes[start]) { start += 1 }
            while end > start, unsafe isSpace(bytes[end - 1]) { end -= 1 }
            return (start, end)
        }
        text.slice.offset += UInt32(start)
        text.slice.count = UInt32(end - start)
        return text
    }

    private mutating func cased(_ text: Operand, _ node: Node) throws(ExpressionFault) -> Operand {
        guard text.slice.count <= Limits.expressionTextBytesMax else { throw tooLong(node) }
        let isLower = node.operation == .lower
        let start = arena.count
        let isASCII = unsafe withBytes(of: text) { bytes in
            unsafe bytes.allSatisfy { $0 < 0x80 }
        }
        guard isASCII else {
            let whole = unsafe withBytes(of: text) { unsafe String(decoding: $0, as: UTF8.self) }
            arena.append(contentsOf: (isLower ? whole.lowercased() : whole.uppercased()).utf8)
            if arena.count - start > Limits.expressionTextBytesMax { throw tooLong(node) }
            return scratchText(from: start)
        }
        append(text)
        let first = UInt8(ascii: isLower ? "A" : "a")
        for place in start..<arena.count where arena[place] &- first <= 25 {
            arena[place] ^= 0x20
        }
        return scratchText(from: start)
    }

    private mutating func append(_ text: Operand) {
        let range = text.slice.range
        if text.home == .scratch {
            arena.reserveCapacity(arena.count + range.count)
            for place in range { arena.append(arena[place]) }
            return
        }
        var arena: [UInt8] = []
        swap(&arena, &self.arena)
        unsafe withBytes(of: text) { unsafe arena.append(contentsOf: $0) }
        swap(&arena, &self.arena)
    }

    /// The texts one after the other; nothing adds nothing.
    private mutating func joined(_ node: Node) throws(ExpressionFault) -> Operand {
        let start = arena.count
        for place in 0..<Int32(node.count) {
            let end = arena.count
            guard let text = try text(operand(node.first + place)) else { continue }
            if end - start + Int(text.slice.count) > Limits.expressionTextBytesMax {
                throw tooLong(node)
            }
            if text.home == .scratch {
                // What was computed for it stands before it, or behind.
                arena.removeSubrange(text.slice.range.upperBound...)
                arena.removeSubrange(end..<text.slice.range.lowerBound)
            } else {
                release(end)
                append(text)
            }
        }
        return scratchText(from: start)
    }

    private func tooLong(_ node: Node) -> ExpressionFault {
        ExpressionFault(.textTooLong, offset: Int(node.start))
    }
}
