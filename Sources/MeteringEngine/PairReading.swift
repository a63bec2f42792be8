internal import Expressions
internal import UsageModel
internal import WireFormat

/// Adds the element that a pair of values is. Both must be there, and be scalars.
///
/// Two pairs are one where both halves are: text `"1"` and number `1` differ, numbers `1` and `1.0`
/// do not.
func appendPair(
    of program: TypePlan.Program,
    _ computed: ComputedParts?,
    _ slots: UnsafeMutableBufferPointer<PathValue>,
    _ raw: UnsafeRawBufferPointer,
    _ scratch: inout ExpressionScratch,
    key: SipHashKey,
    to elements: inout [KeyHash]
) -> UnreadableReason? {
    var identity: [UInt8] = []
    for half in [program.value, program.secondValue] {
        // The length before it, so that no two pairs join to one.
        let start = identity.count
        identity.append(contentsOf: repeatElement(0, count: MemoryLayout<UInt32>.size))
        var fault: UnreadableReason?
        if half.slot >= 0 {
            fault = unsafe appendIdentity(of: slots[half.slot], raw, to: &identity)
        } else if half.expression >= 0, let computed {
            let value = computed.values[half.expression]
            fault = unsafe appendIdentity(of: value, slots, raw, &scratch, to: &identity)
        } else {
            fault = .expressionInvalid
        }
        if let fault { return fault }
        let length = UInt32(truncatingIfNeeded: identity.count - start)
        for byte in 0..<MemoryLayout<UInt32>.size {
            identity[start + byte] = UInt8(truncatingIfNeeded: length >> (8 * UInt32(byte)))
        }
    }
    elements.append(unsafe identity.withUnsafeBytes { unsafe KeyHash(key: key, bytes: $0) })
    return nil
}
