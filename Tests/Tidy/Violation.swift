/// One place that breaks one rule, and what to write instead.
struct Violation: Hashable, CustomStringConvertible {
    var path: String
    /// Counted from 1; zero where the rule is about the file or the tree.
    var line: Int
    var rule: String
    var remedy: String

    init(_ path: String, line: Int = 0, _ rule: String, remedy: String) {
        (self.path, self.line, self.rule, self.remedy) = (path, line, rule, remedy)
    }

    var description: String {
        line > 0 ? "\(path):\(line): \(rule); \(remedy)" : "\(path): \(rule); \(remedy)"
    }
}
