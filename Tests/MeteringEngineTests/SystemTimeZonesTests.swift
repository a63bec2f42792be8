import Metering
import Testing
import UsageModel

@testable import MeteringEngine

@Suite("System time zones") struct SystemTimeZonesTests {
    @Test("zones of the machine are read, and agree with what everyone knows")
    func reads() throws {
        let zones = SystemTimeZones()
        let summer = Instant(microseconds: 1_782_864_000_000_000)  // 2026-07-01
        for (name, hours) in [("Europe/Berlin", 2), ("America/New_York", -4), ("UTC", 0)] {
            let rules = try zones.rules(named: name)
            #expect(rules.offsetSeconds(at: summer) == hours * 3_600)
            #expect(rules.name == name)
            #expect(try zones.rules(named: name) == rules)
        }
    }

    @Test("UTC needs no database")
    func utc() throws {
        let zones = SystemTimeZones(directory: "/nowhere")
        #expect(try zones.rules(named: "UTC") == .utc)
        #expect(throws: TimeZoneError.unknown(name: "Europe/Berlin")) {
            try zones.rules(named: "Europe/Berlin")
        }
    }

    @Test(
        "what is no zone's name is unknown, and leads to no file",
        arguments: [
            "", "/etc/passwd", "../passwd", "Europe/../Europe/Berlin", "Europe//Berlin",
            "Europe/Berlin/", "Europe", "europe/berlin ", "Europe/Berlin\0", "localtime",
            "posixrules", "./UTC", "Mars/Base", "zone.tab", "tzdata.zi", "leapseconds",
            "Europe\\Berlin", "Zürich", String(repeating: "a", count: 65),
        ]
    )
    func unknown(name: String) {
        let zones = SystemTimeZones()
        #expect(throws: TimeZoneError.unknown(name: name)) { try zones.rules(named: name) }
    }

    @Test("zones with leap seconds are refused")
    func leapSeconds() {
        let zones = SystemTimeZones()
        // Not every machine has them; where they are, they are no time scale of ours.
        #expect(throws: TimeZoneError.self) { try zones.rules(named: "right/Europe/Berlin") }
    }
}
