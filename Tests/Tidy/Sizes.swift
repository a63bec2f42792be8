/// The sizes of style.md §4.9. The line limit is swift-format's too; here it holds for what
/// swift-format leaves alone, such as comments and literals.
enum Size {
    static let fileLinesMax = 400
    static let functionLinesMax = 60
    static let lineColumnsMax = 100
}

func sizeViolations(_ files: [SwiftText], overlengths: [Overlength]) -> [Violation] {
    let longer = Dictionary(uniqueKeysWithValues: overlengths.map { ($0.name, $0.linesMax) })
    return files.flatMap { file in
        var violations: [Violation] = []
        let count = file.lines.count - (file.lines.last == "" ? 1 : 0)
        if count > longer[file.path] ?? Size.fileLinesMax {
            let remedy = "find the two rooms in it; at most \(Size.fileLinesMax)"
            violations.append(Violation(file.path, "\(count) lines", remedy: remedy))
        }
        for (number, line) in file.lines.enumerated() where line.count > Size.lineColumnsMax {
            let rule = "\(line.count) columns"
            let remedy = "at most \(Size.lineColumnsMax)"
            violations.append(Violation(file.path, line: number + 1, rule, remedy: remedy))
        }
        for function in functions(of: file) {
            let limit = longer["\(file.path)#\(function.name)"] ?? Size.functionLinesMax
            guard function.lines > limit else { continue }
            let rule = "`\(function.name)` is \(function.lines) lines long"
            let remedy = "at most \(Size.functionLinesMax): name the steps"
            violations.append(Violation(file.path, line: function.line, rule, remedy: remedy))
        }
        return violations
    }
}

struct FunctionSpan: Hashable {
    var name: String
    var line: Int
    var lines: Int
}

/// The functions, initializers and computed properties of a file, from the line of the keyword to
/// the line of the closing brace. Requirements of protocols have no body and are not listed.
func functions(of file: SwiftText) -> [FunctionSpan] {
    let tokens = codeTokens(of: file)
    var spans: [FunctionSpan] = []
    for place in tokens.indices {
        guard let name = declaredFunction(tokens, at: place) else { continue }
        guard let open = openingBrace(tokens, after: place) else { continue }
        guard let close = closingBrace(tokens, of: open) else { continue }
        let lines = tokens[close].line - tokens[place].line + 1
        spans.append(FunctionSpan(name: name, line: tokens[place].line, lines: lines))
    }
    return spans
}

struct CodeToken: Hashable {
    var text: String
    var line: Int
}

/// Words (with the numbers in them) and single marks; blanks are left out.
func codeTokens(of file: SwiftText) -> [CodeToken] {
    var tokens: [CodeToken] = []
    for (number, bytes) in file.code.enumerated() {
        var word: [UInt8] = []
        for byte in bytes + [UInt8(ascii: " ")] {
            if isNameByte(byte) {
                word.append(byte)
                continue
            }
            if !word.isEmpty {
                tokens.append(
                    CodeToken(text: String(decoding: word, as: UTF8.self), line: number + 1)
                )
                word = []
            }
            if byte != UInt8(ascii: " "), byte != UInt8(ascii: "\t"), byte != UInt8(ascii: "\r") {
                tokens.append(CodeToken(text: String(UnicodeScalar(byte)), line: number + 1))
            }
        }
    }
    return tokens
}

private func declaredFunction(_ tokens: [CodeToken], at place: Int) -> String? {
    guard place == 0 || tokens[place - 1].text != ".", place + 1 < tokens.count else { return nil }
    let next = tokens[place + 1].text
    switch tokens[place].text {
    case "func", "var": return next
    case "init" where ["(", "?", "<", "!"].contains(next): return "init"
    case "subscript" where ["(", "<"].contains(next): return "subscript"
    case "deinit": return "deinit"
    default: return nil
    }
}

/// The brace that opens the body; nil where the declaration has none, or holds a value.
private func openingBrace(_ tokens: [CodeToken], after place: Int) -> Int? {
    let isVariable = tokens[place].text == "var"
    let enders: Set = [
        "}", "func", "var", "let", "init", "case", "struct", "enum", "protocol", ";",
    ]
    var depth = 0
    for at in (place + 1)..<tokens.count {
        switch tokens[at].text {
        case "(", "[": depth += 1
        case ")", "]":
            depth -= 1
            if depth < 0 { return nil }
        case "{" where depth == 0: return at
        case "=" where depth == 0 && isVariable && tokens[at - 1].text != "=": return nil
        case let text where depth == 0 && at > place + 1 && enders.contains(text): return nil
        default: break
        }
    }
    return nil
}

private func closingBrace(_ tokens: [CodeToken], of open: Int) -> Int? {
    var depth = 0
    for at in open..<tokens.count {
        if tokens[at].text == "{" { depth += 1 }
        if tokens[at].text == "}" {
            depth -= 1
            if depth == 0 { return at }
        }
    }
    return nil
}
