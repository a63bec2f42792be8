/// An HTTP/1.1 answer as it grows; knows when it is whole.
struct HTTPAnswer: Sendable {
    private(set) var bytes: [UInt8] = []
    private var bodyStart: Int?
    private var contentLength: Int?

    mutating func reset() {
        bytes.removeAll(keepingCapacity: true)
        bodyStart = nil
        contentLength = nil
    }

    mutating func append(_ more: ArraySlice<UInt8>) { bytes.append(contentsOf: more) }

    var status: Int { bytes.count < 12 ? 0 : Int(decimal: bytes[9..<12]) ?? 0 }
    var body: ArraySlice<UInt8> { bytes[(bodyStart ?? bytes.count)...] }

    /// Whether head and body are here. Asked after each append; looks at the head once.
    mutating func isWhole() -> Bool {
        if bodyStart == nil { findHead() }
        guard let bodyStart else { return false }
        if let contentLength { return bytes.count >= bodyStart + contentLength }
        // Without a length the answer is chunked: the empty chunk ends it.
        return status == 204 || body.suffix(5).elementsEqual("0\r\n\r\n".utf8)
    }

    private mutating func findHead() {
        guard let start = bytes[...].end(of: "\r\n\r\n") else { return }
        bodyStart = start
        let head = bytes[..<start]
        // Servers spell the name in lower case or with capitals.
        let value = head.end(of: "\ncontent-length: ") ?? head.end(of: "\nContent-Length: ")
        if let value { contentLength = Int(decimal: head[value...].prefix { $0 != 13 }) }
    }

    /// The number after `"name":` in the body, or nil.
    func number(_ name: StaticString) -> Int? {
        var rest = body
        while let found = rest.end(of: name) {
            rest = rest[found...]
            // The name must stand as a member: in quotes, and before a colon.
            if rest.starts(with: [UInt8(ascii: "\""), UInt8(ascii: ":")]) {
                let isDigit: (UInt8) -> Bool = {
                    $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")
                }
                return Int(decimal: rest.dropFirst(2).prefix(while: isDigit))
            }
        }
        return nil
    }
}

extension ArraySlice<UInt8> {
    /// The index after the first occurrence of a text; the library's own search is 50 times slower.
    func end(of text: StaticString) -> Int? {
        let length = text.utf8CodeUnitCount
        guard length > 0, count >= length else { return nil }
        return unsafe withUnsafeBufferPointer { bytes -> Int? in
            let first = unsafe text.utf8Start[0]
            for start in 0...(bytes.count - length) where unsafe bytes[start] == first {
                var matched = 1
                while unsafe matched < length && bytes[start + matched] == text.utf8Start[matched] {
                    matched += 1
                }
                if matched == length { return startIndex + start + length }
            }
            return nil
        }
    }
}

extension Int {
    /// Digits, at most 18 of them.
    init?(decimal digits: ArraySlice<UInt8>) {
        guard !digits.isEmpty, digits.count <= 18 else { return nil }
        self = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            self = self * 10 + Int(digit - UInt8(ascii: "0"))
        }
    }
}

/// What the answers of a run said, summed.
struct AnswerTally: Sendable {
    var events = 0
    var requests = 0
    var received = 0
    var accepted = 0
    var duplicates = 0
    var conflicts = 0
    var rejected = 0
    /// Answers 503: sent again until let in.
    var refused = 0

    /// Counts an answer to so many events; throws when it is not a success that balances.
    mutating func count(_ answer: HTTPAnswer, events: Int) throws(BenchError) {
        guard answer.status == 200, answer.number("received") == events,
            let accepted = answer.number("accepted"),
            let duplicates = answer.number("duplicates"),
            let conflicts = answer.number("conflicts"), let rejected = answer.number("rejected"),
            accepted + duplicates + conflicts + rejected == events
        else {
            let text = String(decoding: answer.bytes.prefix(600), as: UTF8.self)
            throw BenchError("unexpected answer to \(events) events: \(text)")
        }
        self.events += events
        requests += 1
        received += events
        self.accepted += accepted
        self.duplicates += duplicates
        self.conflicts += conflicts
        self.rejected += rejected
    }

    mutating func merge(_ other: AnswerTally) {
        events += other.events
        requests += other.requests
        received += other.received
        accepted += other.accepted
        duplicates += other.duplicates
        conflicts += other.conflicts
        rejected += other.rejected
        refused += other.refused
    }
}
