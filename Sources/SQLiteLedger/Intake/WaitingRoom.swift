internal import MeteringEngine
internal import UsageModel

/// Where calls wait for the committer: bounded, first come first served.
///
/// A value; the ledger holds it under a lock.
struct WaitingRoom<Ticket> {
    /// About how many bytes of events one group commit takes.
    static var groupBytesMax: Int { 16 * 1024 * 1024 }

    private var waiting: [(ticket: Ticket, bytes: Int, events: Int)] = []
    private var first = 0
    private(set) var bytes = 0
    private(set) var events = 0
    private(set) var isClosed = false

    var isEmpty: Bool { first == waiting.count }

    /// - Returns: false where there is no room, or no more entry; the caller must answer so.
    mutating func enter(_ ticket: Ticket, bytes: Int, events: Int) -> Bool {
        guard !isClosed, waiting.count - first < Limits.queueCallsMax else { return false }
        guard self.bytes == 0 || self.bytes + bytes <= Limits.queueBytesMax else { return false }
        waiting.append((ticket, bytes, events))
        self.bytes += bytes
        self.events += events
        return true
    }

    /// The next group, in the order of entry: at least one where any waits.
    mutating func leave() -> [Ticket] {
        var group: [Ticket] = []
        var groupBytes = 0
        while first < waiting.count {
            let next = waiting[first]
            if !group.isEmpty, groupBytes + next.bytes > Self.groupBytesMax { break }
            group.append(next.ticket)
            groupBytes += next.bytes
            events -= next.events
            first += 1
        }
        bytes -= groupBytes
        if first == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            first = 0
        }
        return group
    }

    mutating func close() { isClosed = true }
}
