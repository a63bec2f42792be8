import UsageModel
public import WireFormat

extension UsageExpression {
    /// How many places of the event an explanation shows.
    private static let shownPathsMax = 4
    /// How much of each, in bytes.
    private static let shownBytesMax = 64

    /// Why a filter does not hold, in a sentence; nil where it does.
    ///
    /// Names the smallest part of an `and` that is false, and what the event has there:
    /// `filter: source == "gateway-us" is false (source is "gateway-eu")`.
    ///
    /// - Parameters: As of ``evaluate(_:in:_:)``.
    public func explain(
        _ slots: UnsafeBufferPointer<PathValue>,
        in bytes: UnsafeRawBufferPointer,
        _ scratch: inout ExpressionScratch
    ) -> String? {
        let cause = try? unsafe evaluating(slots, bytes, &scratch) {
            (evaluation) throws(ExpressionFault) in
            evaluation.cause(program.root)
        }
        guard let cause = cause ?? nil else { return nil }
        let node = program.nodes[Int(cause.node)]
        let part = spelled(Int(node.start), Int(node.end))
        let found = unsafe found(in: Int(node.start)..<Int(node.end), slots, bytes)
        var sentence = "filter: \(part) "
        if let fault = cause.fault {
            sentence += "has no value: \(fault.reason.rawValue) at column \(column(fault.offset))"
        } else {
            sentence += "is false"
        }
        return found.isEmpty ? sentence : sentence + " (" + found.joined(separator: ", ") + ")"
    }

    /// The place of a fault for people: characters of ``text``, from 1.
    public func column(_ offset: Int) -> Int {
        String(decoding: text.utf8.prefix(offset), as: UTF8.self).count + 1
    }

    private func spelled(_ start: Int, _ end: Int) -> String {
        String(decoding: text.utf8.dropFirst(start).prefix(end - start), as: UTF8.self)
    }

    /// What the event has at the paths of a part of the text.
    private func found(
        in range: Range<Int>,
        _ slots: UnsafeBufferPointer<PathValue>,
        _ bytes: UnsafeRawBufferPointer
    ) -> [String] {
        var seen: Set<Int32> = []
        var found: [String] = []
        for node in program.nodes where node.operation == .path || node.operation == .exists {
            guard range.contains(Int(node.start)), found.count < Self.shownPathsMax,
                seen.insert(node.first).inserted, node.operation == .path
            else { continue }
            let value = unsafe slots[Int(node.first)]
            let name = spelled(Int(node.start), Int(node.end))
            found.append("\(name) is \(unsafe shown(value, bytes))")
        }
        return found
    }

    private func shown(_ value: PathValue, _ bytes: UnsafeRawBufferPointer) -> String {
        guard value.kind != .missing, value.slice.range.upperBound <= bytes.count else {
            return "missing"
        }
        var shown = unsafe bytes[value.slice.range].prefix(Self.shownBytesMax)
        let isWhole = unsafe shown.count == value.slice.range.count
        if !isWhole {
            // Whole characters only.
            while let last = unsafe shown.last, last & 0xc0 == 0x80 { unsafe shown.removeLast() }
            if let last = unsafe shown.last, last >= 0xc0 { unsafe shown.removeLast() }
        }
        let text = unsafe String(decoding: shown, as: UTF8.self) + (isWhole ? "" : "…")
        return value.kind == .string ? "\"\(text)\"" : text
    }
}

extension Evaluation {
    /// The smallest part that makes a condition false, or a fault; nil where it holds.
    fileprivate mutating func cause(
        _ index: Int32
    ) -> (node: Int32, fault: ExpressionFault?)? {
        let node = node(index)
        if node.operation == .and {
            for place in 0..<Int32(node.count) {
                if let cause = cause(operand(node.first + place)) { return cause }
            }
            return nil
        }
        do throws(ExpressionFault) {
            return try holds(index) ? nil : (index, nil)
        } catch {
            return (index, error)
        }
    }
}
