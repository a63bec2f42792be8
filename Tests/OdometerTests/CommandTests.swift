import ArgumentParser
import Foundation
import Testing
import WireFormat

@testable import odometer

/// The commands as people and scripts run them, each a process of its own.
@Suite("Commands") struct CommandTests {
    private static let calls = """
        kind: meter-type
        key: calls
        eventTypes: [llm.request]
        aggregation: count
        dimensions: {model: $.data.model}
        resetSchedule: monthly
        """
    private static let events = """
        {"id":"a","source":"gateway","type":"llm.request","subject":"acme","data":{"model":"large"}}
        {"id":"b","source":"gateway","type":"other","subject":"acme"}

        """

    /// Rows in their order: what was made before is there after.
    private static let table: [(line: String, code: Int32)] = [
        ("--help", 0), ("help apply", 0), ("", 0), ("nonsense", 2), ("usage --no-such-flag", 2),
        ("status", 0), ("status --server http://127.0.0.1:1", 3), ("status --server ftp://x", 2),
        ("apply -f FOLDER/none.yaml", 2), ("apply -f FOLDER/broken.yaml", 2),
        ("apply -f FOLDER/calls.yaml --dry-run", 5), ("meter-types show calls", 1),
        ("apply -f FOLDER/calls.yaml --exit-code", 5), ("meter-types show calls", 0),
        ("apply -f FOLDER/calls.yaml --exit-code", 0), ("apply -f FOLDER/calls.yaml", 0),
        ("apply -f FOLDER/calls.yaml --dry-run", 0),
        ("apply -f FOLDER/changed.yaml --dry-run", 5),
        ("apply -f FOLDER/changed.yaml --exit-code", 5),
        ("apply -f FOLDER/changed.yaml --dry-run", 0),
        ("apply -f FOLDER/fixed.yaml --dry-run", 1),
        ("apply -f FOLDER/calls.yaml --exit-code", 5), ("meter-types versions calls", 0),
        ("meter-types backfills", 0), ("meter-types cancel-backfill none", 1),
        ("meter-types create -f FOLDER/calls.yaml", 0),
        ("meter-types create --key calls --event-type x --aggregation count", 1),
        ("meter-types create --key calls", 2), ("export", 0), ("export --kind none", 2),
        ("ingest FOLDER/events.ndjson", 0), ("ingest FOLDER/rejected.ndjson", 4),
        ("ingest FOLDER/none.ndjson", 2), ("meters", 0), ("meters calls~acme", 0),
        ("meters calls~acme --periods", 0), ("meters calls~nobody", 1), ("meters --periods", 2),
        ("usage --meter-type calls", 0), ("usage --meter-type none", 1), ("usage", 1),
        ("events", 0), ("events show gateway a", 0), ("events show gateway none", 1),
        ("explain gateway a", 0), ("explain gateway none", 1), ("explain gateway", 2),
        ("corrections void --source gateway --id a --reason test --dry-run", 0),
        ("corrections void --source gateway --id a --reason test --author Ada", 0),
        ("corrections void --source gateway --id none --reason test", 1),
        ("corrections void --id a --reason test", 2), ("corrections void --reason test", 2),
        ("corrections void --source gateway --id a", 2), ("corrections", 0),
        ("corrections show c-1", 0), ("corrections show c-2", 1), ("explain gateway a", 0),
        ("corrections restore --correction c-1 --reason test", 0),
        ("corrections restore --correction c-2 --reason test", 1),
        ("corrections replace --file FOLDER/none.json --reason test", 2),
        ("records", 0), ("records list --kind final --after 5", 0),
        ("records list --kind none", 1), ("records list --meter-type none", 1),
        ("records show ur_0", 1), ("records show", 2), ("quarantine", 0), ("unreadable", 0),
        ("quarantine list --state open", 0), ("quarantine list --state lost", 1),
        ("quarantine groups", 0), ("quarantine show q-1", 0), ("quarantine show q-9", 1),
        ("quarantine release q-1", 4), ("quarantine edit q-1 --version 1", 2),
        ("quarantine edit q-1 --version 1 --patch {}", 1),
        ("quarantine edit q-1 --version 2 --patch {", 2),
        ("quarantine edit q-1 --version 2 --event FOLDER/event.json", 0),
        ("quarantine release q-1 --version 2", 1), ("quarantine release q-1 --version 3", 0),
        ("quarantine discard q-1", 2), ("quarantine discard q-1 --reason late", 1),
        ("ingest FOLDER/more.ndjson", 4), ("quarantine discard q-2 --reason late", 0),
        ("quarantine reopen q-2", 0), ("quarantine act discard --reason x", 2),
        ("quarantine act discard --all --reason x --dry-run", 0),
        ("quarantine act release --filter-source gateway --wait", 4),
        ("quarantine act repair-and-release --all --set /subject=$.id --wait", 0),
        ("quarantine action qa-2", 0), ("quarantine cancel qa-2", 0),
        ("quarantine action qa-9", 1),
        ("unreadable --meter-type none", 1), ("books", 0),
        ("eval 1+ FOLDER/events.ndjson", 2), ("eval $.data.model FOLDER/events.ndjson", 0),
        ("eval $.data FOLDER/none.json", 2), ("config", 0), ("openapi", 0),
        ("completions bash", 0), ("completions zsh", 0), ("completions fish", 0),
        ("completions csh", 2), ("verify --data FOLDER/none", 1),
        ("backup --data FOLDER/data --to FOLDER/copy", 0),
        ("backup --data FOLDER/data --to FOLDER/copy", 1),
        ("restore --from FOLDER/copy --data FOLDER/restored", 0),
        ("verify --data FOLDER/restored", 0), ("audit", 0), ("audit list --kind meter", 0),
        ("audit list --kind none", 1), ("audit export", 0),
        ("audit verify --data FOLDER/data", 0), ("audit verify --data FOLDER/none", 1),
        ("audit verify --data FOLDER/data --head 0", 2),
        ("audit verify --file FOLDER/none.ndjson", 2),
        ("audit verify --file FOLDER/rejected.ndjson", 1),
        ("customers", 0), ("customers list", 0), ("customers put acme --subject acme", 0),
        ("customers put acme --file FOLDER/none.json", 2), ("customers put a/b", 1),
        ("customers put other --subject acme", 1), ("customers show acme", 0),
        ("customers show none", 1), ("customers unowned", 0),
        ("usage --meter-type calls --customer acme", 0),
        ("usage --meter-type calls --customer none", 1),
        ("meters enrol calls acme van-1 --start 2026-11-01T00:00:00Z", 0),
        ("meters enrol calls acme van-1 --start 2026-11-01T00:00:00Z", 0),
        ("meters enrol calls acme --start 2026-11-02T00:00:00Z", 1),
        ("meters enrol none acme", 1), ("meters enrol calls", 2),
        ("meters enrol --file FOLDER/meters.json", 0),
        ("meters change calls~van-1 --end 2027-01-01T00:00:00Z", 0),
        ("meters change calls~van-1 --end 2026-01-01T00:00:00Z", 1),
        ("meters suspend calls~van-1 --reason moved", 0), ("meters suspend calls~van-1", 2),
        ("meters --state suspended --customer acme", 0), ("meters resume calls~van-1", 0),
        ("meters close calls~van-1 --reason sold", 0), ("meters close calls~none --reason x", 0),
        ("apply -f FOLDER/who.yaml --dry-run", 5), ("apply -f FOLDER/who.yaml --exit-code", 5),
        ("apply -f FOLDER/who.yaml --exit-code", 0), ("export --kind customer --kind meter", 0),
        ("customers statement acme --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z", 0),
        (
            "customers statement acme --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z"
                + " --out FOLDER/statement.html", 0
        ),
        (
            "customers statement acme --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z"
                + " --out FOLDER/none/statement.html", 1
        ), ("customers statement acme --from x --to y", 1), ("customers statement acme", 2),
        ("customers retire acme", 0), ("customers retire none", 1),
        ("apply -f FOLDER/who.yaml", 1), ("meter-types retire calls", 0),
        ("meter-types retire none", 1), ("apply -f FOLDER/calls.yaml", 1),
    ]

    private static func lay(_ folder: URL) throws {
        let files = [
            ("calls.yaml", calls), ("changed.yaml", calls + "\ndescription: all of them"),
            ("fixed.yaml", calls + "\nunit: call"), ("broken.yaml", "kind: meter-type"),
            ("events.ndjson", events),
            ("meters.json", #"{"meters":[{"meterType":"calls","subject":"van-2"}]}"#),
            (
                "who.yaml",
                """
                {kind: customer, key: acme, subjects: [acme, van-1], metadata: {team: north}}
                ---
                {kind: meter, meterType: calls, subject: van-2, metadata: {floor: "3"}}
                ---
                {kind: meter, meterType: calls, subject: van-3, start: "2026-11-01T00:00:00Z"}
                """
            ),
            ("rejected.ndjson", "{\"id\":\"c\"}\n"),
            ("event.json", #"{"id":"c","source":"gateway","type":"other","subject":"acme"}"#),
            ("more.ndjson", #"{"id":"d","source":"gateway","type":"other"}"# + "\n"),
        ]
        for (name, text) in files {
            try Data(text.utf8).write(to: folder.appending(path: name))
        }
    }

    private static func words(_ line: String, _ folder: URL) -> [String] {
        line.split(separator: " ").map { String($0).replacing("FOLDER", with: folder.path) }
    }

    @Test("each command leaves with the code that is documented")
    func exitCodes() throws {
        try Program.serving { program, folder in
            try Self.lay(folder)
            for row in Self.table {
                let outcome = try program.run(Self.words(row.line, folder))
                #expect(outcome.code == row.code, "\(row.line): \(outcome.words)")
                // Words about what went wrong go beside the answer, not into it.
                if ![0, 4, 5].contains(row.code) {
                    #expect(!outcome.words.isEmpty, "\(row.line)")
                }
            }
        }
    }

    @Test("where nobody reads on, as behind head, a command ends without a word")
    func closedPipe() throws {
        try Folder.with { folder in
            let words = folder.appending(path: "words")
            try Data().write(to: words)
            let stream = unsafe open(words.path, O_RDWR | O_APPEND | O_CLOEXEC)
            defer { close(stream) }
            let pipe = Pipe()
            try pipe.fileHandleForReading.close()
            let child = try Child(
                Program.executable.path,
                ["openapi"],
                server: "",
                streams: [stream, pipe.fileHandleForWriting.fileDescriptor, stream]
            )
            _ = child.wait()
            #expect(try String(contentsOf: words, encoding: .utf8) == "")
        }
    }

    @Test("with --json each answer is JSON, and nothing else is on standard output")
    func json() throws {
        try Program.serving { program, folder in
            try Self.lay(folder)
            for line in [
                "apply -f FOLDER/calls.yaml", "export", "ingest FOLDER/events.ndjson",
                "meter-types", "meter-types show calls", "meter-types versions calls",
                "meter-types backfills", "meters", "meters calls~acme",
                "meters calls~acme --periods", "usage --meter-type calls", "events",
                "events show gateway a", "explain gateway a", "quarantine", "quarantine groups",
                "unreadable", "books",
                "status", "config", "backup --data FOLDER/data --to FOLDER/copy",
                "restore --no-verify --from FOLDER/copy --data FOLDER/restored",
                "verify --data FOLDER/restored", "audit", "audit verify --data FOLDER/restored",
                "meter-types retire calls",
            ] {
                let outcome = try program.run(Self.words(line + " --json", folder))
                #expect(outcome.code == 0, "\(line): \(outcome.words)")
                #expect(throws: Never.self, "\(line)") {
                    _ = try JSONValue.parse(Array(outcome.output.utf8))
                }
            }
        }
    }

    @Test("what was exported declares nothing that is not there, on this server or another")
    func exportAndApply() throws {
        try Program.serving { program, folder in
            try Self.lay(folder)
            _ = try program.run(Self.words("apply -f FOLDER/calls.yaml", folder))
            let exported = try program.run(["export"])
            #expect(exported.output.contains("key: calls"))

            let same = try program.run(["apply", "-f", "-", "--dry-run"], input: exported.output)
            #expect((same.code, same.output) == (0, "= meter-type calls\n"))

            try Program.serving { other, _ in
                let made = try other.run(["apply", "-f", "-"], input: exported.output)
                #expect(made.code == 0)
                #expect(try other.run(["export"]).output == exported.output)
            }
        }
    }

    @Test("an explanation names the meter and its period, and why another did not count")
    func explain() throws {
        try Program.serving { program, folder in
            try Self.lay(folder)
            for line in ["apply -f FOLDER/calls.yaml", "ingest FOLDER/events.ndjson"] {
                _ = try program.run(Self.words(line, folder))
            }
            let counted = try program.run(["explain", "gateway", "a"]).output
            let unmatched = try program.run(["explain", "gateway", "b"]).output

            #expect(counted.contains("calls~acme"))
            #expect(counted.contains("model=large"))
            #expect(counted.contains("Z to "))
            #expect(unmatched.contains("NOT BY"))
            #expect(unmatched.contains("type: \"other\" is not among llm.request"))
        }
    }

    @Test("the page of commands has each command and each exit code")
    func page() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "docs/reference/cli.md")
        let page = try String(contentsOf: path, encoding: .utf8)

        for command in Odometer.commands {
            let name = try #require(command.configuration.commandName)
            #expect(page.contains("[`\(name)`") || page.contains("`, `\(name)`"), "\(name)")
        }
        let codes = page.matches(of: /\n\| ([0-9]+) \|/).compactMap { Int32($0.output.1) }
        #expect(codes == [0] + CommandCode.allCases.map(\.rawValue))
    }
}
