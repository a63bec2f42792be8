import Compression
import Crypto
import Foundation
import MeteringEngine
import Testing
import UsageModel
import WireFormat

@testable import BillingExport

@Suite("Files") struct FilesTests {
    /// A directory that is gone when the work is done.
    static func inDirectory<Value>(
        _ work: (String) async throws -> Value
    ) async throws -> Value {
        let path = FileManager.default.temporaryDirectory.path + "/outlets-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await work(path)
    }

    private func rules(_ path: String, _ change: (inout FileRules) -> Void = { _ in }) -> FileRules
    {
        var rules = FileRules(place: .directory(path))
        change(&rules)
        return rules
    }

    /// Everything below a directory, hidden files too.
    private func names(_ path: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: path).sorted()
    }

    private func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: path)))
    }

    @Test("a batch is a file and a manifest, and the same batch again is the same bytes")
    func same() async throws {
        try await Self.inDirectory { path in
            var batch = try Sample.batch(count: 2)
            let outlets = Outlets(.files(rules(path)))
            let outcome = try await outlets.send(batch)
            let before = try bytes(path + "/billing-17-18.csv")
            batch.sentAt = Instant(microseconds: Sample.now.microseconds + 1)
            #expect(try await outlets.send(batch).isDelivered)

            #expect(outcome == .delivered(status: nil, reference: "billing-17-18.csv"))
            #expect(
                try names(path) == ["billing-17-18.csv", "billing-17-18.csv.manifest.json"]
            )
            #expect(try bytes(path + "/billing-17-18.csv") == before)
        }
    }

    @Test(
        "each format holds all records, zipped or not",
        arguments: FileRules.Format.allCases,
        [false, true]
    )
    func formats(format: FileRules.Format, isZipped: Bool) async throws {
        try await Self.inDirectory { path in
            let batch = try Sample.batch(count: 3)
            let rules = rules(path) {
                ($0.format, $0.isZipped, $0.hasManifest) = (format, isZipped, false)
            }
            #expect(try await Outlets(.files(rules)).send(batch).isDelivered)
            let name = "billing-17-19.\(format.rawValue)" + (isZipped ? ".gz" : "")
            #expect(try names(path) == [name])
            var content = try bytes(path + "/" + name)
            if isZipped {
                content = try unsafe content.withUnsafeBytes { raw in
                    try unsafe Gzip.decompress(raw, sizeMax: 1 << 20)
                }
            }
            let documents = batch.items.map { JSONValue.object(batch.document(of: $0)) }
            switch format {
            case .csv:
                let rows = try self.rows(content)
                #expect(rows[0] == UsageRecordTable.header)
                #expect(rows.dropFirst().map { $0[0] } == ["1", "2", "3"])
            case .ndjson:
                let lines = content.split(separator: UInt8(ascii: "\n"))
                #expect(try lines.map { try JSONValue.parse(Array($0)) } == documents)
            case .json: #expect(try JSONValue.parse(content) == .array(documents))
            }
        }
    }

    private func rows(_ bytes: [UInt8]) throws -> [[String]] {
        var reader = CSVReader()
        reader.feed(bytes)
        reader.finish()
        var rows: [[String]] = []
        while let row = try reader.next() { rows.append(row.fields) }
        return rows
    }

    @Test("the manifest says what the file is, and what its deltas add up to, exactly")
    func manifest() async throws {
        try await Self.inDirectory { path in
            let greatest = Quantity(mantissa: .max).description
            let batch = try Sample.batch([
                try Sample.record(1, delta: "0.1"), try Sample.record(2, delta: "0.2"),
                try Sample.record(3, meter: "api~a", delta: greatest),
                try Sample.record(4, meter: "api~b", delta: "1"),
                try Sample.record(5, meter: "gas~a", delta: "-2.000000000000000001"),
            ])
            #expect(try await Outlets(.files(rules(path))).send(batch).isDelivered)
            let file = try bytes(path + "/billing-17-21.csv")
            let text = try bytes(path + "/billing-17-21.csv.manifest.json")
            let expected: JSONValue = [
                "file": "billing-17-21.csv", "bytes": .number("\(file.count)"),
                "sha256": .string(SHA256.hash(data: file).hex), "records": 5, "first": "17",
                "last": "21",
                "sums": .object([
                    "api": .null, "gas": "-2.000000000000000001", "kwh": "0.3",
                ]),
                "createdAt": "2026-12-01T00:00:30.250Z",
            ]
            #expect(try JSONValue.parse(text) == expected)
        }
    }

    @Test("names are made of the batch, and folders with them")
    func namesOfFiles() async throws {
        try await Self.inDirectory { path in
            let rules = rules(path) {
                $0.fileName = "${meterType}/${date}/${destination}-${count}-${last}"
                $0.hasManifest = false
            }
            let one = try Sample.batch(count: 2)
            let mixed = try Sample.batch([
                try Sample.record(), try Sample.record(2, meter: "api~a"),
            ])
            let attempt = try Sample.batch(isTest: true)
            try await Outlets(.files(rules)).use { outlet in
                for batch in [one, mixed, attempt] {
                    #expect(await outlet.send(batch).isDelivered)
                }
            }
            let files = try names(path).filter { $0.hasSuffix(".csv") }
            #expect(
                files == [
                    "kwh/2026-12-01/billing-1-17.test.csv", "kwh/2026-12-01/billing-2-18.csv",
                    "mixed/2026-12-01/billing-2-18.csv",
                ]
            )
        }
    }

    @Test("what a killed process left behind is written over, and no hidden name stays")
    func leftover() async throws {
        try await Self.inDirectory { path in
            let hidden = path + "/.billing-17-17.csv.partial"
            try Data("half of a file that was longer".utf8).write(to: URL(filePath: hidden))
            let rules = rules(path) { $0.hasManifest = false }
            #expect(try await Outlets(.files(rules)).send(try Sample.batch()).isDelivered)
            #expect(try names(path) == ["billing-17-17.csv"])
        }
    }

    @Test("a file that cannot get its name leaves nothing, and no manifest")
    func blocked() async throws {
        try await Self.inDirectory { path in
            try FileManager.default.createDirectory(
                atPath: path + "/billing-17-17.csv/in-the-way",
                withIntermediateDirectories: true
            )
            let outcome = try await Outlets(.files(rules(path))).send(try Sample.batch())
            #expect(outcome.isRefused, "\(outcome)")
            #expect(try names(path) == ["billing-17-17.csv", "billing-17-17.csv/in-the-way"])
        }
    }

    @Test("a directory that is not there may come back")
    func absent() async throws {
        let outcome = try await Outlets(.files(rules("/nowhere/at/all"))).send(try Sample.batch())
        #expect(outcome.isRetried)
        #expect(outcome.reason.contains("No such file or directory"))
    }

    @Test(
        "a name that leaves the directory, or that two batches could have, is a fault",
        arguments: [
            "../${first}", "a/../../${first}", "/tmp/${first}", "a//${first}", "./${first}",
            ".${first}", "${first}/", "", "${date}", "${destination}-${count}", "${first}\n",
            "${customer}-${first}", "${first", String(repeating: "x", count: 201) + "${first}",
        ]
    )
    func faults(name: String) async throws {
        let rules = rules("/tmp") { $0.fileName = name }
        #expect(try await Outlets(.files(rules)).fault()?.pointer == "/name")
    }

    @Test("a directory is named from the root")
    func relative() async throws {
        #expect(try await Outlets(.files(rules("here"))).fault()?.pointer == "/directory")
    }
}
