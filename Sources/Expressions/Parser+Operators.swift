import UsageModel

extension Parser {
    // MARK: Logic

    mutating func readOr() throws(ExpressionError) -> Part {
        try enter()
        defer { leave() }
        let first = try readAnd()
        guard isSymbol("||") || isName("or") else { return first }
        var parts = [first]
        while isSymbol("||") || isName("or") {
            try advance()
            parts.append(try readAnd())
        }
        return try logic(.or, parts)
    }

    private mutating func readAnd() throws(ExpressionError) -> Part {
        let first = try readNot()
        guard isSymbol("&&") || isName("and") else { return first }
        var parts = [first]
        while isSymbol("&&") || isName("and") {
            try advance()
            parts.append(try readNot())
        }
        return try logic(.and, parts)
    }

    private mutating func logic(
        _ operation: Node.Operation,
        _ parts: [Part]
    ) throws(ExpressionError) -> Part {
        for part in parts {
            try check(part, is: .bool, remedy: "compare it with ==, <, in …, or use exists")
        }
        let (first, count) = list(parts)
        return try add(
            Node(operation: operation, count: count, first: first),
            .bool,
            from: parts[0].start,
            to: parts[parts.count - 1].end,
            over: parts
        )
    }

    private mutating func readNot() throws(ExpressionError) -> Part {
        guard isSymbol("!") || isName("not") else { return try readComparison() }
        let start = token.start
        try enter()
        defer { leave() }
        try advance()
        let part = try readNot()
        return try negation(of: part, from: start)
    }

    private mutating func negation(of part: Part, from start: Int) throws(ExpressionError) -> Part {
        try check(part, is: .bool, remedy: "compare it with ==, <, in …, or use exists")
        return try add(
            Node(operation: .not, first: part.node),
            .bool,
            from: start,
            to: part.end,
            over: [part]
        )
    }

    // MARK: Comparison

    private static let comparisons: [String: Node.Operation] = [
        "==": .equal, "!=": .notEqual, "<": .less, "<=": .lessOrEqual, ">": .greater,
        ">=": .greaterOrEqual,
    ]
    private static let searches: [String: Node.Operation] = [
        "startsWith": .startsWith, "endsWith": .endsWith, "contains": .contains,
    ]

    /// Whether the token is an operator that compares.
    private var isComparing: Bool {
        switch token.kind {
        case .symbol(let symbol): Self.comparisons[symbol] != nil
        case .name(let name):
            Self.searches[name] != nil || name == "matches" || name == "in" || name == "not"
        default: false
        }
    }

    private mutating func readComparison() throws(ExpressionError) -> Part {
        let left = try readSum()
        guard isComparing else { return left }
        let part = try readRest(of: left)
        if isComparing {
            throw unexpected("and, or, or the end", "compare two values at a time, joined with and")
        }
        return part
    }

    private mutating func readRest(of left: Part) throws(ExpressionError) -> Part {
        let word = token
        try advance()
        switch word.kind {
        case .symbol(let symbol):
            guard let operation = Self.comparisons[symbol] else { break }
            return try comparison(operation, left, try readSum())
        case .name("in"): return try membership(left)
        case .name("not"):
            guard isName("in") else { throw unexpected("in", "write not in, or not (…)") }
            try advance()
            return try negation(of: try membership(left), from: left.start)
        case .name("matches"): return try match(left)
        case .name(let name):
            guard let operation = Self.searches[name] else { break }
            let right = try readSum()
            let texts = "\(name) compares texts; quote it, or make a text with concat"
            let whole: Kinds = operation == .contains ? [.text, .array] : .text
            try check(left, is: whole, remedy: texts)
            let isElement = operation == .contains && left.kinds.contains(.array)
            try check(right, is: isElement ? .scalar : .text, remedy: texts)
            return try binary(operation, left, right, .bool)
        default: break
        }
        throw unexpected("an operator")
    }

    private mutating func comparison(
        _ operation: Node.Operation,
        _ left: Part,
        _ right: Part
    ) throws(ExpressionError) -> Part {
        let isOrdering = operation != .equal && operation != .notEqual
        let common: Kinds = isOrdering ? [.number, .text] : [.number, .text, .bool, .null]
        try check(left, is: common, remedy: "only texts and numbers have an order")
        let needed = left.kinds.intersection(common)
        let remedy = "both sides of a comparison must be of one kind"
        try check(right, is: needed, remedy: remedy)
        return try binary(operation, left, right, .bool)
    }

    mutating func binary(
        _ operation: Node.Operation,
        _ left: Part,
        _ right: Part,
        _ kinds: Kinds
    ) throws(ExpressionError) -> Part {
        try add(
            Node(operation: operation, first: left.node, second: right.node),
            kinds,
            from: left.start,
            to: max(left.end, right.end),
            over: [left, right]
        )
    }

    private mutating func membership(_ left: Part) throws(ExpressionError) -> Part {
        guard isSymbol("[") else {
            let right = try readSum()
            try check(right, is: .array, remedy: "write a list such as [\"a\", \"b\"], or a path")
            return try binary(.isInArray, left, right, .bool)
        }
        let open = token
        try advance()
        var parts: [Part] = []
        while !isSymbol("]") {
            if !parts.isEmpty { try take(",") }
            let part = try readSum()
            let kinds = left.kinds.intersection([.number, .text, .bool, .null])
            try check(part, is: kinds, remedy: "the list must hold what is looked for")
            parts.append(part)
            guard parts.count <= Limits.expressionListMax else {
                throw tokenizer.fault(
                    part.start,
                    found: "more than \(Limits.expressionListMax) elements",
                    expected: "at most \(Limits.expressionListMax)",
                    "use startsWith or matches, or mark the events where they are made"
                )
            }
        }
        guard !parts.isEmpty else {
            throw tokenizer.fault(
                open.start,
                found: "an empty list",
                expected: "a list with an element",
                "nothing is in an empty list; write false"
            )
        }
        let end = token.end
        try advance()
        let (first, count) = list(parts)
        return try add(
            Node(operation: .isIn, count: count, first: left.node, second: first),
            .bool,
            from: left.start,
            to: end,
            over: [left] + parts
        )
    }

    private mutating func match(_ left: Part) throws(ExpressionError) -> Part {
        try check(left, is: .text, remedy: "matches compares texts; make one with concat")
        guard case .text(let bytes) = token.kind else {
            throw unexpected("a pattern in quotes", "a pattern is written out, not computed")
        }
        let pattern = token
        guard bytes.count <= Limits.patternBytesMax else {
            throw tokenizer.fault(
                pattern.start,
                found: "a pattern of \(bytes.count) bytes",
                expected: "at most \(Limits.patternBytesMax)",
                "use in [ … ] for many alternatives"
            )
        }
        do throws(Pattern.Fault) {
            patterns.append(try Pattern(bytes))
        } catch {
            throw tokenizer.fault(
                pattern.start,
                found: tokenizer.excerpt(pattern.start, pattern.end) + " (\(error.reason))",
                expected: "a pattern",
                "see the syntax of RE2; there are no back references and no look-around"
            )
        }
        try advance()
        let node = Node(
            operation: .matches,
            first: left.node,
            second: Int32(patterns.count - 1)
        )
        return try add(node, .bool, from: left.start, to: pattern.end, over: [left])
    }

    // MARK: Arithmetic

    mutating func readSum() throws(ExpressionError) -> Part {
        var left = try readProduct()
        while isSymbol("+") || isSymbol("-") {
            let operation: Node.Operation = isSymbol("+") ? .add : .subtract
            try advance()
            left = try arithmetic(operation, left, try readProduct())
        }
        return left
    }

    private mutating func readProduct() throws(ExpressionError) -> Part {
        let operations: [String: Node.Operation] = [
            "*": .multiply, "/": .divide, "%": .remainder,
        ]
        var left = try readUnary()
        while case .symbol(let symbol) = token.kind, let operation = operations[symbol] {
            try advance()
            left = try arithmetic(operation, left, try readUnary())
        }
        return left
    }

    private mutating func arithmetic(
        _ operation: Node.Operation,
        _ left: Part,
        _ right: Part
    ) throws(ExpressionError) -> Part {
        let remedy =
            operation == .add
            ? "only numbers are added; join texts with concat" : "compute with numbers only"
        try check(left, is: .number, remedy: remedy)
        try check(right, is: .number, remedy: remedy)
        return try binary(operation, left, right, resultKinds([left, right]))
    }

    /// A number; missing where an operand may be.
    func resultKinds(_ parts: [Part], _ kinds: Kinds = .number) -> Kinds {
        let canBeMissing = parts.contains { $0.kinds.contains(.null) }
        return canBeMissing ? kinds.union(.null) : kinds
    }

    private mutating func readUnary() throws(ExpressionError) -> Part {
        guard isSymbol("-") else { return try readPrimary() }
        let minus = token
        if tokenizer.isBeforeDigit {
            let number = try tokenizer.negativeNumber(from: minus.start)
            guard case .number(let mantissa) = number.kind else { throw unexpected("a number") }
            try advance()
            return try part(of: mantissa, number)
        }
        try enter()
        defer { leave() }
        try advance()
        let part = try readUnary()
        try check(part, is: .number, remedy: "compute with numbers only")
        return try add(
            Node(operation: .negate, first: part.node),
            resultKinds([part]),
            from: minus.start,
            to: part.end,
            over: [part]
        )
    }
}
