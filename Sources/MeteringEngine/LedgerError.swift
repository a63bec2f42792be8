public import UsageModel

/// A fault of the ledger: a code for programs, words for operators.
public struct LedgerError: Error, Sendable, CustomStringConvertible {
    /// Closed on purpose: a new code breaks every `switch` that has not yet decided about it.
    public enum Code: String, CaseIterable, Sendable {
        /// The waiting room is full, or derived state is being rebuilt; the same call may succeed
        /// later.
        case busy
        /// Closed, or closing; the same call may succeed after a restart.
        case unavailable
        /// No space on the device; nothing was recorded, and nothing will be until there is space.
        case full
        /// Stored bytes contradict their checksum.
        case corrupt
        /// The device refused to read or write.
        case device
        /// The caller asked for what is not there.
        case notFound
        /// The key is taken by another definition.
        case alreadyExists
        /// The meter type is retired.
        case retired
        /// The history of the meter type is still being counted.
        case backfillRunning
        /// The history of the meter type was never counted: that was given up.
        case backfillCancelled
        /// The change is to what stands no more: read it again, and change that.
        case outdated
        /// What was asked for finds other events or items than the caller expects.
        case selectionChanged
        /// The change reaches into periods that are closed, and nobody said that it may.
        case periodsClosed
        /// The sum does not fit a quantity.
        case valueOverflow
        /// The position lies in the future.
        case positionUnknown
        /// Another customer owns the subject at that time.
        case subjectOwned
        /// The end of a meter would not lie after its start.
        case invalidDates
        /// A restore is not taken back, but voided.
        case invalidCorrection
        /// The backfill set is not open: it takes no events.
        case setNotOpen
        /// More rows, windows or types than the limit allows.
        case limitExceeded
    }

    /// Bounded and stable: fit for a metric label.
    public var code: Code
    /// What was attempted, on what. May name paths, so it is logged, and sent out only for the
    /// codes that speak of what the caller asked for.
    public var message: String
    public var cause: (any Error)?
    /// The fields of what the caller asked for that are at fault.
    public var faults: [FieldFault] = []

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        (self.code, self.message, self.cause) = (code, message, cause)
    }

    public var description: String { "\(code.rawValue): \(message)" }
}
