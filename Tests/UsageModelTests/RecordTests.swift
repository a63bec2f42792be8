import Testing
import UsageModel

@Suite("Names of usage records") struct UsageRecordIDTests {
    static let start = Instant(microseconds: 1_793_491_200_000_000)

    private static func id(
        _ meter: String,
        _ start: Instant = start,
        revision: Int = 0
    ) throws -> UsageRecordID {
        let meter = try #require(MeterID(meter))
        return UsageRecordID(meter: meter, start: start, revision: revision)
    }

    @Test("the same record has the same name for ever")
    func stable() throws {
        let id = try Self.id("kwh~house-7")

        #expect(id.text == "ur_54413d0b9b90bd5d61a0825c1edec760")
    }

    @Test("another meter, period or revision has another name")
    func distinct() throws {
        let later = Instant(microseconds: Self.start.microseconds + 1)
        let ids = try [
            Self.id("kwh~house-7"), Self.id("kwh~house-8"), Self.id("kwh~house-7", later),
            Self.id("kwh~house-7", revision: 1),
        ]

        #expect(Set(ids).count == ids.count)
        for id in ids { #expect(UsageRecordID(id.text) == id) }
    }

    @Test("what is spelled otherwise is no name", arguments: ["", "ur_", "ur_0", "UR_00"])
    func refused(text: String) {
        #expect(UsageRecordID(text) == nil)
        #expect(UsageRecordID("ur_" + String(repeating: "G", count: 32)) == nil)
    }
}
