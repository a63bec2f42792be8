/// A page of the documentation, with its links and headings.
struct Page {
    struct Link: Hashable {
        var target: String
        var line: Int
    }

    let path: String
    let lines: [String]

    init(path: String, _ text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// The lines outside fenced code, numbered from 1.
    private var prose: [(number: Int, text: String)] {
        var isFenced = false
        return lines.enumerated().compactMap { number, line in
            if line.trimmed.hasPrefix("```") {
                isFenced.toggle()
                return nil
            }
            return isFenced ? nil : (number + 1, line)
        }
    }

    var links: [Link] {
        prose.flatMap { number, text in
            text.split(separator: "](", omittingEmptySubsequences: false).dropFirst().map { rest in
                Link(target: String(rest.prefix { $0 != ")" && $0 != " " }), line: number)
            }
        }
    }

    /// The anchors a link may name: headings, as GitHub spells them.
    var anchors: Set<String> {
        Set(
            prose.filter { $0.text.hasPrefix("#") }.map { heading in
                heading.text.drop { $0 == "#" }.lowercased().trimmed
                    .filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }
                    .replacing(" ", with: "-")
            }
        )
    }

    /// A path from this page's folder, spelled from the root.
    func resolve(_ target: String) -> String {
        var folders = path.split(separator: "/").dropLast().map(String.init)
        for step in target.split(separator: "/") where step != "." {
            if step == ".." { _ = folders.popLast() } else { folders.append(String(step)) }
        }
        return folders.joined(separator: "/")
    }
}

extension StringProtocol {
    var trimmed: String {
        var text = self[...]
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text.drop(while: \.isWhitespace))
    }
}

/// Links that lead nowhere. Pages elsewhere on the web are not looked at.
func linkViolations(_ pages: [Page], exists: (String) -> Bool) -> [Violation] {
    let byPath = Dictionary(uniqueKeysWithValues: pages.map { ($0.path, $0) })
    return pages.flatMap { page in
        page.links.compactMap { link -> Violation? in
            if link.target.contains("://") || link.target.hasPrefix("mailto:") { return nil }
            let parts = link.target.split(
                separator: "#",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            let path = parts[0].isEmpty ? page.path : page.resolve(String(parts[0]))
            if !exists(path), !pagesUnderWay.contains(path) {
                let rule = "a link to `\(link.target)`"
                return Violation(page.path, line: link.line, rule, remedy: "there is no \(path)")
            }
            guard parts.count == 2, let target = byPath[path] else { return nil }
            if target.anchors.contains(String(parts[1])) { return nil }
            let remedy = "\(path) has no heading of that name"
            return Violation(
                page.path,
                line: link.line,
                "a link to `\(link.target)`",
                remedy: remedy
            )
        }
    }
}

/// Pages that no index lists: the README of the page's own folder, or else of `docs`.
func indexViolations(_ pages: [Page]) -> [Violation] {
    let byPath = Dictionary(uniqueKeysWithValues: pages.map { ($0.path, $0) })
    return pages.compactMap { page in
        let folders = page.path.split(separator: "/").dropLast()
        guard folders.first == "docs", page.path != "docs/README.md" else { return nil }
        let own = folders.joined(separator: "/") + "/README.md"
        let index = byPath[own] != nil && own != page.path ? own : "docs/README.md"
        let listed = byPath[index].map { page in page.links.map { page.resolve($0.target) } } ?? []
        if listed.contains(page.path) { return nil }
        return Violation(page.path, "no index lists this page", remedy: "add a line to \(index)")
    }
}

/// Problem types without a page, and pages without a problem type.
func problemViolations(slugs: Set<String>, pages: Set<String>) -> [Violation] {
    slugs.subtracting(pages).sorted().map {
        let remedy = "write it, and list it in docs/problems/README.md"
        return Violation("docs/problems/\($0).md", "a problem type without a page", remedy: remedy)
    }
        + pages.subtracting(slugs).sorted().map {
            let remedy = "no source answers with it: delete the page"
            return Violation("docs/problems/\($0).md", "a page of no problem type", remedy: remedy)
        }
}

/// The problem types of the sources: the raw values of the enum `ProblemType` (`case notFound =
/// "not-found"`), which is the one place that spells them.
func problemSlugs(_ files: [SwiftText]) -> Set<String> {
    let homes = files.filter { $0.path.hasPrefix("Sources/") && $0.fileName == "ProblemType.swift" }
    return Set(
        homes.flatMap(\.lines).compactMap { line in
            let line = line.trimmed
            guard line.hasPrefix("case "), line.contains(" = \""),
                let value = line.split(separator: "\"").dropFirst().first
            else { return nil }
            return String(value)
        }
    )
}

/// Limits that the page does not show, or shows with another value.
///
/// Read from `public static let nameMax = 256 * 1024`; on the page, a row that begins with the name
/// and continues with the number: ``| `nameMax` | 262,144 bytes | … |``.
func limitViolations(source: SwiftText, page: Page) -> [Violation] {
    var shown: [String: Int] = [:]
    for line in page.lines where line.hasPrefix("| `") {
        let cells = line.split(separator: "|").map(\.trimmed)
        guard cells.count >= 2 else { continue }
        let digits = cells[1].prefix { $0.isNumber || $0 == "," }.filter(\.isNumber)
        shown[cells[0].filter { $0 != "`" }] = Int(digits)
    }
    let limits = limits(of: source)
    let stale = Set(shown.keys).subtracting(limits.map(\.name)).sorted().map {
        Violation(page.path, "`\($0)` is no limit of \(source.path)", remedy: "delete the row")
    }
    return limits.compactMap { name, value in
        if shown[name] == value { return nil }
        let rule = "`\(name)` is shown as \(shown[name].map(String.init) ?? "nothing")"
        return Violation(page.path, rule, remedy: "\(source.path) says \(value)")
    } + stale
}

func limits(of source: SwiftText) -> [(name: String, value: Int)] {
    source.code.compactMap { bytes in
        let sides = String(decoding: bytes, as: UTF8.self).split(separator: "=").map(\.trimmed)
        guard sides.count == 2, sides[0].contains("static let ") else { return nil }
        let name = sides[0].split(separator: " ").last.map { $0.filter { $0 != ":" } } ?? ""
        let factors = sides[1].split(separator: "*").map { Int($0.trimmed.filter { $0 != "_" }) }
        guard name.hasSuffix("Max"), !factors.contains(nil) else { return nil }
        return (name, factors.compactMap(\.self).reduce(1, *))
    }
}
