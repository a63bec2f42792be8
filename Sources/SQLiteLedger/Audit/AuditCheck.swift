public import UsageModel

/// Holds the entries of an audit trail, the first one first, against their hashes.
public struct AuditCheck: Sendable {
    /// One place where the chain is broken.
    public struct Finding: Sendable, Hashable, CustomStringConvertible {
        /// The entry that does not fit.
        public var number: Int64
        /// What of it: names of columns, `entry` where all of it is missing.
        public var what: [String]
        public var text: String

        public var description: String {
            "audit entry \(number), \(what.joined(separator: ", ")): \(text)"
        }
    }

    public struct Report: Sendable {
        /// The first broken link first.
        public var findings: [Finding] = []
        public var entries: Int64 = 0
        /// The last entry that is there.
        public var head = AuditHead.beginning

        public var isSound: Bool { findings.isEmpty }
    }

    /// The most findings that are listed; damage past it is damage all the same.
    public static let findingsMax = 100

    private let remembered: AuditHead?
    private var wasMet = false
    private var report = Report()
    /// What the next entry may hold for the hash before it: as stored and, where that is another,
    /// as computed. So an entry whose hash was changed is named once, and not its neighbour too.
    private var links = [AuditHead.beginning.hash]

    /// - Parameter head: An end of the trail that was noted before, elsewhere; nil where none was.
    public init(remembered head: AuditHead? = nil) { remembered = head }

    /// Takes the next entry of an exported trail.
    public mutating func take(_ entry: AuditEntry) {
        take(AuditChain(entry), previous: entry.previous, hash: entry.hash, marks: nil)
    }

    /// Takes the head that an export ends with; nil is none that can be read.
    public mutating func meet(_ head: AuditHead?) {
        guard head != report.head else { return }
        let end = report.head.number
        find(max(end, head?.number ?? 0), ["head"], "the trail ends at \(end), and not there")
    }

    /// - Parameter marks: nil where they were not kept.
    mutating func take(
        _ chain: AuditChain,
        previous: [UInt8],
        hash: [UInt8],
        marks: [UInt8]?
    ) {
        let number = chain.number
        let expected = report.head.number + 1
        if number != expected {
            let isMissing = "it is missing; the next one is \(number)"
            find(
                min(number, expected),
                ["entry"],
                number > expected ? isMissing : "it comes twice"
            )
        }
        let computed = chain.hash(after: previous)
        let isLinked = links.contains(previous)
        let changed = marks.map(chain.differing) ?? []
        if computed != hash {
            if !isLinked, links.contains(where: { chain.hash(after: $0) == hash }) {
                find(number, ["previous"], "changed; the hash is over that of the entry before")
            } else if changed.isEmpty {
                find(number, ["hash"], "it is not the hash of the entry's fields")
            } else {
                find(number, changed.map(\.rawValue), "changed; the hash does not fit")
            }
        } else if !isLinked, number == expected {
            find(number, ["previous"], "it is not the hash of entry \(number - 1)")
        } else if !changed.isEmpty {
            find(number, ["marks"], "changed; the entry itself fits its hash")
        }
        links = computed == hash ? [hash] : [hash, computed]
        report.entries += 1
        report.head = AuditHead(number: number, hash: hash)
        if let remembered, remembered.number == number {
            wasMet = true
            if remembered.hash != hash {
                find(number, ["hash"], "it is another than the remembered head has")
            }
        }
    }

    /// What was found, once all entries were taken.
    public mutating func finish() -> Report {
        if let remembered, remembered.number > 0, !wasMet {
            let end = "the trail ends at \(report.head.number)"
            find(remembered.number, ["entry"], "it was there, as the remembered head says; \(end)")
        }
        return report
    }

    private mutating func find(_ number: Int64, _ what: [String], _ text: String) {
        if report.findings.count < Self.findingsMax {
            report.findings.append(Finding(number: number, what: what, text: text))
        }
    }
}
