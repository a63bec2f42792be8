import MeteringEngine
import UsageModel

/// A store that may break as results are written down: before it is done, or after.
final class FaultyStore: DeliveryStore {
    enum Fault: Sendable {
        case before
        case after
    }

    private let store: any DeliveryStore
    private let fault: @Sendable () -> Fault?

    init(_ store: any DeliveryStore, _ fault: @escaping @Sendable () -> Fault?) {
        (self.store, self.fault) = (store, fault)
    }

    func settle(
        _ results: [DeliveryResult],
        of key: DestinationKey
    ) async throws(LedgerError) {
        let fault = fault()
        if fault == .before { throw LedgerError(.unavailable, "killed before") }
        try await store.settle(results, of: key)
        if fault == .after { throw LedgerError(.unavailable, "killed after") }
    }

    func destinations() async throws(LedgerError) -> [Destination] {
        try await store.destinations()
    }

    func destination(_ key: DestinationKey) async throws(LedgerError) -> Destination? {
        try await store.destination(key)
    }

    func put(
        _ definition: DestinationDefinition,
        if condition: @escaping ChangeCondition<Destination>
    ) async throws(LedgerError) -> Destination {
        try await store.put(definition, if: condition)
    }

    func retire(
        destination key: DestinationKey,
        if condition: @escaping ChangeCondition<Destination>
    ) async throws(LedgerError) -> Destination {
        try await store.retire(destination: key, if: condition)
    }

    func enqueue(_ key: DestinationKey, now: Instant) async throws(LedgerError) -> Bool {
        try await store.enqueue(key, now: now)
    }

    func due(
        _ key: DestinationKey,
        now: Instant,
        limit: Int
    ) async throws(LedgerError) -> [DueBatch] {
        try await store.due(key, now: now, limit: limit)
    }

    func deliveries(_ query: DeliveryQuery) async throws(LedgerError) -> DeliveryAnswer {
        try await store.deliveries(query)
    }

    func attempts(
        of key: DestinationKey,
        batch: Int64
    ) async throws(LedgerError) -> [DeliveryAttempt] {
        try await store.attempts(of: key, batch: batch)
    }

    func resend(
        _ selection: DeliverySelection,
        now: Instant
    ) async throws(LedgerError) -> Int {
        try await store.resend(selection, now: now)
    }

    func books(of query: DeliveryQuery) async throws(LedgerError) -> [DeliveryBook] {
        try await store.books(of: query)
    }

    func standing(of key: DestinationKey) async throws(LedgerError) -> DestinationStanding {
        try await store.standing(of: key)
    }
}
