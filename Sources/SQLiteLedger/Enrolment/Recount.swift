/// How far the count of events that count, in the books, knows the changes of meters.
///
/// An event that comes in is counted by what is known then. When meters change, a pass over the log
/// counts the events before the change anew.
struct Recount: Hashable, Sendable {
    /// All events are counted by the changes up to this number, or by later ones.
    var done: Int64 = 0
    /// The pass under way counts by the changes up to this number; ``done`` where none is.
    var target: Int64 = 0
    /// The last event that the pass has looked at.
    var mark: UInt64 = 0

    init(done: Int64 = 0, target: Int64 = 0, mark: UInt64 = 0) {
        (self.done, self.target, self.mark) = (done, target, mark)
    }

    /// Nothing is left to be counted anew.
    init(knowing registry: MeterRegistry) { self.init(done: registry.last, target: registry.last) }

    var isUnderWay: Bool { target > done }

    /// By which change the event at a position is counted.
    func number(at position: UInt64, _ registry: MeterRegistry) -> Int64 {
        let known = position == 0 ? 0 : registry.number(asOf: position - 1)
        return max(known, position <= mark ? target : done)
    }
}
