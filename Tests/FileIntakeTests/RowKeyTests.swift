import Testing

@testable import FileIntake

@Suite("Row ids") struct RowKeyTests {
    private static func ids(
        _ text: String,
        _ format: FileFormat = .csv,
        rowsMax: Int = 1_000,
        piece: Int = 64,
        source: String? = nil,
        type: String = "t"
    ) throws -> [String] {
        try RowReaderTests.events(text, format, rowsMax: rowsMax, piece: piece) {
            $0.type = .text(type)
            $0.source = source.map { .text($0) }
            $0.subject = .text("s")
        }.lines.map { String($0.dropFirst(7).prefix { $0 != "\"" }) }
    }

    private static let text = "a,b\n1,2\n1,2\n3,4\n"

    @Test("the id is the number of the row and a hash; this is the stored form, never to change")
    func form() throws {
        #expect(
            try Self.ids(Self.text) == [
                "1-a9dccd99d45f0b4257736103e6544269", "2-b93a9978bf63f70e10dd399d107f06e1",
                "3-e848007a5f29a596a2fb105396afb410",
            ]
        )
    }

    @Test("equal rows at different places have different ids")
    func equalRows() throws {
        let ids = try Self.ids(Self.text)
        #expect(Set(ids.map { $0.split(separator: "-")[1] }).count == 3)
    }

    @Test("batches, pieces, line ends and quotes make no difference")
    func sameContent() throws {
        let ids = try Self.ids(Self.text)
        #expect(try Self.ids(Self.text, rowsMax: 1) == ids)
        #expect(try Self.ids(Self.text, piece: 1) == ids)
        #expect(try Self.ids("a,b\r\n\"1\",2\r\n\r\n1,\"2\"\r\n3,4") == ids)
        #expect(try Self.ids("a\tb\n1\t2\n1\t2\n3\t4\n", .tsv) == ids)
    }

    @Test("a file that has grown keeps the ids of the rows it had")
    func growth() throws {
        let ids = try Self.ids(Self.text)
        #expect(try Self.ids(Self.text + "5,6\n").dropLast() == ids[...])
    }

    @Test("another row before, another header, source or type gives other ids")
    func otherContent() throws {
        let ids = Set(try Self.ids(Self.text))
        #expect(ids.isDisjoint(with: try Self.ids("a,b\n0,2\n1,2\n3,4\n")))
        #expect(ids.isDisjoint(with: try Self.ids("a,c\n1,2\n1,2\n3,4\n")))
        #expect(ids.isDisjoint(with: try Self.ids(Self.text, source: "x")))
        #expect(ids.isDisjoint(with: try Self.ids(Self.text, type: "u")))
        #expect(ids.isDisjoint(with: try Self.ids("a,b\n12,\n1,2\n3,4\n")))
    }

    @Test("events that lack an id get one by the same rule")
    func events() throws {
        let text = #"{"source":"s","n":1}"# + "\n" + #"{"source":"s","n":1}"#
        let once = try Self.ids(text, .ndjson)
        #expect(Set(once).count == 2)
        #expect(try Self.ids("[" + text.replacing("\n", with: ",\n") + "]", .json) == once)
    }
}
