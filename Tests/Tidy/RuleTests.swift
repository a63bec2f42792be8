import Testing

/// The rules, each held against small texts that break it and texts that only look as if.
@Suite("The rules of tidiness") struct RuleTests {
    private func room(_ text: String, in path: String) -> [Violation] {
        roomViolations(SwiftText(path: path, text))
    }

    private func bans(_ text: String, in path: String) -> [String] {
        banViolations([SwiftText(path: path, text)], allowances: []).map(\.rule)
    }

    @Test(
        "an import outside the table is found",
        arguments: [
            ("import Foundation", "Sources/UsageModel/A.swift"),
            ("public import SQLiteLedger", "Sources/HTTPAPI/A.swift"),
            ("import struct Foundation.Date", "Sources/Metering/A.swift"),
            ("internal import MeteringEngine", "Sources/WireFormat/A.swift"),
            ("import CZstd", "Sources/SQLiteLedger/A.swift"),
            ("import MeteringTestKit", "Sources/odometer/A.swift"),
            ("@testable import UsageModel", "Sources/Metering/A.swift"),
            ("@_exported import UsageModel", "Sources/Metering/A.swift"),
            ("import XCTest", "Tests/MeteringTests/A.swift"),
            ("let a = 1", "Sources/Elsewhere/A.swift"),
        ]
    )
    func importOutside(text: String, path: String) {
        #expect(room(text, in: path).count == 1)
    }

    @Test(
        "an import of the table is left alone",
        arguments: [
            ("public import UsageModel", "Sources/Metering/A.swift"),
            ("import Synchronization", "Sources/UsageModel/A.swift"),
            ("import Compression", "Sources/HTTPAPI/A.swift"),
            ("// import Foundation", "Sources/UsageModel/A.swift"),
            ("let text = \"import Foundation\"", "Sources/UsageModel/A.swift"),
            ("@testable import UsageModel", "Tests/UsageModelTests/A.swift"),
        ]
    )
    func importInside(text: String, path: String) {
        #expect(room(text, in: path).isEmpty)
    }

    @Test(
        "a banned phrase is found in code",
        arguments: [
            ("let a = try! f()", "Sources/odometer/A.swift", "`try!`"),
            ("let a = b as! C", "Tests/MeteringTests/A.swift", "`as!`"),
            ("let now = Date()", "Sources/MeteringEngine/A.swift", "`Date()`"),
            ("Task { await f() }", "Sources/HTTPAPI/A.swift", "`Task {`"),
            ("try await Task.sleep(for: x)", "Tests/HTTPAPITests/A.swift", "`Task.sleep`"),
            ("Int.random(in: 0...1)", "Tests/MeteringTests/A.swift", "`.random(`"),
            ("var value: Double", "Sources/Metering/A.swift", "`Double`"),
            ("let a = \"\\(Date())\"", "Sources/Metering/A.swift", "`Date()`"),
            ("// \u{54}ODO: later", "Sources/Metering/A.swift", "`TODO`"),
            ("final class A: @unchecked Sendable {}", "Sources/HTTPAPI/A.swift", sendable),
        ]
    )
    func banned(text: String, path: String, rule: String) {
        #expect(bans(text, in: path) == [rule])
    }

    private static let sendable = "`@unchecked Sendable`"

    @Test(
        "what only looks banned is left alone",
        arguments: [
            ("let now = Date()", "Sources/odometer/A.swift"),
            ("group.addTask { await f() }", "Sources/HTTPAPI/A.swift"),
            ("Int.random(in: 0...1, using: &seeded)", "Tests/MeteringTests/A.swift"),
            ("Event.random(id: 1, from: &seeded)", "Tests/MeteringTests/A.swift"),
            ("let a = \"try! this\" // as! that", "Sources/Metering/A.swift"),
            ("/* /* Date() */ Date() */ let a = 1", "Sources/Metering/A.swift"),
            ("let a = #\"a \" Date() \"#", "Sources/Metering/A.swift"),
            ("let a = /\"Date()/; let b = 1", "Sources/Metering/A.swift"),
            ("let a = \"\"\"\n  \"Date()\"\n  \"\"\"", "Sources/Metering/A.swift"),
            ("struct DoubleEntry {}", "Sources/Metering/A.swift"),
        ]
    )
    func looksBanned(text: String, path: String) {
        #expect(bans(text, in: path).isEmpty)
    }

    @Test("an allowance lifts one ban in one file, and goes stale when nothing needs it")
    func allowances() {
        let file = SwiftText(path: "Sources/HTTPAPI/A.swift", "Task { }\nlet a = try! f()")
        let needed = Allowance("try!", in: file.path, because: "a fixture")
        let stale = Allowance("as!", in: file.path, because: "a fixture")

        let found = banViolations([file], allowances: [needed, stale]).map(\.rule)

        #expect(found == ["the allowance for `as!` is no longer needed", "`Task {`"])
    }

    @Test("functions are measured from keyword to closing brace")
    func functionSpans() {
        let text = """
            protocol P {
                func requirement(a: Int) -> Int
                var other: Int { get }
            }
            struct S {
                var stored = [1].map { $0 }
                init?(x: Int = { 1 }()) {
                    self.init()
                }
                func long(
                    a: Int
                ) throws(E) -> [Int: Int] {
                    if a > 1 { return [:] }
                    return [:]
                }
            }
            """
        let found = functions(of: SwiftText(path: "Sources/Metering/A.swift", text))
        #expect(
            found == [
                FunctionSpan(name: "other", line: 3, lines: 1),
                FunctionSpan(name: "init", line: 7, lines: 3),
                FunctionSpan(name: "long", line: 10, lines: 6),
            ]
        )
    }

    @Test("a file, function or line over its size is found, and a ratchet holds it where it is")
    func sizes() {
        let body = Array(repeating: "    f()", count: 60).joined(separator: "\n")
        let file = SwiftText(path: "Sources/Metering/A.swift", "func long() {\n\(body)\n}\n")
        let ratchet = Overlength(name: "\(file.path)#long", linesMax: 62, because: "a fixture")
        #expect(sizeViolations([file], overlengths: []).map(\.rule) == ["`long` is 62 lines long"])
        #expect(sizeViolations([file], overlengths: [ratchet]).isEmpty)

        let wide = SwiftText(path: "Sources/Metering/B.swift", String(repeating: "é", count: 101))
        #expect(sizeViolations([wide], overlengths: []).map(\.rule) == ["101 columns"])

        let tall = SwiftText(
            path: "Sources/Metering/C.swift",
            String(repeating: "\n", count: 401)
        )
        #expect(sizeViolations([tall], overlengths: []).map(\.rule) == ["401 lines"])
    }

    @Test(
        "a name that says nothing is found",
        arguments: [
            "struct EventManager {}", "enum DateUtils {}", "final class BaseLedger {}",
            "protocol CSVHandler {}", "typealias OldKey = Int", "func process(_ x: Int) {}",
            "actor IntakeV2 {}",
        ]
    )
    func emptyName(text: String) {
        let file = SwiftText(path: "Sources/Metering/A.swift", text)
        #expect(nameViolations([file], allowances: []).count == 1)
    }

    @Test(
        "a name that says something is left alone",
        arguments: [
            "struct NewlineScanner {}", "enum Base64 {}", "struct Threshold {}",
            "func processed() -> Int { 0 }", "// struct Manager", "struct Commonwealth {}",
        ]
    )
    func fullName(text: String) {
        let file = SwiftText(path: "Sources/Metering/A.swift", text)
        #expect(nameViolations([file], allowances: []).isEmpty)
    }

    @Test(
        "a file is named after a noun",
        arguments: [
            ("Sources/A/Event.swift", true), ("Sources/A/Event+Hash.swift", true),
            ("Sources/odometer/main.swift", true), ("Sources/A/event.swift", false),
            ("Sources/A/EventHelpers.swift", false), ("Sources/A/Event+.swift", false),
            ("Sources/A/Event-Key.swift", false), ("Sources/A/A+B+C.swift", false),
        ]
    )
    func fileName(path: String, isFine: Bool) {
        #expect(fileNameViolations(path).isEmpty == isFine)
    }

    @Test("a link must lead to a file and to a heading of it")
    func links() {
        let page = Page(
            path: "docs/a/one.md",
            "# One\n[x](two.md) [y](../b.md#second-part) [z](#one) [w](https://w.org)\n"
                + "[v](#none)\n```\n[u](nowhere.md)\n```\n"
        )
        let other = Page(path: "docs/b.md", "## Second part\n")
        let found = linkViolations([page, other], exists: { $0 != "docs/a/two.md" })
        #expect(found.map(\.rule) == ["a link to `two.md`", "a link to `#none`"])
    }

    @Test("a page must stand in the index of its folder, or of docs")
    func index() {
        let pages = [
            Page(path: "docs/README.md", "[s](start.md) [i](internals/README.md)"),
            Page(path: "docs/start.md", ""), Page(path: "docs/lost.md", ""),
            Page(path: "docs/internals/README.md", "[t](testing.md)"),
            Page(path: "docs/internals/testing.md", ""),
            Page(path: "docs/internals/lost.md", ""), Page(path: "README.md", ""),
        ]
        #expect(indexViolations(pages).map(\.path) == ["docs/lost.md", "docs/internals/lost.md"])
    }

    @Test("problem types and their pages are compared both ways")
    func problems() {
        let source = SwiftText(
            path: "Sources/HTTPAPI/ProblemType.swift",
            """
            enum ProblemType: String {
                case notFound = "not-found"
                case busy = "busy"
            }
            """
        )
        let slugs = problemSlugs([source])
        #expect(slugs == ["not-found", "busy"])
        let found = problemViolations(slugs: slugs, pages: ["busy", "gone"]).map(\.path)
        #expect(found == ["docs/problems/not-found.md", "docs/problems/gone.md"])
    }

    @Test("a limit must stand on its page with its value")
    func limits() {
        let source = SwiftText(
            path: "Sources/UsageModel/Limits.swift",
            """
            public static let eventBytesMax = 256 * 1024
            public static let depthMax = 64
            public static let linesMax = 1_000
            """
        )
        let page = Page(
            path: "docs/limits.md",
            "| `eventBytesMax` | 262,144 bytes |\n| `depthMax` | 65 |\n| `goneMax` | 1 |\n"
        )
        #expect(
            limitViolations(source: source, page: page).map(\.rule) == [
                "`depthMax` is shown as 65", "`linesMax` is shown as nothing",
                "`goneMax` is no limit of Sources/UsageModel/Limits.swift",
            ]
        )
    }
}
