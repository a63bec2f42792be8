import Testing
import UsageModel
import WireFormat

@Suite("Documents of reset schedules") struct ResetScheduleDocumentTests {
    @Test(
        "a schedule is read, and written in its one spelling",
        arguments: [
            ("\"hourly\"", "\"hourly\""), ("\"never\"", "\"never\""),
            ("{\"every\":\"month\"}", "\"monthly\""),
            ("{\"every\":\"quarter\",\"interval\":1,\"anchor\":null}", "\"quarterly\""),
            ("{\"every\":\"minute\"}", "{\"every\":\"minute\"}"),
            ("{\"every\":\"hour\",\"interval\":6}", "{\"every\":\"hour\",\"interval\":6}"),
            (
                "{\"anchor\":\"2026-01-31T10:30:00+01:00\",\"every\":\"month\"}",
                "{\"every\":\"month\",\"anchor\":\"2026-01-31T09:30:00Z\"}"
            ),
            (
                "{\"every\":\"hour\",\"interval\":7,\"anchor\":\"2026-01-31T09:30:00.000250Z\"}",
                "{\"every\":\"hour\",\"interval\":7,\"anchor\":\"2026-01-31T09:30:00.000250Z\"}"
            ),
            ("{\"cron\":\"0 0 l * mon\"}", "{\"cron\":\"0 0 L * MON\"}"),
            ("{\"cron\":\" 0  0 1 * *\",\"every\":null}", "{\"cron\":\"0 0 1 * *\"}"),
        ]
    )
    func spelling(text: String, canonical: String) throws {
        let schedule = try ResetScheduleDocument.read(JSONValue.parse(Array(text.utf8)))
        let written = ResetScheduleDocument.write(schedule)

        #expect(try written == JSONValue.parse(Array(canonical.utf8)))
        #expect(try ResetScheduleDocument.read(written) == schedule)
    }

    @Test(
        "each fault is told by its pointer",
        arguments: [
            ("7", ["/r"]), ("null", ["/r"]), ("[]", ["/r"]), ("\"fortnightly\"", ["/r"]),
            ("\"0 0 1 * *\"", ["/r"]), ("{}", ["/r/every"]),
            ("{\"every\":\"months\"}", ["/r/every"]),
            ("{\"interval\":2}", ["/r/every"]), ("{\"every\":7}", ["/r/every"]),
            ("{\"every\":\"month\",\"interval\":0}", ["/r/interval"]),
            ("{\"every\":\"month\",\"interval\":\"2\"}", ["/r/interval"]),
            ("{\"every\":\"month\",\"interval\":2.0}", ["/r/interval"]),
            ("{\"every\":\"month\",\"interval\":99999999999999999999}", ["/r/interval"]),
            ("{\"every\":\"hour\",\"interval\":5}", ["/r/interval"]),
            ("{\"every\":\"month\",\"anchor\":\"2026-01-31\"}", ["/r/anchor"]),
            ("{\"every\":\"month\",\"anchor\":\"2026-01-31T10:30:00\"}", ["/r/anchor"]),
            (
                "{\"every\":\"x\",\"interval\":1.5,\"anchor\":7}",
                ["/r/every", "/r/interval", "/r/anchor"]
            ),
            ("{\"every\":\"day\",\"a/b\":1}", ["/r/a~1b"]),
            ("{\"every\":\"day\",\"timezone\":\"UTC\"}", ["/r/timezone"]),
            ("{\"cron\":7}", ["/r/cron"]), ("{\"cron\":\"0 0 30 2 *\"}", ["/r/cron"]),
            ("{\"cron\":\"0 0 1 * *\",\"every\":\"day\",\"anchor\":7}", ["/r/every", "/r/anchor"]),
        ]
    )
    func faults(text: String, pointers: [String]) throws {
        let value = try JSONValue.parse(Array(text.utf8))
        let faults = #expect(throws: MeterTypeDocument.Faults.self) {
            try ResetScheduleDocument.read(value, at: "/r")
        }
        #expect(faults?.all.map(\.pointer) == pointers)
        #expect(faults?.all.allSatisfy { !$0.reason.isEmpty && !$0.remedy.isEmpty } == true)
    }

    @Test("a fault of cron tells the byte, what was found, expected, and to be done")
    func cron() {
        let faults = #expect(throws: MeterTypeDocument.Faults.self) {
            try ResetScheduleDocument.read(["cron": "0 25 * * *"], at: "/resetSchedule")
        }
        let fault = FieldFault(
            pointer: "/resetSchedule/cron",
            reason: "at byte 2: found \"25\", expected hour: a number from 0 to 23",
            remedy: "write *, a value, a range a-b, a step */n, or a list of them"
        )
        #expect(faults?.all == [fault])
    }
}
