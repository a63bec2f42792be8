import Foundation

/// `docs/reference/expressions.md`, read as data.
enum ReferencePage {
    struct Row: CustomStringConvertible, Sendable {
        var cells: [String]

        var description: String { cells.joined(separator: " | ") }
    }

    private static let lines: [String] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let path = root.appending(path: "docs/reference/expressions.md")
        let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }()

    /// The rows of the table whose head begins with these words, without their code marks.
    static func rows(_ head: String) -> [Row] {
        guard let start = lines.firstIndex(where: { $0.hasPrefix("| " + head) }) else { return [] }
        return lines[(start + 2)...].prefix { $0.hasPrefix("| ") }.map { line in
            let cells = line.dropFirst(2).dropLast(2).split(separator: " | ").map {
                cell -> String in
                let cell = cell.hasPrefix("`") ? cell.dropFirst().dropLast() : cell[...]
                return String(cell.replacing("\\|", with: "|"))
            }
            return Row(cells: cells)
        }
    }
}
