/// Command-line words: `--name value` and `--flag`, each known by name and used at most once.
struct Options {
    private var values: [String: String] = [:]
    private var unused: Set<String> = []

    init(_ words: ArraySlice<String>) throws(BenchError) {
        var rest = words
        while let word = rest.popFirst() {
            guard word.hasPrefix("--") else { throw BenchError("unexpected '\(word)'") }
            let name = String(word.dropFirst(2))
            guard values[name] == nil else { throw BenchError("--\(name) is given twice") }
            let hasValue = rest.first.map { !$0.hasPrefix("--") } ?? false
            values[name] = hasValue ? rest.removeFirst() : "yes"
            unused.insert(name)
        }
    }

    mutating func text(_ name: String) -> String? {
        unused.remove(name)
        return values[name]
    }

    mutating func flag(_ name: String) -> Bool { text(name) != nil }

    /// A whole number; `k` and `m` at its end multiply.
    mutating func number(_ name: String, default fallback: Int) throws(BenchError) -> Int {
        guard let word = text(name) else { return fallback }
        guard let number = Self.parse(word) else { throw BenchError("--\(name) \(word)?") }
        return number
    }

    mutating func numbers(_ name: String, default fallback: [Int]) throws(BenchError) -> [Int] {
        guard let word = text(name) else { return fallback }
        let numbers = word.split(separator: ",").compactMap { Self.parse(String($0)) }
        guard !numbers.isEmpty else { throw BenchError("--\(name) \(word)?") }
        return numbers
    }

    mutating func real(_ name: String) throws(BenchError) -> Double? {
        guard let word = text(name) else { return nil }
        guard let number = Double(word) else { throw BenchError("--\(name) \(word)?") }
        return number
    }

    /// One of an enumeration's cases, or all of them for `all`.
    mutating func choices<Choice: RawRepresentable & CaseIterable>(
        _ name: String,
        default fallback: [Choice]
    ) throws(BenchError) -> [Choice] where Choice.RawValue == String {
        guard let word = text(name) else { return fallback }
        if word == "all" { return Array(Choice.allCases) }
        let found = word.split(separator: ",").compactMap { Choice(rawValue: String($0)) }
        guard !found.isEmpty else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw BenchError("--\(name) is one of: \(known), all")
        }
        return found
    }

    /// Refuses what no one asked for: it is a typo.
    func finish() throws(BenchError) {
        if let name = unused.min() { throw BenchError("unknown option --\(name)") }
    }

    private static func parse(_ word: String) -> Int? {
        let lower = word.lowercased()
        if lower.hasSuffix("k") { return Int(lower.dropLast()).map { $0 * 1_000 } }
        if lower.hasSuffix("m") { return Int(lower.dropLast()).map { $0 * 1_000_000 } }
        return Int(lower.filter { $0 != "_" })
    }
}
