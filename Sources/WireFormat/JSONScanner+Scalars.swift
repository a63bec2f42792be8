import UsageModel

/// Numbers, literals, and what lies deeper than an event may be.
extension JSONScanner {
    /// Scans a number or literal, anything that is no string, object or array.
    @inline(__always)
    mutating func scalar(_ start: Int) -> Int {
        let byte = bytes[start]
        if Ascii.isDigit(byte) || byte == Ascii.minus { return number(start) }
        return literal(start)
    }

    @inline(never)
    private mutating func literal(_ start: Int) -> Int {
        if start + 4 <= end {
            let word = bytes.halfWord(start)
            if word == 0x6575_7274 || word == 0x6c6c_756e { return start + 4 }  // true, null
            if word == 0x736c_6166, start + 5 <= end, bytes[start + 4] == UInt8(ascii: "e") {
                return start + 5  // false
            }
        }
        return syntax(.value, at: start)
    }

    @inline(__always)
    private mutating func number(_ start: Int) -> Int {
        var at = bytes[start] == Ascii.minus ? start &+ 1 : start
        let first = bytes[at]
        guard Ascii.isDigit(first) else { return syntax(.digit, at: at) }
        at &+= 1
        if first == Ascii.zero {
            if Ascii.isDigit(bytes[at]) { return syntax(.leadingZero, at: at) }
        } else {
            while Ascii.isDigit(bytes[at]) { at &+= 1 }
        }
        if bytes[at] == Ascii.point {
            at &+= 1
            guard Ascii.isDigit(bytes[at]) else { return syntax(.digit, at: at) }
            repeat { at &+= 1 } while Ascii.isDigit(bytes[at])
        }
        if bytes[at] | 0x20 == UInt8(ascii: "e") {
            at = exponent(at, of: start)
            if at < 0 { return at }
        }
        if at &- start > Limits.numberBytesMax { note(.numberTooLong, at: start) }
        return at
    }

    @inline(never)
    private mutating func exponent(_ start: Int, of number: Int) -> Int {
        var at = start + 1
        if bytes[at] == Ascii.plus || bytes[at] == Ascii.minus { at += 1 }
        guard Ascii.isDigit(bytes[at]) else { return syntax(.digit, at: at) }
        var value = 0
        while Ascii.isDigit(bytes[at]) {
            value = min(value * 10 + Int(bytes[at] - Ascii.zero), Limits.numberExponentMax + 1)
            at += 1
        }
        if value > Limits.numberExponentMax { note(.numberOutOfRange, at: number) }
        return at
    }

    /// Scans a container that is one level too deep, as deep as it may go: its structure is
    /// checked, its names are not compared. Takes a bit of memory per level.
    @inline(never)
    mutating func tooDeepValue(_ start: Int) -> Int {
        note(.tooDeep, at: start)
        var at = start
        var open = BitStack()
        while true {
            let byte = bytes[at]
            if byte == Ascii.quote {
                let close = stringEnd(at + 1)
                if close.isFailed { return Self.failed }
                at = close.index + 1
            } else if byte | 0x20 == Ascii.openBrace {
                at = skipSpace(at + 1)
                if bytes[at] == byte + 2 {
                    at += 1
                } else {
                    open.push(byte == Ascii.openBrace)
                    if byte == Ascii.openBrace { at = nameOnly(at) }
                    if at < 0 { return at }
                    continue
                }
            } else {
                at = scalar(at)
                if at < 0 { return at }
            }
            while true {
                if open.isEmpty { return at }
                if at == end { return syntax(.unexpectedEnd, at: at) }
                at = skipSpace(at)
                if bytes[at] == Ascii.comma {
                    at = skipSpace(at + 1)
                    if open.top { at = nameOnly(at) }
                    if at < 0 { return at }
                    break
                }
                let close = open.top ? Ascii.closeBrace : Ascii.closeBracket
                guard bytes[at] == close else {
                    return syntax(open.top ? .commaOrBrace : .commaOrBracket, at: at)
                }
                open.pop()
                at += 1
            }
        }
    }

    private mutating func nameOnly(_ start: Int) -> Int {
        guard bytes[start] == Ascii.quote else { return syntax(.name, at: start) }
        let close = stringEnd(start + 1)
        return close.isFailed ? Self.failed : colon(close.index + 1)
    }
}

/// A stack of booleans, one bit each.
struct BitStack {
    private var words: [UInt64] = []
    private var count = 0

    var isEmpty: Bool { count == 0 }
    /// The one pushed last. There must be one.
    var top: Bool { words[(count - 1) >> 6] >> UInt64((count - 1) & 63) & 1 != 0 }

    mutating func push(_ bit: Bool) {
        if count & 63 == 0 { words.append(0) }
        if bit { words[count >> 6] |= 1 << UInt64(count & 63) }
        count += 1
    }

    mutating func pop() {
        count -= 1
        words[count >> 6] &= ~(1 << UInt64(count & 63))
        if count & 63 == 0 { words.removeLast() }
    }
}
