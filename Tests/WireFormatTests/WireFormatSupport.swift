import UsageModel
import WireFormat

/// The library's calls over raw bytes, for arrays and strings.
func jsonEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    unsafe one.withUnsafeBytes { one in
        unsafe other.withUnsafeBytes { other in unsafe jsonValuesEqual(one, other) }
    }
}

func jsonEqual(_ one: String, _ other: String) -> Bool {
    jsonEqual(Array(one.utf8), Array(other.utf8))
}

func text(of bytes: [UInt8]) -> [UInt8] { unsafe bytes.withUnsafeBytes { unsafe unescape($0) } }

func readTime(_ bytes: [UInt8]) -> InstantReading {
    unsafe bytes.withUnsafeBytes { unsafe Instant.read(rfc3339: $0) }
}

extension PathSet {
    func values(in event: DecodedEvent, of bytes: [UInt8]) -> [PathValue] {
        var values = Array(repeating: PathValue.missing, count: count)
        unsafe values.withUnsafeMutableBufferPointer { slots in
            unsafe bytes.withUnsafeBytes { raw in
                unsafe extract(event, bytes: raw, into: slots)
            }
        }
        return values
    }
}

func elements(of array: PathValue, in bytes: [UInt8]) -> [PathValue] {
    var found: [PathValue] = []
    unsafe bytes.withUnsafeBytes { raw in
        unsafe forEachElement(of: array, in: raw) { found.append($0) }
    }
    return found
}

extension PathValue {
    /// The value, read the slow way; nil where it is missing.
    func document(in bytes: [UInt8]) -> JSONValue? {
        let part = Array(bytes[slice.range])
        if kind == .missing { return nil }
        if kind == .string {
            return .string(String(decoding: hasEscapes ? text(of: part) : part, as: UTF8.self))
        }
        return try? JSONValue.parse(part)
    }
}

extension JSONValue {
    /// What a path leads to, step by step.
    func value(at steps: ArraySlice<EventPath.Step>) -> JSONValue? {
        guard let step = steps.first else { return self }
        let next: JSONValue?
        switch step {
        case .member(let name): next = self[name]
        case .element(let index):
            next = arrayValue.flatMap { index < $0.count ? $0[index] : nil }
        }
        return next?.value(at: steps.dropFirst())
    }
}
