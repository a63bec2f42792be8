import Metering
import UsageModel

/// Reads an expression by recursive descent, straight into a flat program, checking kinds.
///
///     or         = and {("or" | "||") and}
///     and        = not {("and" | "&&") not}
///     not        = ("not" | "!") not | comparison
///     comparison = sum [operator sum | ["not"] "in" (list | sum) | "matches" text]
///     sum        = product {("+" | "-") product}
///     product    = unary {("*" | "/" | "%") unary}
///     unary      = "-" unary | primary
///     primary    = literal | path | name | function "(" … ")" | "(" or ")"
struct Parser {
    /// A part that was read: its node, and what is known of it.
    struct Part {
        var node: Int32
        var kinds: Kinds
        var depth: Int
        /// Where it stands in the text, its parentheses included.
        var start: Int
        var end: Int
    }

    var tokenizer: Tokenizer
    var token = Token(kind: .end, start: 0, end: 0)
    let zoneSource: any TimeZoneSource
    private(set) var paths: [EventPath] = []
    private(set) var nodes: [Node] = []
    private(set) var operands: [Int32] = []
    private(set) var numbers: [Int128] = []
    private(set) var literals: [UInt8] = []
    var patterns: [Pattern] = []
    var zones: [TimeZoneRules] = []
    /// How many parts that are under way stand in each other.
    private var nesting = 0
    private let text: String

    init(_ text: String, zones: any TimeZoneSource) {
        (tokenizer, zoneSource, self.text) = (Tokenizer(text), zones, text)
    }

    func program(root: Int32, excessDigits: Quantity.ExcessDigits) -> Program {
        Program(
            nodes: nodes,
            operands: operands,
            numbers: numbers,
            literals: literals,
            patterns: patterns,
            zones: zones,
            root: root,
            excessDigits: excessDigits
        )
    }

    mutating func readAll(expecting expected: ExpectedResult) throws(ExpressionError) -> Int32 {
        guard tokenizer.bytes.count <= Limits.expressionBytesMax else {
            throw tokenizer.fault(
                Limits.expressionBytesMax,
                found: "\(tokenizer.bytes.count) bytes",
                expected: "at most \(Limits.expressionBytesMax)",
                "move part of the work to where the event is made"
            )
        }
        // A text that is a path has always been one, whatever its names look like.
        if let path = try? EventPath(text) {
            let end = tokenizer.bytes.count
            let whole = Token(kind: .path(path), start: 0, end: end)
            return try part(of: path, whole).node
        }
        try advance()
        let part = try readOr()
        if token.kind != .end { throw unexpected("an operator or the end") }
        let needed: Kinds =
            switch expected {
            case .bool: .bool
            case .number: .number
            case .scalar: .scalar
            }
        try check(part, is: needed, remedy: Self.remedy(for: expected))
        return part.node
    }

    private static func remedy(for expected: ExpectedResult) -> String {
        switch expected {
        case .bool: "a filter must be true or false: compare with ==, <, in …"
        case .number: "the value must be a number: compute with it, or use length or if"
        case .scalar: "a dimension must be a text, a number or a boolean"
        }
    }

    // MARK: Tokens

    mutating func advance() throws(ExpressionError) { token = try tokenizer.next() }

    func isSymbol(_ symbol: String) -> Bool { token.kind == .symbol(symbol) }

    func isName(_ name: String) -> Bool { token.kind == .name(name) }

    mutating func take(_ symbol: String) throws(ExpressionError) {
        guard isSymbol(symbol) else { throw unexpected("\"\(symbol)\"") }
        try advance()
    }

    /// One level deeper; every ``leave()`` belongs to one.
    mutating func enter() throws(ExpressionError) {
        nesting += 1
        if nesting > Limits.expressionDepthMax { throw tooDeep(token.start) }
    }

    mutating func leave() { nesting -= 1 }

    private func tooDeep(_ offset: Int) -> ExpressionError {
        tokenizer.fault(
            offset,
            found: "more than \(Limits.expressionDepthMax) levels",
            expected: "at most \(Limits.expressionDepthMax)",
            "use fewer parentheses, and in [ … ] for many alternatives"
        )
    }

    // MARK: Nodes

    mutating func add(
        _ node: Node,
        _ kinds: Kinds,
        from start: Int,
        to end: Int,
        over parts: [Part] = []
    ) throws(ExpressionError) -> Part {
        guard nodes.count < Limits.expressionNodesMax else {
            throw tokenizer.fault(
                start,
                found: "more than \(Limits.expressionNodesMax) parts",
                expected: "at most \(Limits.expressionNodesMax)",
                "move part of the work to where the event is made"
            )
        }
        var depth = 0
        for part in parts { depth = max(depth, part.depth) }
        guard depth < Limits.expressionDepthMax else { throw tooDeep(start) }
        var node = node
        (node.start, node.end) = (UInt16(start), UInt16(end))
        nodes.append(node)
        return Part(
            node: Int32(nodes.count - 1),
            kinds: kinds,
            depth: depth + 1,
            start: start,
            end: end
        )
    }

    /// Puts the nodes of an operation with many operands where it finds them.
    mutating func list(_ parts: [Part]) -> (first: Int32, count: UInt16) {
        let first = Int32(operands.count)
        operands += parts.map(\.node)
        return (first, UInt16(parts.count))
    }

    mutating func part(of path: EventPath, _ token: Token) throws(ExpressionError) -> Part {
        let slot = slot(of: path)
        return try add(
            Node(operation: .path, first: slot),
            .any,
            from: token.start,
            to: token.end
        )
    }

    mutating func slot(of path: EventPath) -> Int32 {
        if let known = paths.firstIndex(of: path) { return Int32(known) }
        paths.append(path)
        return Int32(paths.count - 1)
    }

    mutating func part(of number: Int128, _ token: Token) throws(ExpressionError) -> Part {
        numbers.append(number)
        let node = Node(operation: .number, first: Int32(numbers.count - 1))
        return try add(node, .number, from: token.start, to: token.end)
    }

    mutating func part(of text: [UInt8], _ token: Token) throws(ExpressionError) -> Part {
        let node = Node(
            operation: .text,
            first: Int32(literals.count),
            second: Int32(text.count)
        )
        literals += text
        return try add(node, .text, from: token.start, to: token.end)
    }

    // MARK: Faults

    /// The token is not what may stand here.
    func unexpected(_ expected: String, _ remedy: String? = nil) -> ExpressionError {
        let found =
            token.kind == .end ? "the end" : tokenizer.excerpt(token.start, token.end)
        return tokenizer.fault(
            token.start,
            found: found,
            expected: expected,
            remedy ?? guessedRemedy
        )
    }

    private var guessedRemedy: String {
        switch token.kind {
        case .path: "a minus next to a name is part of it: put spaces around the operator"
        case .name(let name): remedy(forName: name)
        case .symbol("["): "a list stands to the right of in only; a path has no spaces"
        case .symbol("="): "compare with =="
        case .end: "complete the expression"
        default: "see the grammar in docs/reference/expressions.md"
        }
    }

    func check(_ part: Part, is needed: Kinds, remedy: String) throws(ExpressionError) {
        guard part.kinds.isDisjoint(with: needed) else { return }
        let node = nodes[Int(part.node)]
        let found = tokenizer.excerpt(Int(node.start), Int(node.end))
        throw tokenizer.fault(
            Int(node.start),
            found: "\(found), which is \(part.kinds.words)",
            expected: needed.words,
            remedy
        )
    }
}
