/// A phrase that code may not contain, and what to write instead.
struct Ban {
    enum Scope {
        case everywhere
        /// Every target but the executable, and the tests.
        case librariesAndTests
        case libraries
        /// The rooms a quantity passes through on its way from the wire to a reading.
        case valueRooms
        case tests
    }

    var phrase: String
    var instead: String
    var scope: Scope = .everywhere
    /// Texts that lift the ban where one stands on the same line or the two after it.
    var unless: [String] = []
    var isAboutComments = false

    static let list: [Ban] = [
        Ban(phrase: "try!", instead: "throw, or say why it cannot fail with a precondition"),
        Ban(phrase: "as!", instead: "cast with `as?`, or change the type"),
        Ban(phrase: "fatalError(", instead: "throw; for a programmer's fault, `precondition`"),
        Ban(phrase: "@unchecked Sendable", instead: "hold the state in a `Mutex`"),
        Ban(phrase: "nonisolated(unsafe)", instead: "hold the state in a `Mutex`"),
        Ban(phrase: "Date()", instead: "take a clock as a parameter", scope: .librariesAndTests),
        Ban(phrase: "Date.now", instead: "take a clock as a parameter", scope: .librariesAndTests),
        Ban(phrase: "Task.sleep", instead: sleeping, scope: .librariesAndTests),
        Ban(phrase: "Thread.sleep", instead: sleeping, scope: .librariesAndTests),
        Ban(phrase: "usleep(", instead: sleeping, scope: .librariesAndTests),
        Ban(phrase: ".random(", instead: seeds, scope: .librariesAndTests, unless: generators),
        Ban(
            phrase: ".randomElement(",
            instead: seeds,
            scope: .librariesAndTests,
            unless: generators
        ),
        Ban(phrase: ".shuffled(", instead: seeds, scope: .librariesAndTests, unless: generators),
        Ban(phrase: ".shuffle(", instead: seeds, scope: .librariesAndTests, unless: generators),
        Ban(phrase: "SystemRandomNumberGenerator", instead: seeds, scope: .librariesAndTests),
        Ban(phrase: "Task {", instead: structure, scope: .libraries),
        Ban(phrase: "Task(", instead: structure, scope: .libraries),
        Ban(phrase: "Task.detached", instead: structure, scope: .libraries),
        Ban(phrase: "print(", instead: "log, or return the text", scope: .libraries),
        Ban(phrase: "Double", instead: exactness, scope: .valueRooms),
        Ban(phrase: "Float", instead: exactness, scope: .valueRooms),
        Ban(phrase: "Float16", instead: exactness, scope: .valueRooms),
        Ban(phrase: "Float32", instead: exactness, scope: .valueRooms),
        Ban(phrase: "Float64", instead: exactness, scope: .valueRooms),
        Ban(phrase: "CGFloat", instead: exactness, scope: .valueRooms),
        Ban(phrase: "TimeInterval", instead: exactness, scope: .valueRooms),
        Ban(phrase: ".disabled(", instead: "mend the test or delete it", scope: .tests),
        Ban(phrase: "TODO", instead: later, isAboutComments: true),
        Ban(phrase: "FIXME", instead: later, isAboutComments: true),
        Ban(phrase: "XXX", instead: later, isAboutComments: true),
        Ban(phrase: "HACK", instead: later, isAboutComments: true),
    ]

    private static let sleeping = "wait for the thing itself: a clock parameter, or a level trigger"
    private static let seeds = "pass a `SeededGenerator` with `using:` and print its seed"
    /// A generator is handed in: the standard library's way, and ours (`Sample.random(from: &it)`).
    private static let generators = ["using:", "from: &"]
    private static let structure = "use a task group in `run()`; long life belongs to a service"
    private static let exactness = "use `Quantity`, or whole microseconds; no float carries a value"
    private static let later = "do it, or write it where readers look: an issue, docs/decisions"

    func applies(to file: SwiftText) -> Bool {
        switch scope {
        case .everywhere: true
        case .libraries: file.top == "Sources" && file.room != Room.executable.name
        case .librariesAndTests:
            file.top == "Tests" || (file.top == "Sources" && file.room != Room.executable.name)
        case .valueRooms: file.top == "Sources" && Room.ofValues.contains(file.room)
        case .tests: file.top == "Tests"
        }
    }

    func places(in file: SwiftText) -> [Int] {
        let text = isAboutComments ? file.comments : file.code
        let needle = Array(phrase.utf8)
        return text.indices.filter { number in
            guard text[number].holdsPhrase(needle) else { return false }
            let near = text[number..<Swift.min(number + 3, text.count)]
            return !unless.contains { lifting in
                near.contains { $0.holdsPhrase(Array(lifting.utf8)) }
            }
        }
    }
}

/// Judges the files against the ban list; an allowance that nothing needs is a violation too.
func banViolations(
    _ files: [SwiftText],
    bans: [Ban] = Ban.list,
    allowances: [Allowance]
) -> [Violation] {
    var unused = Set(allowances.map(\.place))
    var violations: [Violation] = []
    for file in files {
        for ban in bans where ban.applies(to: file) {
            let place = Allowance.Place(phrase: ban.phrase, path: file.path)
            let lines = ban.places(in: file)
            if lines.isEmpty { continue }
            if allowances.contains(where: { $0.place == place }) {
                unused.remove(place)
                continue
            }
            violations += lines.map {
                Violation(file.path, line: $0 + 1, "`\(ban.phrase)`", remedy: ban.instead)
            }
        }
    }
    violations += unused.map {
        let rule = "the allowance for `\($0.phrase)` is no longer needed"
        return Violation($0.path, rule, remedy: "take it out of Tests/Tidy/Allowances.swift")
    }
    return violations.sorted { $0.description < $1.description }
}

extension [UInt8] {
    /// Whether the phrase stands here as words of its own: `addTask {` does not hold `Task {`.
    func holdsPhrase(_ phrase: [UInt8]) -> Bool {
        guard let head = phrase.first, let tail = phrase.last, count >= phrase.count else {
            return false
        }
        for start in 0...(count - phrase.count) where self[start] == head {
            guard self[start..<(start + phrase.count)].elementsEqual(phrase) else { continue }
            let end = start + phrase.count
            let joinsBefore = start > 0 && isNameByte(self[start - 1]) && isNameByte(head)
            let joinsAfter = end < count && isNameByte(self[end]) && isNameByte(tail)
            if !joinsBefore && !joinsAfter { return true }
        }
        return false
    }
}

func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
        true
    default: false
    }
}
