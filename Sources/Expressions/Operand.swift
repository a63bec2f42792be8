import UsageModel
import WireFormat

/// A value under way: at most a slice and a number; never a copy of a text.
struct Operand {
    enum Kind: UInt8 {
        case missing, null, bool
        case number
        /// A number as it is spelled in the event, not yet read.
        case spelled
        case text, array, object
    }

    var mantissa: Int128 = 0
    // Not `ByteSlice.empty`, which is looked up each time.
    var slice = ByteSlice(offset: 0, count: 0)
    var kind: Kind
    var home = ExpressionText.Home.event
    /// Of a text of the event.
    var hasEscapes = false
    /// Of a boolean.
    var isTrue = false

    static var missing: Operand { Operand(kind: .missing) }

    @inline(__always)
    init(kind: Kind) { self.kind = kind }

    @inline(__always)
    init(_ bool: Bool) { (kind, isTrue) = (.bool, bool) }

    @inline(__always)
    init(mantissa: Int128?) {
        if let mantissa {
            (kind, self.mantissa) = (.number, mantissa)
        } else {
            kind = .missing
        }
    }

    @inline(__always)
    init(text slice: ByteSlice, home: ExpressionText.Home) {
        (kind, self.slice, self.home) = (.text, slice, home)
    }

    /// Missing and null are the same to everything but `exists`.
    @inline(__always)
    var isNothing: Bool { kind == .missing || kind == .null }

    var isNumber: Bool { kind == .number || kind == .spelled }
}
