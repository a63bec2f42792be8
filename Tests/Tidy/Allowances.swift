/// A banned phrase that one file may use after all, and why. One entry per phrase and file.
struct Allowance {
    struct Place: Hashable {
        var phrase: String
        var path: String
    }

    var place: Place
    var because: String

    init(_ phrase: String, in path: String, because: String) {
        place = Place(phrase: phrase, path: path)
        self.because = because
    }

    /// Add an entry here when the ban list stands in the way of code that is right.
    static let list = [
        Allowance(
            "@unchecked Sendable",
            in: "Sources/Expressions/Pattern.swift",
            because: "RE2 lets many threads ask a compiled pattern at once, and nothing changes it"
        ),
        Allowance(
            "@unchecked Sendable",
            in: "Sources/SQLiteLedger/Intake/DerivedState.swift",
            because: "a frozen table is read by many threads and changed by none"
        ),
        Allowance(
            "@unchecked Sendable",
            in: "Sources/SQLiteLedger/Truth/EventBlock.swift",
            because: "the pool hands a compressor to one thread at a time"
        ),
        Allowance(
            "@unchecked Sendable",
            in: "Sources/SQLiteLedger/Derived/FlatMemory.swift",
            because: "memory that was given back is nobody's; whoever takes it has it alone"
        ),
        Allowance(
            "@unchecked Sendable",
            in: "Sources/SQLiteLedger/Derived/KeyTable.swift",
            because: "flat memory, changed under the ledger's lock and lent only once frozen"
        ),
        Allowance(
            "@unchecked Sendable",
            in: "Sources/SQLiteLedger/Derived/NameTable.swift",
            because: "flat memory, changed under the ledger's lock"
        ),
        Allowance(
            "@unchecked Sendable",
            in: "Sources/SQLiteLedger/Derived/CellTable.swift",
            because: "flat memory, changed under the ledger's lock and lent only once frozen"
        ),
        Allowance(
            "usleep(",
            in: "Sources/SQLiteLedger/Intake/Backfilling.swift",
            because: "a pause on a thread of its own when the device refuses; nothing to wait for"
        ),
        Allowance(
            "usleep(",
            in: "Sources/SQLiteLedger/Intake/Checkpoints.swift",
            because: "a pause on a thread of its own when the device is full; nothing to wait for"
        ),
    ]
}

/// A file or function that is longer than the rule, and how long it may stay: a ratchet, it only
/// goes down. The name of a function is `path#name`.
struct Overlength {
    var name: String
    var linesMax: Int
    var because: String

    static let list = [
        Overlength(
            name: "Sources/SQLiteLedger/LedgerOpening.swift#open",
            linesMax: 62,
            because: "one story, told in the order in which it must happen"
        ),
        Overlength(
            name: "Sources/MeteringTestKit/ReferenceLedger.swift#record",
            linesMax: 72,
            because: "the reference is to be read from top to bottom"
        ),
    ]
}

/// A name that holds a banned word because somebody else chose it, such as a requirement of a
/// protocol of theirs.
struct NameAllowance {
    var name: String
    var because: String

    static let list = [
        NameAllowance(name: "handle", because: "Hummingbird's `MiddlewareProtocol` spells it so")
    ]
}

/// A page that the index may name before it is there.
let pagesUnderWay: Set = [
    // Written together with the decoder, in a change of its own.
    "docs/reference/json-verdicts.md"
]
