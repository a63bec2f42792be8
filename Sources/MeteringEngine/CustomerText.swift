public import UsageModel

/// What a customer is found by, in one piece: its key, name, external reference and subjects, those
/// it owned before too, in small letters.
public struct CustomerText: Sendable {
    /// Between two of them: a byte that no UTF-8 has, so that nothing is found across.
    private static let between: UInt8 = 0xFF

    private let bytes: [UInt8]

    public init(_ customer: CustomerDefinition) {
        var bytes: [UInt8] = []
        for text in [customer.key.text, customer.name, customer.externalRef] {
            bytes.append(contentsOf: text.lowercased().utf8)
            bytes.append(Self.between)
        }
        for ownership in customer.subjects {
            bytes.append(contentsOf: ownership.subject.lowercased().utf8)
            bytes.append(Self.between)
        }
        self.bytes = bytes
    }

    public var count: Int { bytes.count }

    /// What is looked for, as it is compared.
    public static func wanted(_ text: String) -> [UInt8] { Array(text.lowercased().utf8) }

    /// Whether any of it holds a text.
    ///
    /// - Parameter wanted: See ``wanted(_:)``; empty is held by all.
    /// - Complexity: O(bytes), some nanosecond for each.
    public func holds(_ wanted: [UInt8]) -> Bool {
        guard let first = wanted.first else { return true }
        guard bytes.count >= wanted.count else { return false }
        for start in 0...(bytes.count - wanted.count) where bytes[start] == first {
            var length = 1
            while length < wanted.count, bytes[start + length] == wanted[length] { length += 1 }
            if length == wanted.count { return true }
        }
        return false
    }
}
