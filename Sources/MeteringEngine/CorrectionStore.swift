public import UsageModel

/// Corrections of counted events, as a ledger keeps them.
///
/// `LedgerConformance` in MeteringTestKit is this comment as tests.
public protocol CorrectionStore: Sendable {
    /// Makes a correction: one entry of the log, visible at once and as a whole, to every reading
    /// from its position on and to none before. What is so already stays as it is; where nothing
    /// would change, no correction is made.
    ///
    /// - Throws: `notFound` for a key or correction that there is not, with the field at fault;
    ///   `alreadyExists` for a token that another request bore; `limitExceeded` for more than
    ///   ``UsageModel/Limits/correctionEventsMax`` events; `busy` where others kept changing the
    ///   same events.
    func correct(_ request: CorrectionRequest) async throws(LedgerError) -> CorrectionOutcome

    /// What a correction would do, and that without doing it.
    /// - Throws: as ``correct(_:)``, but for tokens.
    func preview(_ request: CorrectionRequest) async throws(LedgerError) -> CorrectionPreview

    /// Corrections, the newest first.
    func corrections(_ query: CorrectionQuery) async throws(LedgerError) -> CorrectionAnswer

    func correction(_ number: Int64) async throws(LedgerError) -> Correction?

    /// The events that corrections changed, in the order of the corrections and then of the events'
    /// positions.
    func corrected(_ query: CorrectedQuery) async throws(LedgerError) -> CorrectedAnswer
}

/// A correction that is asked for.
public struct CorrectionRequest: Sendable {
    /// Which events.
    public enum Targets: Sendable {
        case keys([EventKey])
        /// All that a question for events finds; its limit and cursor are not looked at. Of those
        /// that were corrected, a void finds what counts, and a restore what is void.
        case matching(EventQuery)
        /// Those that a correction changed: a restore takes it back.
        case correction(Int64)
    }

    public enum What: Sendable {
        case void(Targets)
        case restore(Targets)
        /// Events that are to stand for those of their keys.
        case replace(PreparedBatch)
        /// A backfill set, by its number: its events are to count.
        case close(Int64)
        /// A backfill set: its events are to count no more, or never.
        case revert(Int64)
    }

    public var what: What
    public var author: String
    public var reason: String
    /// The caller's own name for the request: made twice, it is one correction.
    public var token: String?
    /// Of the request's words: another one under the same token is refused.
    public var fingerprint: UInt64
    /// How many events it is to change; nil: as many as it does. It is refused where it would
    /// change others.
    public var expected: Int64?

    public init(
        _ what: What,
        author: String,
        reason: String,
        token: String? = nil,
        fingerprint: UInt64 = 0
    ) {
        (self.what, self.author, self.reason) = (what, author, reason)
        (self.token, self.fingerprint) = (token, fingerprint)
    }

    /// - Throws: `selectionChanged` where it would change other events than are expected.
    public func check(events: Int64) throws(LedgerError) {
        guard let expected, expected != events else { return }
        throw LedgerError(.selectionChanged, "\(events) events would change, not \(expected)")
    }

    public var kind: CorrectionKind {
        switch what {
        case .void: .void
        case .restore: .restore
        case .replace: .replace
        case .close: .close
        case .revert: .revert
        }
    }

    /// The number of the backfill set that it is about.
    public var backfillSet: Int64? {
        switch what {
        case .close(let number), .revert(let number): number
        case .void, .restore, .replace: nil
        }
    }
}

public struct CorrectionOutcome: Sendable, Hashable {
    /// nil: nothing was to change.
    public var correction: Correction?

    public init(correction: Correction?) { self.correction = correction }
}

/// What a correction would do.
public struct CorrectionPreview: Sendable {
    /// What it does to a meter.
    public struct Effect: Sendable, Hashable {
        public var meter: MeterID
        /// The meter's values over all time; nil where it has none.
        public var before: Quantity?
        public var after: Quantity?
        /// The last record of each closed period that would be adjusted, and the value to be told.
        public var records: [Adjusted]

        public init(meter: MeterID, before: Quantity?, after: Quantity?, records: [Adjusted]) {
            (self.meter, self.before, self.after) = (meter, before, after)
            self.records = records
        }
    }

    public struct Adjusted: Sendable, Hashable {
        public var record: UsageRecordID
        public var period: Range<Instant>
        public var before: Quantity?
        public var after: Quantity?

        public init(
            record: UsageRecordID,
            period: Range<Instant>,
            before: Quantity?,
            after: Quantity?
        ) {
            (self.record, self.period) = (record, period)
            (self.before, self.after) = (before, after)
        }
    }

    public var position: Position
    /// How many events it would change.
    public var events: Int64
    /// Some of them, by their positions.
    public var sample: [StoredEvent]
    /// The meters that count some of them or would, in the order of their ids; at most
    /// ``UsageModel/Limits/correctionPreviewMetersMax``.
    public var effects: [Effect]
    /// Whether there are more meters besides.
    public var hasMore: Bool

    public init(
        position: Position,
        events: Int64,
        sample: [StoredEvent],
        effects: [Effect],
        hasMore: Bool
    ) {
        (self.position, self.events, self.sample) = (position, events, sample)
        (self.effects, self.hasMore) = (effects, hasMore)
    }
}

public struct CorrectionQuery: Sendable {
    public var limit: Int
    /// The number of the last item of the page before.
    public var before: Int64?
    /// Those that were made when the log ended there; nil: as of now.
    public var asOf: Position?

    public init(limit: Int, before: Int64? = nil) { (self.limit, self.before) = (limit, before) }

    /// Those of all corrections, in the order of their numbers, that are asked for.
    public func answer(of corrections: [Correction]) -> CorrectionAnswer {
        let asked = corrections.prefix { correction in
            correction.number < before ?? .max && correction.position <= asOf ?? .last
        }
        return CorrectionAnswer(
            corrections: asked.suffix(limit).reversed(),
            hasMore: asked.count > limit
        )
    }
}

public struct CorrectionAnswer: Sendable {
    public var corrections: [Correction]
    public var hasMore: Bool

    public init(corrections: [Correction], hasMore: Bool) {
        (self.corrections, self.hasMore) = (corrections, hasMore)
    }
}

/// A question for the events that corrections changed.
public struct CorrectedQuery: Sendable {
    /// Of corrections whose positions lie after this one, and not after that one.
    public var after: Position
    public var upTo: Position
    public var limit: Int
    /// Where the page before ended.
    public var cursor: CorrectedEvent.Place?

    public init(after: Position, upTo: Position, limit: Int) {
        (self.after, self.upTo, self.limit) = (after, upTo, limit)
    }
}

/// An event that a correction changed.
public struct CorrectedEvent: Sendable, Hashable {
    public struct Place: Sendable, Hashable, Comparable {
        public var correction: Position
        public var event: Position

        public init(correction: Position, event: Position) {
            (self.correction, self.event) = (correction, event)
        }

        public static func < (one: Place, other: Place) -> Bool {
            (one.correction, one.event) < (other.correction, other.event)
        }
    }

    public var place: Place
    /// Whether it counts from there on.
    public var counts: Bool
    /// The event that stands for it from there on.
    public var replacement: Position?
    public var source: String
    public var id: String
    public var subject: String
    /// The event's time, or its arrival where it states none.
    public var time: Instant

    public init(
        place: Place,
        counts: Bool,
        replacement: Position?,
        source: String,
        id: String,
        subject: String,
        time: Instant
    ) {
        (self.place, self.counts, self.replacement) = (place, counts, replacement)
        (self.source, self.id, self.subject, self.time) = (source, id, subject, time)
    }
}

public struct CorrectedAnswer: Sendable {
    public var events: [CorrectedEvent]
    public var hasMore: Bool

    public init(events: [CorrectedEvent], hasMore: Bool) {
        (self.events, self.hasMore) = (events, hasMore)
    }
}
