import UsageModel

extension KeyRun {
    /// Merges runs into one. Of a key that several hold, the smallest position stays. The merged
    /// runs stay as they are; memory is that of the result and 256 KiB per run.
    ///
    /// - Parameters:
    ///   - pace: Called every 170 entries or so (some ten microseconds): the place to wait, or to
    ///     give up by throwing; then nothing of the result is left.
    /// - Throws: ``DerivedFileError``, or what `pace` throws.
    static func merge(
        _ runs: [KeyRun],
        to path: String,
        store: UInt64,
        pace: () throws -> Void = {}
    ) throws -> KeyRun {
        let countMax = runs.reduce(0) { $0 + $1.count }
        let writer = try KeyRunWriter(path, store: store, countMax: countMax)
        let merge = try KeyMerge(runs.map { $0.cursor() })
        while true {
            let count = try unsafe merge.fill(writer.room)
            guard count > 0 else { break }
            try writer.turnPage(count: count)
            try pace()
        }
        return try writer.finish()
    }
}

/// The merge of some key runs, a page at a time.
@safe private final class KeyMerge {
    @unsafe private struct Source {
        var next: UnsafePointer<KeyEntry>
        var end: UnsafePointer<KeyEntry>
        var cursor: Int
    }

    private let cursors: [KeyRunCursor]
    // The runs that still have entries; flat, because it is walked once per entry.
    private let sources: UnsafeMutablePointer<Source>
    private var live = 0

    init(_ cursors: [KeyRunCursor]) throws(DerivedFileError) {
        self.cursors = cursors
        unsafe sources = .allocate(capacity: max(cursors.count, 1))
        for (index, cursor) in cursors.enumerated() {
            guard let page = try unsafe cursor.next(), let start = page.baseAddress else {
                continue
            }
            unsafe (sources + live).initialize(
                to: Source(next: start, end: start + page.count, cursor: index)
            )
            live += 1
        }
    }

    deinit { unsafe sources.deallocate() }

    /// Lays out the next entries, at most a page; returns how many, 0 at the end.
    func fill(_ room: UnsafeMutablePointer<KeyEntry>) throws(DerivedFileError) -> Int {
        let sources = unsafe self.sources
        var (live, filled) = (self.live, 0)
        defer { self.live = live }
        while live > 0 {
            var (least, which) = unsafe (sources[0].next.pointee, 0)
            var index = 1
            while index < live {
                let entry = unsafe sources[index].next.pointee
                if Self.precedes(entry.key, least.key) { (least, which) = (entry, index) }
                index &+= 1
            }
            if unsafe filled > 0 && room[filled - 1].key == least.key {
                let kept = unsafe room[filled - 1].position
                unsafe room[filled - 1].position = min(kept, least.position)
            } else {
                // Only a greater key ends the page: its repeats would have to be seen here.
                guard filled < KeyRunHeader.entriesPerPage else { return filled }
                unsafe room[filled] = least
                filled &+= 1
            }
            unsafe sources[which].next += 1
            if unsafe sources[which].next == sources[which].end, try !turn(which) {
                live -= 1
                unsafe sources[which] = unsafe sources[live]
            }
        }
        return filled
    }

    private func turn(_ which: Int) throws(DerivedFileError) -> Bool {
        let cursor = unsafe cursors[sources[which].cursor]
        guard let page = try unsafe cursor.next(), let start = page.baseAddress else {
            return false
        }
        unsafe sources[which].next = unsafe UnsafePointer(start)
        unsafe sources[which].end = unsafe UnsafePointer(start + page.count)
        return true
    }

    @inline(__always)
    private static func precedes(_ one: KeyHash, _ other: KeyHash) -> Bool {
        one.high < other.high || (one.high == other.high && one.low < other.low)
    }
}
