import MeteringTestKit
import Testing
import UsageModel

@Suite("Instant as RFC 3339") struct InstantTests {
    private func read(_ text: String) -> InstantReading {
        unsafe Array(text.utf8).withUnsafeBytes { unsafe Instant.read(rfc3339: $0) }
    }

    @Test(
        "a time is read to the microsecond, whatever its offset",
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("2026-11-01T12:00:00.250Z", 1_793_534_400_250_000),
            ("2026-11-01t12:00:00.25z", 1_793_534_400_250_000),
            ("2026-11-01 12:00:00.25Z", 1_793_534_400_250_000),
            ("2026-11-01T17:45:00.25+05:45", 1_793_534_400_250_000),
            ("2026-11-01T02:30:00.25-09:30", 1_793_534_400_250_000),
            ("2026-11-01T12:00:00.2500009999999999999999Z", 1_793_534_400_250_000),
            ("2026-11-01T12:00:00-00:00", 1_793_534_400_000_000),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
            ("2000-02-29T23:59:59Z", 951_868_799_000_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
            ("2017-01-01T00:59:60.5+01:00", 1_483_228_800_500_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
            ("9999-12-31T23:59:59.9999999Z", 253_402_300_799_999_999),
        ]
    )
    func reads(text: String, microseconds: Int64) {
        #expect(read(text) == .instant(Instant(microseconds: microseconds)))
        #expect(Instant(rfc3339: text) == Instant(microseconds: microseconds))
    }

    @Test(
        "a time without an offset is told apart",
        arguments: ["2026-11-01T12:00:00", "2026-11-01T12:00:00.5", "2026-11-01 12:00:00"]
    )
    func missingOffset(text: String) {
        #expect(read(text) == .missingOffset)
        #expect(Instant(rfc3339: text) == nil)
    }

    @Test(
        "what is no moment is refused",
        arguments: [
            "", "now", "2026-11-01", "2026-11-01T12:00Z", "2026-11-01T12:00:00.Z",
            "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-00T00:00:00Z",
            "2026-11-01T24:00:00Z", "2026-11-01T12:60:00Z", "2026-11-01T12:00:61Z",
            "2026-11-01T12:00:60Z", "2026-11-01T12:00:00+0100", "2026-11-01T12:00:00+01",
            "2026-11-01T12:00:00+24:00", "2026-11-01T12:00:00+01:60", "2026-11-01T12:00:00Zx",
            "2026-11-01T12:00:00 Z", "2026/11/01T12:00:00Z", "2026-11-01T12.00.00Z",
            "02026-11-01T12:00:00Z", "2026-1-01T12:00:00Z", "+026-11-01T12:00:00Z",
            "2026-11-01T12:00:0aZ", "2026-11-01T12:00:00,5Z", "2026-11-01X12:00:00Z",
            "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z",
            "２026-11-01T12:00:00Z", "2026-02-30T12:00:00", "2026-11-01T12:00:00--1:00",
        ]
    )
    func invalid(text: String) {
        #expect(read(text) == .invalid)
    }

    @Test("the canonical spelling has no fraction, three digits or six")
    func canonical() {
        #expect(Instant(microseconds: 0).rfc3339 == "1970-01-01T00:00:00Z")
        #expect(Instant(microseconds: 250_000).rfc3339 == "1970-01-01T00:00:00.250Z")
        #expect(Instant(microseconds: 250_001).rfc3339 == "1970-01-01T00:00:00.250001Z")
        #expect(Instant(microseconds: -1).rfc3339 == "1969-12-31T23:59:59.999999Z")
        #expect(Instant.earliest.rfc3339 == "0000-01-01T00:00:00Z")
        #expect(Instant.latest.rfc3339 == "9999-12-31T23:59:59.999999Z")
        #expect(Instant(microseconds: .max).rfc3339 == Instant.latest.rfc3339)
    }

    /// Goal: civil dates and days agree in both directions.
    /// Method: every day of 10,000 years, counted naively, is written and read back.
    @Test("every day from 0000 to 9999 is written and read back")
    func everyDay() {
        var day = Instant.earliest
        for year in 0...9_999 {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            for (month, days) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
                .enumerated()
            {
                for dayOfMonth in 1...days {
                    var bytes: [UInt8] = []
                    day.appendRFC3339(to: &bytes)
                    let reading = unsafe bytes.withUnsafeBytes { unsafe Instant.read(rfc3339: $0) }
                    let isRight =
                        reading == .instant(day)
                        && Int(String(decoding: bytes[0..<4], as: UTF8.self)) == year
                        && Int(String(decoding: bytes[5..<7], as: UTF8.self)) == month + 1
                        && Int(String(decoding: bytes[8..<10], as: UTF8.self)) == dayOfMonth
                    if !isRight {
                        Issue.record("\(year)-\(month + 1)-\(dayOfMonth) became \(day.rfc3339)")
                        return
                    }
                    day.microseconds += 86_400_000_000
                }
            }
        }
        #expect(day.microseconds == Instant.latest.microseconds + 1)
    }

    @Test("what is written is read back, at any microsecond", arguments: [UInt64(1), 2, 3])
    func roundTrip(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let range = Instant.earliest.microseconds...Instant.latest.microseconds
        for _ in 0..<20_000 {
            let instant = Instant(microseconds: .random(in: range, using: &generator))
            if Instant(rfc3339: instant.rfc3339) != instant {
                Issue.record("\(instant.rfc3339) is not \(instant.microseconds), seed \(seed)")
                return
            }
        }
    }
}
