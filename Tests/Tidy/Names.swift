/// Words that say nothing, and the names they may not stand in.
enum BannedNames {
    static let words: Set = [
        "Manager", "Helper", "Helpers", "Util", "Utils", "Utility", "Utilities", "Common", "Base",
        "Misc", "Handler", "Info", "New", "Old", "V2", "Stuff",
    ]
    /// Verbs that say nothing, as the whole name of a function.
    static let verbs: Set = ["process", "handle"]
}

func nameViolations(_ files: [SwiftText], allowances: [NameAllowance]) -> [Violation] {
    let allowed = Set(allowances.map(\.name))
    return files.flatMap { file in
        fileNameViolations(file.path)
            + declaredNames(of: file).compactMap { declared in
                guard !allowed.contains(declared.name), let word = declared.bannedWord else {
                    return nil
                }
                let rule = "the name `\(declared.name)` holds `\(word)`"
                let remedy = "find the noun of the domain (docs/vocabulary.md)"
                return Violation(file.path, line: declared.line, rule, remedy: remedy)
            }
    }
}

/// A file is `Noun.swift` or `Noun+Concern.swift`.
func fileNameViolations(_ path: String) -> [Violation] {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let remedy = "name it `Noun.swift` or `Noun+Concern.swift`"
    guard name.hasSuffix(".swift") else { return [] }
    if name == "main.swift" || name == "Package.swift" { return [] }
    let parts = name.dropLast(6).split(separator: "+", omittingEmptySubsequences: false)
    let isNoun = parts.first?.first?.isUppercase == true
    let isPlain = parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isNameByte) }
    if !isNoun || !isPlain || parts.count > 2 {
        return [Violation(path, "the file name", remedy: remedy)]
    }
    let words = parts.flatMap { camelWords(String($0)) }
    return words.filter(BannedNames.words.contains).map {
        Violation(path, "the file name holds `\($0)`", remedy: remedy)
    }
}

struct DeclaredName: Hashable {
    var name: String
    var line: Int
    var isFunction: Bool

    var bannedWord: String? {
        if isFunction { return BannedNames.verbs.contains(name) ? name : nil }
        return camelWords(name).first(where: BannedNames.words.contains)
    }
}

func declaredNames(of file: SwiftText) -> [DeclaredName] {
    let keywords: Set = ["struct", "class", "enum", "actor", "protocol", "typealias", "func"]
    let tokens = codeTokens(of: file)
    return tokens.indices.dropLast().compactMap { place in
        guard keywords.contains(tokens[place].text) else { return nil }
        let name = tokens[place + 1].text
        guard name.utf8.allSatisfy(isNameByte), !["func", "var"].contains(name) else { return nil }
        let isFunction = tokens[place].text == "func"
        return DeclaredName(name: name, line: tokens[place + 1].line, isFunction: isFunction)
    }
}

/// `HTTPProblemV2` is `HTTP`, `Problem`, `V2`: a word begins at a capital that follows a small
/// letter, or that a small letter follows.
func camelWords(_ name: String) -> [String] {
    let letters = Array(name)
    var words: [String] = []
    for (at, letter) in letters.enumerated() {
        let before = at > 0 ? letters[at - 1] : " "
        let after = at + 1 < letters.count ? letters[at + 1] : " "
        let begins = letter.isUppercase && (!before.isUppercase || after.isLowercase)
        if words.isEmpty || begins || letter == "_" { words.append("") }
        words[words.count - 1].append(letter)
    }
    return words
}
