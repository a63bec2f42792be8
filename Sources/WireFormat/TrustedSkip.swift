/// Steps over JSON that was validated before: fast, and inside the bytes whatever they are.

/// The closing quote of the string whose content begins at `start`; `end` if there is none.
@inline(__always)
func trustedStringEnd(_ bytes: RawBytes, _ start: Int, end: Int) -> Int {
    var at = start
    while at &+ 8 <= end {
        let marks = Lanes.quoteOrBackslash(bytes.word(at))
        if marks == 0 {
            at &+= 8
            continue
        }
        at &+= Lanes.first(marks)
        if bytes[at] == Ascii.quote { return at }
        at &+= 2  // the backslash and what it escapes
    }
    while at < end {
        if bytes[at] == Ascii.quote { return at }
        at &+= bytes[at] == Ascii.backslash ? 2 : 1
    }
    return end
}

/// The first byte from `start` on that is no space; `end` if there is none.
@inline(__always)
func trustedSpaceEnd(_ bytes: RawBytes, _ start: Int, end: Int) -> Int {
    var at = start
    while at < end, bytes[at] <= 0x20 { at &+= 1 }
    return at
}

/// The place behind the value that begins at `start`; at most `end`.
@inline(__always)
func trustedValueEnd(_ bytes: RawBytes, _ start: Int, end: Int) -> Int {
    guard start < end else { return end }
    let byte = bytes[start]
    if byte == Ascii.quote { return min(trustedStringEnd(bytes, start &+ 1, end: end) &+ 1, end) }
    if byte | 0x20 == Ascii.openBrace { return trustedContainerEnd(bytes, start, end: end) }
    var at = start &+ 1
    while at < end {
        let byte = bytes[at]
        // Comma, closing brace and bracket, spaces: what may follow a number or literal.
        if byte == Ascii.comma || byte | 0x20 == Ascii.closeBrace || byte <= 0x20 { break }
        at &+= 1
    }
    return at
}

/// The place behind the container whose opening brace or bracket is at `start`.
func trustedContainerEnd(_ bytes: RawBytes, _ start: Int, end: Int) -> Int {
    closing(bytes, start &+ 1, depth: 1, end: end)
}

/// The place behind the brace or bracket that closes `depth` open containers, from inside them.
@inline(never)
func closing(_ bytes: RawBytes, _ start: Int, depth: Int, end: Int) -> Int {
    var at = start
    var depth = depth
    while at < end {
        let byte = bytes[at]
        if byte == Ascii.quote {
            at = trustedStringEnd(bytes, at &+ 1, end: end)
        } else if byte | 0x20 == Ascii.openBrace {
            depth &+= 1
        } else if byte | 0x20 == Ascii.closeBrace {
            depth &-= 1
            if depth == 0 { return at &+ 1 }
        }
        at &+= 1
    }
    return end
}
