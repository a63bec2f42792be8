import Foundation
import Testing

@testable import HTTPAPI

/// `docs/problems/`, held against the server's own list.
@Suite("The pages of problems") struct ProblemPageTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/problems")

    private static func page(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name + ".md"), encoding: .utf8)
    }

    @Test("each type of problem has a page that states its status", arguments: ProblemType.allCases)
    func pages(type: ProblemType) throws {
        let page = try Self.page(type.rawValue)

        #expect(page.contains("`/problems/\(type.rawValue)` · status \(type.status)\n"))
    }

    @Test("the list of problems has each with its status", arguments: ProblemType.allCases)
    func list(type: ProblemType) throws {
        let link = "| [\(type.rawValue)](\(type.rawValue).md) | \(type.status) |"

        #expect(try Self.page("README").contains(link))
    }

    @Test("no page is left of a problem that the server does not have")
    func noneLeft() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        let types = Set(ProblemType.allCases.map { $0.rawValue + ".md" })

        #expect(Set(names).subtracting(types) == ["README.md"])
    }
}
