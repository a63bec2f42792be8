import Testing

/// The tree as it is, held against the rules. The rules themselves are tested in `RuleTests`.
@Suite("The tree is tidy") struct TidyTests {
    @Test("the tree was found and read") func treeIsThere() throws {
        #expect(try Tree.here.swiftFiles().count > 10)
        #expect(try Tree.here.pages().contains { $0.path == "docs/README.md" })
    }

    @Test("rooms enter only the rooms they may") func rooms() throws {
        report(try Tree.here.swiftFiles().flatMap(roomViolations))
    }

    @Test("nothing on the ban list is used without a reason") func bans() throws {
        report(banViolations(try Tree.here.swiftFiles(), allowances: Allowance.list))
    }

    @Test("files, functions and lines keep their sizes") func sizes() throws {
        report(sizeViolations(try Tree.here.swiftFiles(), overlengths: Overlength.list))
    }

    @Test("names say something") func names() throws {
        report(nameViolations(try Tree.here.swiftFiles(), allowances: NameAllowance.list))
    }

    @Test("no link leads nowhere") func links() throws {
        report(linkViolations(try Tree.here.pages(), exists: Tree.here.holds))
    }

    @Test("the index lists every page") func index() throws {
        report(indexViolations(try Tree.here.pages()))
    }

    @Test("every problem type has its page, and every page its type") func problems() throws {
        let slugs = problemSlugs(try Tree.here.swiftFiles())
        let names = Tree.here.files(below: ["docs/problems"], endingIn: ".md")
            .map { $0.dropFirst("docs/problems/".count).dropLast(".md".count) }
        guard !slugs.isEmpty else { return }
        report(
            problemViolations(
                slugs: slugs,
                pages: Set(names.map(String.init)).subtracting(["README"])
            )
        )
    }

    @Test("the page of limits says what the source says") func limits() throws {
        let path = "Sources/UsageModel/Limits.swift"
        let page = Page(path: "docs/limits.md", try Tree.here.text("docs/limits.md"))
        let source = SwiftText(path: path, try Tree.here.text(path))
        report(limitViolations(source: source, page: page))
    }

    private func report(
        _ violations: [Violation],
        at place: SourceLocation = #_sourceLocation
    ) {
        for violation in violations {
            Issue.record("\(violation.description)", sourceLocation: place)
        }
    }
}
