import MeteringTestKit
import Testing
import UsageModel

@Suite("Names of meters") struct MeterIDTests {
    @Test(
        "a name is the key and the subject, fit for an address",
        arguments: [
            ("tokens-in", "acme", "tokens-in~acme"),
            ("p.1_x", "A-z0.9_", "p.1_x~A-z0.9_"),
            ("p", "floor 3/room", "p~floor~203~2Froom"),
            ("p", "~", "p~~7E"), ("p", "ü%", "p~~C3~BC~25"),
        ]
    )
    func spelled(key: String, subject: String, text: String) throws {
        let key = try #require(MeterTypeKey(key))
        let id = try #require(MeterID(meterType: key, subject: subject))

        #expect(id.text == text)
        #expect(MeterID(text) == id)
    }

    @Test(
        "what is spelled otherwise names nothing",
        arguments: [
            "", "~", "p", "p~", "~a", "P~a", "p~~2", "p~~", "p~~zz", "p~~2f", "p~~61", "p~a b",
            "p~~FF", "p~ü", "p~a~",
        ]
    )
    func refused(text: String) { #expect(MeterID(text) == nil) }

    @Test("any subject comes back from its name")
    func roundTrip() throws {
        let seed: UInt64 = 20_261_123
        var generator = SeededGenerator(seed: seed)
        let key = try #require(MeterTypeKey("k.e-y_"))
        for round in 0..<2_000 {
            let count = Int.random(in: 1...40, using: &generator)
            let scalars = (0..<count).compactMap { _ in
                Unicode.Scalar(UInt32.random(in: 0...0x2FFF, using: &generator))
            }
            var subject = ""
            subject.unicodeScalars.append(contentsOf: scalars)

            let id = try #require(MeterID(meterType: key, subject: subject))

            #expect(
                MeterID(id.text)?.subject.utf8.elementsEqual(subject.utf8) == true,
                "seed \(seed), round \(round)"
            )
            #expect(
                id.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F },
                "seed \(seed), round \(round)"
            )
        }
        let long = String(repeating: "a", count: Limits.subjectBytesMax + 1)
        #expect(MeterID(meterType: key, subject: long) == nil)
    }
}
