internal import Expressions
internal import UsageModel
internal import WireFormat

// How filters, computed values and computed dimensions are read. The rules are documented in
// docs/reference/expressions.md; those of what is not computed are in ValueReading.swift.

extension UnreadableReason {
    init(_ fault: ExpressionFault) {
        self =
            switch fault.reason {
            case .divisionByZero: .expressionDivisionByZero
            case .outOfRange: .expressionOutOfRange
            case .excessDigits: .expressionExcessDigits
            case .textTooLong: .expressionTextTooLong
            case .notNumber, .notBoolean, .notText, .notTime, .notArray, .notScalar:
                .expressionWrongType
            }
    }
}

/// What the filters of a plan say of one event; each is asked at most once, and only if needed.
struct FilterVerdicts {
    enum Verdict: Hashable {
        case unknown, holds, fails
        case unreadable(UnreadableReason)
    }

    private var verdicts: [Verdict] = []

    /// Forgets the event before.
    mutating func begin(_ count: Int) {
        verdicts.removeAll(keepingCapacity: true)
        for _ in 0..<count { verdicts.append(.unknown) }
    }

    mutating func verdict(
        _ place: Int,
        of filters: [UsageExpression],
        _ slots: UnsafeMutableBufferPointer<PathValue>,
        _ raw: UnsafeRawBufferPointer,
        _ scratch: inout ExpressionScratch
    ) -> Verdict {
        if verdicts[place] != .unknown { return verdicts[place] }
        do throws(ExpressionFault) {
            let holds = try unsafe filters[place].holds(
                UnsafeBufferPointer(slots),
                in: raw,
                &scratch
            )
            verdicts[place] = holds ? .holds : .fails
        } catch {
            verdicts[place] = .unreadable(UnreadableReason(error))
        }
        return verdicts[place]
    }
}

/// Computes a number.
func readNumber(
    _ value: UsageExpression,
    _ slots: UnsafeMutableBufferPointer<PathValue>,
    _ raw: UnsafeRawBufferPointer,
    _ scratch: inout ExpressionScratch,
    _ contribution: inout Contribution
) -> UnreadableReason? {
    switch unsafe value.evaluate(UnsafeBufferPointer(slots), in: raw, &scratch) {
    case .number(let quantity):
        contribution.mantissa = quantity.mantissa
        return contribution.refusal
    case .missing: return .valueMissing
    case .fault(let fault): return UnreadableReason(fault)
    case .bool, .text: return .expressionWrongType
    }
}

/// Adds the one element of a unique count that is computed; it is the same element as one that
/// stands in an event with the same kind and value.
func appendElement(
    _ value: UsageExpression,
    _ slots: UnsafeMutableBufferPointer<PathValue>,
    _ raw: UnsafeRawBufferPointer,
    _ scratch: inout ExpressionScratch,
    key: SipHashKey,
    to elements: inout [KeyHash]
) -> UnreadableReason? {
    var identity: [UInt8] = []
    if let fault = unsafe appendIdentity(of: value, slots, raw, &scratch, to: &identity) {
        return fault
    }
    elements.append(unsafe identity.withUnsafeBytes { unsafe KeyHash(key: key, bytes: $0) })
    return nil
}

/// Adds the identity of what is computed, which is that of what stands in an event with the same
/// kind and value.
func appendIdentity(
    of value: UsageExpression,
    _ slots: UnsafeMutableBufferPointer<PathValue>,
    _ raw: UnsafeRawBufferPointer,
    _ scratch: inout ExpressionScratch,
    to identity: inout [UInt8]
) -> UnreadableReason? {
    switch unsafe value.evaluate(UnsafeBufferPointer(slots), in: raw, &scratch) {
    case .missing: return .valueMissing
    case .fault(let fault): return UnreadableReason(fault)
    case .number(let quantity):
        identity.append(UInt8(ascii: "n"))
        quantity.append(to: &identity)
    case .bool(let isTrue): identity.append(contentsOf: isTrue ? "btrue".utf8 : "bfalse".utf8)
    case .text(let text):
        identity.append(UInt8(ascii: "s"))
        unsafe value.withBytes(of: text, in: raw, scratch) { bytes in
            unsafe identity.append(contentsOf: bytes)
        }
    }
    return nil
}

/// Adds the value of a dimension that is computed, spelled as one that stands in an event.
func appendDimension(
    _ value: UsageExpression,
    _ slots: UnsafeMutableBufferPointer<PathValue>,
    _ raw: UnsafeRawBufferPointer,
    _ scratch: inout ExpressionScratch,
    to tuple: inout [UInt8]
) -> UnreadableReason? {
    let quote = UInt8(ascii: "\"")
    switch unsafe value.evaluate(UnsafeBufferPointer(slots), in: raw, &scratch) {
    case .fault(let fault): return UnreadableReason(fault)
    case .missing: tuple.append(contentsOf: "null".utf8)
    case .number(let quantity):
        tuple.append(quote)
        quantity.append(to: &tuple)
        tuple.append(quote)
    case .bool(let isTrue):
        tuple.append(contentsOf: isTrue ? "\"true\"".utf8 : "\"false\"".utf8)
    case .text(let text):
        return unsafe value.withBytes(of: text, in: raw, scratch) { bytes in
            if bytes.count > Limits.dimensionValueBytesMax { return .dimensionTooLong }
            let needsEscapes = unsafe bytes.contains { $0 < 0x20 || $0 == quote || $0 == 0x5C }
            if needsEscapes {
                var writer = JSONWriter()
                unsafe writer.string(bytes)
                tuple.append(contentsOf: writer.bytes)
            } else {
                tuple.append(quote)
                unsafe tuple.append(contentsOf: bytes)
                tuple.append(quote)
            }
            return nil
        }
    }
    return nil
}

/// The arrivals of a batch as texts behind its bytes: to an expression they are the time of events
/// that state none.
struct ArrivalTexts {
    private(set) var bytes: [UInt8]
    private var slices: [ByteSlice] = []

    /// - Parameter arrivals: Of each event, or of all.
    init(behind bytes: [UInt8], _ arrivals: [Instant]) {
        self.bytes = bytes
        slices.reserveCapacity(arrivals.count)
        var last: Instant?
        for arrival in arrivals {
            if let slice = slices.last, arrival == last {
                slices.append(slice)
                continue
            }
            last = arrival
            let text = arrival.rfc3339.utf8
            let offset = UInt32(self.bytes.count)
            slices.append(ByteSlice(offset: offset, count: UInt32(text.count)))
            self.bytes.append(contentsOf: text)
        }
    }

    subscript(index: Int) -> PathValue {
        PathValue(kind: .string, slice: slices[slices.count == 1 ? 0 : index])
    }
}
