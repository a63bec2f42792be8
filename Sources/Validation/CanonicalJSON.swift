internal import WireFormat

extension JSONValue {
    /// The same bytes for values that are equal by meaning, and other ones for all others: members
    /// by their names, numbers by their values (1.0 is 1), texts byte by byte.
    var canonical: [UInt8] {
        var bytes: [UInt8] = []
        appendCanonical(to: &bytes)
        return bytes
    }

    private func appendCanonical(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(UInt8(ascii: "n"))
        case .bool(let truth): bytes.append(UInt8(ascii: truth ? "t" : "f"))
        case .number(let spelling):
            bytes.append(UInt8(ascii: "d"))
            if let decimal = ExactDecimal(spelling) {
                bytes.append(UInt8(ascii: decimal.isNegative ? "-" : "+"))
                bytes += decimal.digits.map { $0 + 0x30 }
                bytes += "e\(decimal.exponent);".utf8
            } else {
                bytes += spelling.utf8
            }
        case .string(let text): Self.append(text, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for element in elements { element.appendCanonical(to: &bytes) }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object):
            bytes.append(UInt8(ascii: "{"))
            let members = object.members.sorted {
                $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
            }
            for member in members {
                Self.append(member.name, to: &bytes)
                member.value.appendCanonical(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// With the length before it, so that no two texts join to one.
    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes += "s\(text.utf8.count):".utf8
        bytes += text.utf8
    }
}
