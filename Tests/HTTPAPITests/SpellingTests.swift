import MeteringTestKit
import Testing
import UsageModel

@testable import HTTPAPI
@testable import WireFormat

@Suite("Spellings of addresses") struct SpellingTests {
    @Test(
        "percent-encoding is read back, and broken encoding is not",
        arguments: [
            ("plain", "plain"), ("a%2Fb", "a/b"), ("%E2%82%AC", "€"), ("a+b", "a+b"), ("", ""),
            ("%", nil), ("%2", nil), ("%zz", nil), ("%FF", nil), ("%C3%28", nil),
        ] as [(String, String?)]
    )
    func percent(text: String, decoded: String?) {
        #expect(PercentCoding.decode(text[...]) == decoded)
    }

    @Test("what is encoded decodes to itself, whatever it is", arguments: UInt64(1)...50)
    func percentRoundTrip(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let scalars = (0..<20).map { _ in
            Unicode.Scalar(UInt32.random(in: 0..<0xd800, using: &generator)) ?? " "
        }
        let text = String(String.UnicodeScalarView(scalars))

        let encoded = PercentCoding.encode(text)

        #expect(PercentCoding.decode(encoded[...]) == text, "seed \(seed)")
        #expect(!encoded.contains("/"))
    }

    @Test(
        "base64 is that of RFC 4648",
        arguments: [
            ("", "", ""), ("f", "Zg==", "Zg"), ("fo", "Zm8=", "Zm8"), ("foo", "Zm9v", "Zm9v"),
            ("foob", "Zm9vYg==", "Zm9vYg"), ("fooba", "Zm9vYmE=", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy", "Zm9vYmFy"), ("???>>>", "Pz8/Pj4+", "Pz8_Pj4-"),
        ]
    )
    func base64(plain: String, standard: String, url: String) {
        let bytes = Array(plain.utf8)

        #expect(Base64.encode(bytes, .standard) == standard)
        #expect(Base64.encode(bytes, .url) == url)
        #expect(Base64.decodeURL(url) == bytes)
    }

    @Test(
        "text that is no base64url is refused",
        arguments: ["a", "ab=", "a b", "ab+/", "ab", "é"]
    )
    func badBase64(text: String) {
        // "ab" has bits left over that are not zero.
        #expect(Base64.decodeURL(text) == nil)
    }

    @Test("a cursor gives back what went in, and nothing else is taken for it")
    func cursors() throws {
        var cursor = Cursor(.usage, fingerprint: 7)
        cursor.append(Int64.min)
        cursor.append("é")
        cursor.append(nil as String?)
        cursor.append("")
        cursor.append(UInt64.max)

        var read = try Cursor(cursor.text, .usage, fingerprint: 7)
        let number = try read.readSigned()
        let texts = [try read.readText(), try read.readText(), try read.readText()]
        let last = try read.readNumber()

        #expect(number == .min)
        #expect(texts == ["é", nil, ""])
        #expect(last == .max)
        #expect(read.isAtEnd)
        #expect(throws: Refusal.self) { try read.readNumber() }
        #expect(throws: Refusal.self) { try read.readText() }
        #expect(throws: Refusal.self) { try Cursor(cursor.text, .events, fingerprint: 7) }
        #expect(throws: Refusal.self) { try Cursor(cursor.text, .usage, fingerprint: 8) }
        #expect(throws: Refusal.self) { try Cursor("", .usage, fingerprint: 7) }
    }

    @Test("no bytes make reading a cursor trap", arguments: UInt64(1)...200)
    func cursorBytes(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 0..<40, using: &generator)
        let bytes =
            [2, 0, 0, 0, 0, 0, 0, 0, 7]
            + (0..<count).map { _ in UInt8.random(in: 0...3, using: &generator) }

        guard var cursor = try? Cursor(Base64.encode(bytes, .url), .usage, fingerprint: 7) else {
            Issue.record("seed \(seed)")
            return
        }
        while !cursor.isAtEnd {
            guard (try? cursor.readText()) != nil, (try? cursor.readNumber()) != nil else { break }
        }
    }

    @Test("flags, numbers and times are read, and what is left over is named")
    func query() throws {
        var query = try Query("a&b=false&c=7&d=2026-11-01T00:00:00+02:00&e=x%26y+z&pretty&f&g=1")
        let flags = [query.flag("a"), query.flag("b"), query.flag("none")]
        let number = query.number("c", in: 1...9, default: 1)
        let time = query.instant("d")
        let text = query.text("e")

        #expect(flags == [true, false, false])
        #expect(number == 7)
        #expect(time?.rfc3339 == "2026-10-31T22:00:00Z")
        #expect(text == "x&y z")
        let refusal = #expect(throws: Refusal.self) { try query.finish() }
        #expect(refusal?.type == .unknownParameter)
        #expect(refusal?.faults.map(\.pointer) == ["f", "g"])
        #expect(throws: Refusal.self) { try Query("a=%zz") }
    }
}
