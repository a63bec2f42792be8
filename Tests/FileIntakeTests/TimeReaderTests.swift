import Metering
import Testing

@testable import FileIntake

@Suite("Time reader") struct TimeReaderTests {
    private static func read(
        _ text: String,
        _ format: String,
        zone: TimeZoneRules? = .utc,
        epoch: String? = nil
    ) throws -> String? {
        let reader = try TimeReader(format: TimeFormat(format), zone: zone, epoch: epoch)
        // Not at the start of its array, as in a row.
        let bytes = Array("x,\(text),y".utf8)
        var written: [UInt8] = []
        guard reader.append(bytes[2..<(bytes.count - 2)], to: &written) else {
            #expect(written.isEmpty)
            return nil
        }
        return String(decoding: written, as: UTF8.self)
    }

    @Test(
        "a unix time keeps all its digits",
        arguments: [
            ("0", "unix", "1970-01-01T00:00:00Z"), ("1446249499", "unix", "2015-10-30T23:58:19Z"),
            ("1446249499.5", "unix", "2015-10-30T23:58:19.5Z"),
            ("1446249499.123456789012", "unix", "2015-10-30T23:58:19.123456789012Z"),
            ("1446249499.000", "unix", "2015-10-30T23:58:19Z"),
            ("1446249499322", "unix-ms", "2015-10-30T23:58:19.322Z"),
            ("1446249499322.25", "unix-ms", "2015-10-30T23:58:19.32225Z"),
            ("1446249499322001", "unix-us", "2015-10-30T23:58:19.322001Z"),
            ("1446249499322001009", "unix-ns", nil),
            ("144624949932200100", "unix-ns", "1974-08-01T21:35:49.9322001Z"),
            ("7", "unix-ms", "1970-01-01T00:00:00.007Z"),
            ("-1", "unix", "1969-12-31T23:59:59Z"), ("-0.25", "unix", "1969-12-31T23:59:59.75Z"),
            ("-1500", "unix-ms", "1969-12-31T23:59:58.5Z"), ("-0", "unix", "1970-01-01T00:00:00Z"),
            ("", "unix", nil), ("-", "unix", nil), ("12a", "unix", nil), ("1.", "unix", nil),
            ("+5", "unix", nil), (" 5", "unix", nil), ("1e9", "unix", nil),
            ("999999999999999999", "unix", nil), ("253402300799", "unix", "9999-12-31T23:59:59Z"),
            ("253402300800", "unix", nil),
        ] as [(String, String, String?)]
    )
    func unix(text: String, format: String, expected: String?) throws {
        #expect(try Self.read(text, format) == expected)
    }

    @Test("a unix time may count from elsewhere")
    func epoch() throws {
        let start = "2024-01-01T00:00:00Z"
        #expect(try Self.read("184", "unix", epoch: start) == "2024-01-01T00:03:04Z")
        #expect(try Self.read("-1", "unix", epoch: start) == "2023-12-31T23:59:59Z")
        #expect(throws: IntakeFault.self) { try Self.read("1", "rfc3339", epoch: start) }
        #expect(throws: IntakeFault.self) { try Self.read("1", "unix", epoch: "2024-01-01") }
    }

    @Test(
        "a pattern reads what strptime would, and nothing else",
        arguments: [
            ("2023-11-16 18:17:03.9799600", "%Y-%m-%d %H:%M:%S.%f", "2023-11-16T18:17:03.9799600Z"),
            ("2023-11-16 18:17:03", "%Y-%m-%d %H:%M:%S.%f", "2023-11-16T18:17:03Z"),
            ("2023-11-16 18:17:03.", "%Y-%m-%d %H:%M:%S.%f", nil),
            ("17/May/2015:10:05:03 +0000", "%d/%b/%Y:%H:%M:%S %z", "2015-05-17T10:05:03Z"),
            ("17/May/2015:10:05:03 -0730", "%d/%b/%Y:%H:%M:%S %z", "2015-05-17T17:35:03Z"),
            ("17/may/2015:10:05:03 +01", "%d/%b/%Y:%H:%M:%S %z", "2015-05-17T09:05:03Z"),
            ("17/Mai/2015:10:05:03 +01", "%d/%b/%Y:%H:%M:%S %z", nil),
            ("Sun, 06 Nov 1994 08:49:37 GMT", "%a, %d %b %Y %T %Z", "1994-11-06T08:49:37Z"),
            ("Sunday, 6-September-94 8:49:37 z", "%A, %d-%B-%y %T %Z", "1994-09-06T08:49:37Z"),
            ("12/31/99 12:00 AM", "%m/%d/%y %I:%M %p", "1999-12-31T00:00:00Z"),
            ("12/31/68 12:00 pm", "%m/%d/%y %I:%M %p", "2068-12-31T12:00:00Z"),
            ("12/31/68 13:00 pm", "%m/%d/%y %I:%M %p", nil),
            ("2024-366", "%Y-%j", "2024-12-31T00:00:00Z"), ("2023-366", "%Y-%j", nil),
            ("2024-02-29", "%F", "2024-02-29T00:00:00Z"), ("2023-02-29", "%F", nil),
            ("1900-02-29", "%F", nil), ("2024-13-01", "%F", nil), ("2024-04-31", "%F", nil),
            ("2024-1-2", "%F", "2024-01-02T00:00:00Z"), ("24-01-02", "%F", nil),
            ("100%2024-01-02", "100%%%F", "2024-01-02T00:00:00Z"),
            ("2024-01-02 ", "%F", nil), ("2024-01-02T24:00", "%FT%R", nil),
            ("2024-01-02 23:59:60", "%F %T", "2024-01-03T00:00:00Z"),
            ("0000-01-01 00:00:00 +0001", "%F %T %z", nil), ("", "%F", nil),
        ] as [(String, String, String?)]
    )
    func pattern(text: String, format: String, expected: String?) throws {
        #expect(try Self.read(text, format) == expected)
    }

    @Test(
        "RFC 3339 passes as it is; a time without an offset is read in the zone",
        arguments: [
            ("2026-11-01T12:00:00.250+01:00", "2026-11-01T12:00:00.250+01:00"),
            ("2026-11-01T12:00:00", "2026-11-01T12:00:00Z"),
            ("2026-11-01 12:00:00.1234567", "2026-11-01T12:00:00.1234567Z"),
            ("2026-11-01", nil), ("now", nil), ("", nil), ("2026-02-30T12:00:00Z", nil),
        ] as [(String, String?)]
    )
    func rfc3339(text: String, expected: String?) throws {
        #expect(try Self.read(text, "rfc3339") == expected)
    }

    @Test("without a zone, a time without an offset is no time")
    func noZone() throws {
        #expect(try Self.read("2026-11-01T12:00:00", "rfc3339", zone: nil) == nil)
        #expect(try Self.read("2026-11-01T12:00:00Z", "rfc3339", zone: nil) != nil)
        #expect(throws: IntakeFault.self) { try Self.read("", "%F %T", zone: nil) }
        #expect(try Self.read("2026-11-01 +02", "%F %z", zone: nil) == "2026-10-31T22:00:00Z")
    }

    @Test("a zone's offset is taken off")
    func zone() throws {
        let zone = TimeZoneRules(name: "+05:45", offsetSeconds: 20_700)
        #expect(
            try Self.read("2026-11-01 00:00:00.5", "%F %T.%f", zone: zone)
                == "2026-10-31T18:15:00.5Z"
        )
    }

    @Test(
        "a format that is none is refused",
        arguments: ["", "iso", "%Y-%m", "%H:%M", "%Q", "%Y-%m-%d %", "%d/%m"]
    )
    func badFormat(text: String) {
        #expect(throws: IntakeFault.self) { try TimeFormat(text) }
    }
}
