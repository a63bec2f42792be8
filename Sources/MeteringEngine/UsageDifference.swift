public import UsageModel

/// A question for what changed between two states of knowledge: `GET /v1/usage/diff`, understood.
public struct UsageDifferenceQuery: Sendable {
    /// One meter type over a range, without windows and groups; its `asOf` is not looked at.
    public var usage: UsageQuery
    public var from: Position
    /// Not before `from`.
    public var to: Position

    public init(usage: UsageQuery, from: Position, to: Position) {
        (self.usage, self.from, self.to) = (usage, from, to)
    }
}

/// What changed a reading between two states of knowledge, step by step.
///
/// The amounts of the steps add up to the difference, to the last digit, for every aggregation:
/// each is what the reading was after the step, less what it was before.
public struct UsageDifference: Sendable {
    public struct State: Sendable, Hashable {
        public var position: Position
        /// nil: there is nothing to read.
        public var value: Quantity?
        public var events: Int64

        public init(position: Position, value: Quantity?, events: Int64) {
            (self.position, self.value, self.events) = (position, value, events)
        }
    }

    public enum Cause: Sendable, Hashable {
        /// Events that came.
        case events
        case correction(Correction)
        /// A version of the meter type's definition came into force; with it at most the one event
        /// at its own position.
        case version(Int)
    }

    public struct Step: Sendable, Hashable {
        public var cause: Cause
        public var before: State
        public var after: State

        public init(cause: Cause, before: State, after: State) {
            (self.cause, self.before, self.after) = (cause, before, after)
        }

        /// nil where the difference does not fit a quantity.
        public var amount: Quantity? { UsageDifference.amount(before, after) }
    }

    public var before: State
    public var after: State
    /// In the order of their positions; those that changed nothing are left out.
    public var steps: [Step]

    /// nil where the difference does not fit a quantity.
    public var amount: Quantity? { Self.amount(before, after) }

    private static func amount(_ before: State, _ after: State) -> Quantity? {
        try? (after.value ?? .zero).subtracting(before.value ?? .zero)
    }
}

extension UsageLedger {
    /// Explains the difference of a reading between two states of knowledge.
    ///
    /// - Throws: `positionUnknown`; `limitExceeded` for more than
    ///   ``UsageModel/Limits/differenceStepsMax`` corrections and versions in between; as
    ///   ``readings(_:)``.
    /// - Complexity: two readings of the past for each correction and version in between.
    public func difference(
        _ query: UsageDifferenceQuery
    ) async throws(LedgerError) -> UsageDifference {
        let before = try await state(query, at: query.from)
        let after = try await state(query, at: query.to)
        var steps: [UsageDifference.Step] = []
        var last = before
        func step(to state: UsageDifference.State, _ cause: UsageDifference.Cause) {
            if state.value != last.value || state.events != last.events {
                steps.append(.init(cause: cause, before: last, after: state))
            }
            last = state
        }
        for turn in try await turns(query) {
            if turn.first > last.position.value + 1 {
                step(to: try await state(query, at: Position(turn.first - 1)), .events)
            }
            let end = min(turn.last, query.to.value)
            step(to: try await state(query, at: Position(end)), turn.cause)
        }
        if last.position < query.to { step(to: after, .events) }
        return UsageDifference(before: before, after: after, steps: steps)
    }

    private func state(
        _ query: UsageDifferenceQuery,
        at position: Position
    ) async throws(LedgerError) -> UsageDifference.State {
        var usage = query.usage
        usage.asOf = position
        let reading = try await readings(usage).readings.first
        return .init(position: position, value: reading?.value, events: reading?.events ?? 0)
    }

    /// What happened in between beside events, in order, with the positions that it takes.
    private func turns(
        _ query: UsageDifferenceQuery
    ) async throws(LedgerError) -> [(first: UInt64, last: UInt64, cause: UsageDifference.Cause)] {
        let between = query.from.value + 1...max(query.to.value, query.from.value + 1)
        var turns: [(first: UInt64, last: UInt64, cause: UsageDifference.Cause)] = []
        for key in query.usage.meterTypes where query.usage.version == nil {
            for version in try await versions(of: key) where version.version > 1 {
                guard let since = version.inForceSince?.value, between.contains(since),
                    since <= query.to.value
                else { continue }
                turns.append((since, since, .version(version.version)))
            }
        }
        var page = CorrectionQuery(limit: Limits.differenceStepsMax)
        while true {
            let answer = try await corrections(page)
            for correction in answer.corrections {
                let at = correction.position.value
                guard between.contains(at), at <= query.to.value else { continue }
                // Its replacements stand behind it.
                let added = correction.kind == .replace ? UInt64(correction.events) : 0
                turns.append((at, at + added, .correction(correction)))
            }
            guard turns.count <= Limits.differenceStepsMax else {
                throw LedgerError(
                    .limitExceeded,
                    "more than \(Limits.differenceStepsMax) corrections lie in between: "
                        + "ask for states that lie closer together"
                )
            }
            guard answer.hasMore, let last = answer.corrections.last,
                last.position >= query.from
            else { break }
            page.before = last.number
        }
        return turns.sorted { $0.first < $1.first }
    }
}
