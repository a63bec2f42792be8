import Foundation
import Testing
import WireFormat

/// The audit trail as an auditor meets it: a server that runs, an export that is kept, and a store
/// that somebody touched.
@Suite("Audit commands") struct AuditCommandTests {
    private static func fill(_ program: Program) throws {
        let why = ["--actor", "Zoë", "--reason", "ticket 17"]
        for words in [
            ["meter-types", "create", "--key", "calls", "--event-type", "c"]
                + ["--aggregation", "count"] + why,
            ["meters", "enrol", "calls", "van-1"] + why,
            ["meters", "suspend", "calls~van-1", "--actor", "lee", "--reason", "in repair"],
            ["customers", "put", "acme", "--subject", "van-1"],
        ] {
            let outcome = try program.run(words)
            #expect(outcome.code == 0, "\(words): \(outcome.words)")
        }
    }

    @Test("who changed what is listed: with name, address, program and reason")
    func list() throws {
        try Program.serving { program, _ in
            try Self.fill(program)
            let table = try program.run(["audit", "list", "--by", "Zoë"]).output
            let json = try program.run(["audit", "--kind", "meter", "--json"]).output
            let refused = try program.run(["customers", "put", "b", "--reason", "a\nb"])

            #expect(table.contains("Zoë") && table.contains("ticket 17"))
            #expect(!table.contains("lee"))
            let items = try JSONValue.parse(Array(json.utf8))["items"]?.arrayValue ?? []
            #expect(items.map { $0["action"] } == ["suspend", "enrol"])
            #expect(items.map { $0["reason"] } == ["in repair", "ticket 17"])
            #expect(items.map { $0["address"] } == ["127.0.0.1", "127.0.0.1"])
            #expect(items.map { $0["client"] } == ["odometer", "odometer"])
            #expect(refused.code == 2)
        }
    }

    @Test("a trail is verified beside the server, against a head, and as it was exported")
    func verify() throws {
        try Program.serving { program, folder in
            try Self.fill(program)
            let data = ["--data", folder.appending(path: "data").path]
            let file = folder.appending(path: "audit.ndjson")
            let exported = try program.run(["audit", "export"]).output
            try Data(exported.utf8).write(to: file)
            let last = try #require(exported.split(separator: "\n").last)
            let head = try #require(
                try JSONValue.parse(Array(last.utf8))["head"]?.stringValue
            )
            let verify = ["audit", "verify"]
            let live = try program.run(verify + data)
            let against = try program.run(verify + data + ["--head", head])
            let other = try program.run(verify + data + ["--head", "9" + head.dropFirst()])
            let nonsense = try program.run(verify + data + ["--head", "4:x"])
            let whole = try program.run(verify + ["--file", file.path, "--head", head])
            let input = exported.replacing("\"lee\"", with: "\"kim\"")
            let changed = try program.run(verify + ["--file", "-", "--json"], input: input)
            let cut = exported.split(separator: "\n").dropFirst(2).joined(separator: "\n")
            let short = try program.run(verify + ["--file", "-"], input: cut)
            let none = try program.run(verify + ["--data", folder.appending(path: "no").path])

            #expect(exported.split(separator: "\n").count == 5)
            #expect((live.code, live.output) == (0, "sound: 4 entries, head \(head)\n"))
            #expect((against.code, whole.code) == (0, 0))
            #expect(other.code == 1 && other.output.contains("audit entry 9, entry:"))
            #expect(nonsense.code == 2)
            #expect(changed.code == 1)
            let found = try JSONValue.parse(Array(changed.output.utf8))["findings"]?.arrayValue
            #expect(found?.first?["number"] == "3")
            #expect(short.code == 1 && short.output.contains("audit entry 1, entry:"))
            #expect(none.code == 1)
        }
    }

    @Test("all of a directory is verified with its trail, also where that is a restored copy")
    func restored() throws {
        try Program.serving { program, folder in
            try Self.fill(program)
            let live = try program.run(["audit", "list", "--limit", "1", "--json"]).output
            let head = try #require(try JSONValue.parse(Array(live.utf8))["head"]?.stringValue)
            let (data, copy, new) = ("data", "copy", "new")
            func path(_ name: String) -> String { folder.appending(path: name).path }
            _ = try program.run(["backup", "--data", path(data), "--to", path(copy)])
            let stopped = try program.run(["audit", "verify", "--data", path(copy)])
            let restored = try program.run(["restore", "--from", path(copy), "--data", path(new)])
            let again = try program.run(["audit", "verify", "--data", path(new), "--head", head])

            #expect((stopped.code, again.code) == (0, 0))
            #expect(stopped.output == "sound: 4 entries, head \(head)\n")
            #expect(restored.output.contains("4 audit entries, head \(head)"))
        }
    }
}
