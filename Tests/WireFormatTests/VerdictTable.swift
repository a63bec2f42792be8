import Foundation

/// `docs/reference/json-verdicts.md`, read as data.
struct VerdictTable {
    struct Row: CustomStringConvertible, Sendable {
        var what: String
        var input: [UInt8]
        var columns: [String]

        var description: String { what }
    }

    /// The member texts that `EVENT` and `…` stand for.
    static let members = #""id":"a","source":"s","type":"t","subject":"u""#

    private static let page: [String] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let path = root.appending(path: "docs/reference/json-verdicts.md")
        let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }()

    /// The rows under a heading.
    static func rows(under heading: String) -> [Row] {
        let start = page.firstIndex { $0.hasPrefix("## " + heading) } ?? page.endIndex
        let lines = page[start...].dropFirst().prefix { !$0.hasPrefix("## ") }
        return lines.filter { $0.hasPrefix("| ") && !$0.hasPrefix("| what") }.map { line in
            let cells = line.dropFirst(2).dropLast(2).split(separator: " | ").map(String.init)
            return Row(
                what: cells[0],
                input: cells[1] == "(nothing)" ? [] : bytes(of: unquoted(cells[1])),
                columns: cells.dropFirst(2).map(unquoted)
            )
        }
    }

    private static func unquoted(_ cell: String) -> String {
        cell.hasPrefix("`") ? String(cell.dropFirst().dropLast()) : cell
    }

    /// Resolves `⟨c3 a9⟩`, `⟨3×[⟩`, `EVENT` and `…`.
    private static func bytes(of text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        let spelled = text.replacing("EVENT", with: "{\(members)}").replacing("…", with: members)
        for (place, part) in spelled.split(separator: "⟨", omittingEmptySubsequences: false)
            .enumerated()
        {
            guard place > 0 else {
                bytes += Array(part.utf8)
                continue
            }
            let halves = part.split(separator: "⟩", omittingEmptySubsequences: false)
            let times = halves[0].split(separator: "×")
            if times.count == 2, let count = Int(times[0]) {
                for _ in 0..<count { bytes += Array(times[1].utf8) }
            } else {
                bytes += halves[0].split(separator: " ").compactMap { UInt8($0, radix: 16) }
            }
            bytes += Array(halves[1].utf8)
        }
        return bytes
    }
}
