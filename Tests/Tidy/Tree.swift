import Foundation

/// The checked-out tree: where it is and what lies in it. The rules take texts, never paths.
struct Tree {
    let root: URL

    /// The tree this very file stands in, also when reached through the symbolic link that
    /// `scripts/check --fast` makes below `.build`.
    static let here: Tree = {
        var folder = URL(filePath: #filePath).deletingLastPathComponent()
        while folder.path() != "/" {
            let sign = folder.appending(path: "Sources/UsageModel").path()
            if FileManager.default.fileExists(atPath: sign) { break }
            folder = folder.deletingLastPathComponent().standardizedFileURL
        }
        return Tree(root: folder)
    }()

    /// The files below some folders whose names end so, as paths from the root, in order.
    func files(below folders: [String], endingIn suffix: String) -> [String] {
        folders.flatMap { folder in
            let names = FileManager.default.enumerator(
                atPath: root.appending(path: folder).path()
            )
            return (names?.compactMap { $0 as? String } ?? [])
                .filter { $0.hasSuffix(suffix) && !$0.split(separator: "/").contains(".build") }
                .map { folder == "." ? $0 : "\(folder)/\($0)" }
        }
        .sorted()
    }

    func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    func holds(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path())
    }

    /// Every Swift file we wrote, read and told apart into code, comments and literals.
    func swiftFiles() throws -> [SwiftText] {
        let paths = files(below: ["Sources", "Tests", "Benchmarks"], endingIn: ".swift")
        return try paths.map { SwiftText(path: $0, try text($0)) }
    }

    /// Every page: the Markdown at the root and below `docs`.
    func pages() throws -> [Page] {
        let atRoot = try FileManager.default.contentsOfDirectory(atPath: root.path())
            .filter { $0.hasSuffix(".md") }
        return try (atRoot.sorted() + files(below: ["docs"], endingIn: ".md"))
            .map { Page(path: $0, try text($0)) }
    }
}
