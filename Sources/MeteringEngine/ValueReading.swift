internal import UsageModel
internal import WireFormat

// How the value and the dimensions of a meter type are read from an event's bytes. The rules are
// documented in docs/reference/meter-types.md.

extension Contribution {
    /// Why the aggregation does not take a number that was read; nil where it does.
    var refusal: UnreadableReason? {
        aggregation == .counter && mantissa < 0 ? .valueNegative : nil
    }
}

/// Reads a number: a JSON number, or a text that spells one.
func readNumber(
    _ value: PathValue,
    _ raw: UnsafeRawBufferPointer,
    _ excessDigits: Quantity.ExcessDigits,
    _ contribution: inout Contribution
) -> UnreadableReason? {
    switch value.kind {
    case .missing, .null: return .valueMissing
    case .array, .object: return .valueNotScalar
    case .bool: return .valueNotNumber
    case .number, .string:
        // An escaped text is read as it stands; no number needs an escape to be spelled.
        let text = unsafe UnsafeRawBufferPointer(rebasing: raw[value.slice.range])
        switch unsafe Quantity.read(text, excessDigits: excessDigits) {
        case .success(let quantity):
            contribution.mantissa = quantity.mantissa
            return contribution.refusal
        case .failure(.notANumber): return .valueNotNumber
        case .failure(.outOfRange): return .valueOutOfRange
        case .failure(.excessDigits): return .valueExcessDigits
        }
    }
}

/// Adds the elements of a unique count: the scalar itself, or the scalars of an array.
///
/// A `null` in an array is no element, an element twice is one; text `"1"` and number `1` differ,
/// numbers `1` and `1.0` do not.
func appendElements(
    _ value: PathValue,
    _ raw: UnsafeRawBufferPointer,
    key: SipHashKey,
    to elements: inout [KeyHash]
) -> UnreadableReason? {
    switch value.kind {
    case .missing, .null: return .valueMissing
    case .object: return .valueNotScalar
    case .bool, .number, .string:
        guard let element = unsafe elementHash(value, raw, key: key) else {
            return .valueOutOfRange
        }
        elements.append(element)
        return nil
    case .array:
        let first = elements.count
        var fault: UnreadableReason?
        unsafe forEachElement(of: value, in: raw) { element in
            guard fault == nil, element.kind != .null else { return }
            if element.kind == .array || element.kind == .object {
                fault = .valueNotScalar
            } else if elements.count - first >= Limits.uniqueElementsPerEventMax {
                fault = .tooManyElements
            } else if let hash = unsafe elementHash(element, raw, key: key) {
                elements.append(hash)
            } else {
                fault = .valueOutOfRange
            }
        }
        guard fault == nil else { return fault }
        let distinct = Array(Set(elements[first...])).sorted()
        elements.replaceSubrange(first..., with: distinct)
        return nil
    }
}

private func elementHash(
    _ value: PathValue,
    _ raw: UnsafeRawBufferPointer,
    key: SipHashKey
) -> KeyHash? {
    var identity: [UInt8] = []
    guard unsafe appendIdentity(of: value, raw, to: &identity) == nil else { return nil }
    return unsafe identity.withUnsafeBytes { unsafe KeyHash(key: key, bytes: $0) }
}

/// Adds the identity of a scalar: its kind and its value, however it is spelled.
func appendIdentity(
    of value: PathValue,
    _ raw: UnsafeRawBufferPointer,
    to identity: inout [UInt8]
) -> UnreadableReason? {
    let text = unsafe UnsafeRawBufferPointer(rebasing: raw[value.slice.range])
    switch value.kind {
    case .missing, .null: return .valueMissing
    case .array, .object: return .valueNotScalar
    case .number:
        guard case .success(let quantity) = unsafe Quantity.read(text, excessDigits: .round) else {
            return .valueOutOfRange
        }
        identity.append(UInt8(ascii: "n"))
        quantity.append(to: &identity)
    case .string where value.hasEscapes:
        identity.append(UInt8(ascii: "s"))
        unsafe identity.append(contentsOf: unescape(text))
    case .string:
        identity.append(UInt8(ascii: "s"))
        unsafe identity.append(contentsOf: text)
    case .bool:
        identity.append(UInt8(ascii: "b"))
        unsafe identity.append(contentsOf: text)
    }
    return nil
}

/// Adds the value of a dimension as JSON: a string, or `null` where the event has none. A number is
/// its canonical decimal as a string, so that `1` and `1.0` are one value.
func appendDimension(
    _ value: PathValue,
    _ raw: UnsafeRawBufferPointer,
    to tuple: inout [UInt8]
) -> UnreadableReason? {
    let quote = UInt8(ascii: "\"")
    switch value.kind {
    case .missing, .null:
        tuple.append(contentsOf: [0x6E, 0x75, 0x6C, 0x6C])
        return nil
    case .array, .object: return .dimensionNotScalar
    case .bool:
        tuple.append(quote)
        unsafe tuple.append(contentsOf: raw[value.slice.range])
    case .number:
        let text = unsafe UnsafeRawBufferPointer(rebasing: raw[value.slice.range])
        guard case .success(let quantity) = unsafe Quantity.read(text, excessDigits: .round) else {
            return .valueOutOfRange
        }
        tuple.append(quote)
        quantity.append(to: &tuple)
    case .string where !value.hasEscapes:
        if Int(value.slice.count) > Limits.dimensionValueBytesMax { return .dimensionTooLong }
        tuple.append(quote)
        unsafe tuple.append(contentsOf: raw[value.slice.range])
    case .string:
        let text = unsafe UnsafeRawBufferPointer(rebasing: raw[value.slice.range])
        let plain = unsafe unescape(text)
        if plain.count > Limits.dimensionValueBytesMax { return .dimensionTooLong }
        // Written anew, so that two spellings of one text are one value.
        var writer = JSONWriter()
        writer.string(String(decoding: plain, as: UTF8.self))
        tuple.append(contentsOf: writer.bytes)
        return nil
    }
    tuple.append(quote)
    return nil
}
