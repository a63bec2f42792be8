import Metering
import MeteringTestKit
import Testing
import UsageModel

@Suite("Time zones") struct TimeZoneTests {
    @Test("there are rows of at least 24 zones, 200 instants each")
    func rowsAreThere() {
        #expect(ZoneRows.all.count >= 24)
        #expect(ZoneRows.all.allSatisfy { $0.instants.count >= 200 && $0.locals.count >= 40 })
    }

    @Test("offsets are those of Python's zoneinfo", arguments: ZoneRows.all)
    func offsets(zone: ZoneRows) throws {
        for rules in try zone.rules {
            for row in zone.instants {
                let (instant, offset) = (Instant(seconds: row[0]), Int(row[1]))
                #expect(rules.offsetSeconds(at: instant) == offset, "\(row)")
                #expect(rules.local(at: instant).microseconds == (row[0] + row[1]) * 1_000_000)
            }
        }
    }

    @Test("wall times lead to the instants of Python's zoneinfo", arguments: ZoneRows.all)
    func walls(zone: ZoneRows) throws {
        for rules in try zone.rules {
            for row in zone.locals {
                let local = LocalDateTime(microseconds: row[0] * 1_000_000)
                let (fold0, fold1) = (row[0] + row[1], row[0] + row[2])
                #expect(rules.instant(ofLocal: local) == Instant(seconds: fold0), "\(row)")
                switch rules.instants(ofLocal: local) {
                case .once(let instant):
                    #expect(fold0 == fold1 && instant == Instant(seconds: fold0), "\(row)")
                case .twice(let earlier, let later):
                    #expect(earlier == Instant(seconds: fold0), "\(row)")
                    #expect(later == Instant(seconds: fold1) && fold0 < fold1, "\(row)")
                case .never(let transition, let shifted):
                    #expect(shifted == Instant(seconds: fold0) && fold1 < fold0, "\(row)")
                    #expect((fold1...fold0).contains(transition.microseconds / 1_000_000))
                    #expect(rules.firstInstant(atOrAfterLocal: local) == transition, "\(row)")
                }
            }
        }
    }

    @Test("an instant's wall time leads back to it", arguments: ZoneRows.all)
    func roundTrip(zone: ZoneRows) throws {
        let rules = try zone.rules[0]
        for row in zone.instants {
            let instant = Instant(microseconds: row[0] * 1_000_000 + 123_456)
            let found = rules.instants(ofLocal: rules.local(at: instant))
            switch found {
            case .once(let one): #expect(one == instant, "\(row)")
            case .twice(let earlier, let later):
                #expect(earlier == instant || later == instant, "\(row)")
            case .never: Issue.record("\(row) is shown, and yet skipped")
            }
        }
    }

    @Test("the rules of the future repeat every 400 years", arguments: ZoneRows.all)
    func cycles(zone: ZoneRows) throws {
        var generator = SeededGenerator(seed: 7)
        let rules = try zone.rules[0]
        for _ in 0..<2_000 {
            // 2100 … 9700; the lookup folds all of them into one cycle.
            let now = Int64.random(in: 4_102_444_800...243_900_000_000, using: &generator)
            let later = Instant(seconds: now + 12_622_780_800)
            let offset = rules.offsetSeconds(at: Instant(seconds: now))
            #expect(offset == rules.offsetSeconds(at: later), "\(now), seed 7")
        }
    }

    @Test("the ends of time are answered", arguments: ZoneRows.all.prefix(5))
    func extremes(zone: ZoneRows) throws {
        let rules = try zone.rules[0]
        for microseconds in [Int64.min, .min + 1, .max - 1, .max] {
            let instant = Instant(microseconds: microseconds)
            #expect(abs(rules.offsetSeconds(at: instant)) < 26 * 3_600)
            let local = LocalDateTime(microseconds: microseconds)
            _ = (rules.local(at: instant), rules.instants(ofLocal: local))
            _ = rules.firstInstant(atOrAfterLocal: local)
        }
    }

    @Test("a fixed offset is the same for all time")
    func fixed() {
        let rules = TimeZoneRules(name: "+05:45", offsetSeconds: 20_700)
        let instant = Instant(seconds: 1_000)
        #expect(rules.offsetSeconds(at: instant) == 20_700)
        #expect(rules.instants(ofLocal: rules.local(at: instant)) == .once(instant))
        #expect(TimeZoneRules.utc.offsetSeconds(at: Instant(microseconds: .min)) == 0)
    }
}

@Suite("Zone files") struct ZoneFileTests {
    /// A file that lists no change: all is said by the closing rule.
    static func file(rule: String, offsetSeconds: Int32 = 0, version: Character = "2") -> [UInt8] {
        func block(offset: Int32) -> [UInt8] {
            var bytes = Array("TZif".utf8) + [version.asciiValue ?? 0]
            bytes += [UInt8](repeating: 0, count: 15)
            for count in [0, 0, 0, 0, 1, 4] as [UInt8] { bytes += [0, 0, 0, count] }
            let bits = UInt32(bitPattern: offset)
            bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: bits >> $0) }
            return bytes + [0, 0] + Array("ABC\0".utf8)
        }
        return block(offset: 0) + block(offset: offsetSeconds) + Array("\n\(rule)\n".utf8)
    }

    @Test(
        "closing rules are read as POSIX and RFC 9636 say",
        arguments: [
            // rule, instant, hours east of UTC
            ("EST5EDT,M3.2.0,M11.1.0", "2026-03-08T06:59:59Z", -5),
            ("EST5EDT,M3.2.0,M11.1.0", "2026-03-08T07:00:00Z", -4),
            ("EST5EDT,M3.2.0,M11.1.0", "2026-11-01T05:59:59Z", -4),
            ("EST5EDT,M3.2.0,M11.1.0", "2026-11-01T06:00:00Z", -5),
            // South of the equator; a name in brackets; an offset of its own.
            ("<+11>-11<+13>-13,M10.1.0/2:30:30,M4.1.0/3", "2026-04-04T13:59:59Z", 13),
            ("<+11>-11<+13>-13,M10.1.0/2:30:30,M4.1.0/3", "2026-04-04T14:00:00Z", 11),
            ("<+11>-11<+13>-13,M10.1.0/2:30:30,M4.1.0/3", "2026-10-03T15:30:29Z", 11),
            ("<+11>-11<+13>-13,M10.1.0/2:30:30,M4.1.0/3", "2026-10-03T15:30:30Z", 13),
            // Days of the year: Jn never counts 29 February, n does.
            ("AAA0BBB,J60/0,J300/0", "2027-02-28T23:59:59Z", 0),
            ("AAA0BBB,J60/0,J300/0", "2027-03-01T00:00:00Z", 1),
            ("AAA0BBB,J60/0,J300/0", "2028-02-29T23:59:59Z", 0),
            ("AAA0BBB,J60/0,J300/0", "2028-03-01T00:00:00Z", 1),
            ("AAA0BBB,59/0,300/0", "2028-02-28T23:59:59Z", 0),
            ("AAA0BBB,59/0,300/0", "2028-02-29T00:00:00Z", 1),
            // A time before the day, and one days after it.
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z", -2),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", -1),
            ("IST-2IDT,M3.4.4/26,M10.5.0", "2026-03-26T23:59:59Z", 2),
            ("IST-2IDT,M3.4.4/26,M10.5.0", "2026-03-27T00:00:00Z", 3),
            // Daylight saving all year, and never.
            ("EST3EDT4,0/0,J365/23", "2026-01-01T00:00:00Z", -4),
            ("EST3EDT4,0/0,J365/23", "2026-12-31T23:59:59Z", -4),
            ("EST3EDT4,0/0,J365/23", "9026-01-01T03:30:00Z", -4),
            ("<+03>-3", "2026-07-01T00:00:00Z", 3),
            // It holds in the far past too, where the file lists nothing.
            ("EST5EDT,M3.2.0,M11.1.0", "0001-07-01T00:00:00Z", -4),
        ]
    )
    func rules(rule: String, instant: String, hours: Int) throws {
        let zone = try TimeZoneRules(tzif: Self.file(rule: rule), name: "x")
        #expect(try zone.offsetSeconds(at: Instant(instant)) == hours * 3_600)
    }

    @Test("without a closing rule the last offset goes on")
    func noRule() throws {
        let zone = try TimeZoneRules(tzif: Self.file(rule: "", offsetSeconds: -34_200), name: "x")
        #expect(zone.offsetSeconds(at: Instant(seconds: 99_999_999_999)) == -34_200)
    }

    @Test("daylight saving all year is one stretch: days there have no seams")
    func allYear() throws {
        let zone = try TimeZoneRules(tzif: Self.file(rule: "EST3EDT4,0/0,J365/23"), name: "x")
        let cutter = WindowCutter(width: .day, zone: zone)
        for year in ["2026", "2426", "2827", "9000"] {
            let range = try Instant("\(year)-01-01T04:00:00Z")..<Instant("\(year)-12-31T04:00:00Z")
            #expect(Array(cutter.windows(in: range)).count == 364)
        }
    }

    @Test(
        "what is no zone file is refused with a reason",
        arguments: [
            (Array("TZif".utf8), "the file is cut short"),
            (Array("# version 2025b\n".utf8), "the file is no TZif file"),
            (file(rule: "", version: "\0"), "the file is older than version 2"),
            (file(rule: "", offsetSeconds: 93_600), "an offset is beyond 26 hours"),
            (Array(file(rule: "UTC0").dropLast(6)), "the closing rule is missing"),
            (file(rule: "UTC"), "the closing rule cannot be read"),
            (file(rule: "EST5EDT"), "the closing rule cannot be read"),
            (file(rule: "EST5EDT,M3.2.0,M13.1.0"), "the closing rule cannot be read"),
            (file(rule: "EST5EDT,M3.6.0,M11.1.0"), "the closing rule cannot be read"),
            (file(rule: "EST5EDT,M3.2.0,M11.1.0/168"), "the closing rule cannot be read"),
            (file(rule: "EST5EDT,M3.2.0,M11.1.0x"), "the closing rule cannot be read"),
            (file(rule: "EST25"), "the closing rule cannot be read"),
            (file(rule: "<EST5"), "the closing rule cannot be read"),
        ]
    )
    func refused(bytes: [UInt8], reason: String) {
        #expect(throws: TimeZoneError.malformed(name: "x", reason: reason)) {
            try TimeZoneRules(tzif: bytes, name: "x")
        }
    }

    /// Goal: no bytes trap. Method: real files cut at every length, and with bytes changed; what is
    /// still a zone must still answer.
    @Test("broken files are refused or answer sensibly", arguments: [31, 32, 33] as [UInt64])
    func broken(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let zone = try #require(ZoneRows.all.randomElement(using: &generator))
        let whole = zone.files[0]
        for length in whole.indices {
            #expect(throws: TimeZoneError.self) {
                try TimeZoneRules(tzif: Array(whole[..<length]), name: "x")
            }
        }
        for _ in 0..<3_000 {
            var bytes = whole
            for _ in 0...Int.random(in: 0...3, using: &generator) {
                let place = Int.random(in: bytes.indices, using: &generator)
                bytes[place] = UInt8.random(in: 0...255, using: &generator)
            }
            guard let rules = try? TimeZoneRules(tzif: bytes, name: "x") else { continue }
            let time = Int64.random(in: -90_000_000_000...300_000_000_000, using: &generator)
            let instant = Instant(seconds: time)
            #expect(abs(rules.offsetSeconds(at: instant)) < 93_600, "seed \(seed)")
            for width in [WindowWidth.hour, .day, .year] {
                let window = WindowCutter(width: width, zone: rules).window(containing: instant)
                #expect(window.contains(instant), "seed \(seed)")
            }
        }
    }
}
