import MeteringTestKit

/// Changes bytes the way broken senders do, and worse; the same seed changes them alike.
struct Mutator {
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    private static let tokens: [[UInt8]] =
        [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "\\udc00", "\\u0000",
            "\\\"",
            "null", "true", "false", "-", "0", "1e", "1e999", "e1000", ".", "\n", "\r\n", " ", "\t",
            "\"id\"", "\"a\":", "\"time\":", "\"data\":", "2026-11-01T12:00:00Z", "+01:00", "[[[[",
            "{\"a\":{\"a\":", "00000000000000000000000000000000", "\"\"", ";",
        ].map { Array($0.utf8) } + [
            [0], [0x80], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xed, 0xa0, 0x80], [0xff],
            [0xef, 0xbb, 0xbf], [0x1f], [0x7f],
        ]

    mutating func draw(below limit: Int) -> Int { Int.random(in: 0..<limit, using: &generator) }

    mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...draw(below: 4) { change(&bytes) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        let place = draw(below: bytes.count + 1)
        let length = min(bytes.count - place, draw(below: 12))
        switch draw(below: 9) {
        case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(draw(below: 8))
        case 1 where place < bytes.count: bytes[place] = UInt8(draw(below: 256))
        case 2: bytes.removeSubrange(place..<place + length)
        case 3: bytes.insert(contentsOf: bytes[place..<place + length], at: place)
        case 4: bytes.removeLast(bytes.count - place)
        case 5:
            let target = draw(below: bytes.count + 1)
            bytes.insert(contentsOf: bytes[place..<place + length], at: target)
        case 6 where draw(below: 20) == 0:
            let token = Self.tokens[draw(below: Self.tokens.count)]
            for _ in 0..<draw(below: 300) { bytes.insert(contentsOf: token, at: place) }
        default: bytes.insert(contentsOf: Self.tokens[draw(below: Self.tokens.count)], at: place)
        }
    }
}
