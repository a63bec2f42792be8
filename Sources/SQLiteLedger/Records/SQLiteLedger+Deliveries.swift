public import MeteringEngine
public import UsageModel

extension SQLiteLedger: DeliveryStore {
    public func destinations() async throws(LedgerError) -> [Destination] {
        try keeping("a list of destinations") { try core.truth.destinations() }
    }

    public func destination(_ key: DestinationKey) async throws(LedgerError) -> Destination? {
        try keeping("reading a destination") { try core.truth.destination(key) }
    }

    public func put(
        _ definition: DestinationDefinition,
        if condition: @escaping ChangeCondition<Destination>
    ) async throws(LedgerError) -> Destination {
        try keeping("keeping a destination") {
            try core.truth.put(definition, if: condition, now: core.clock())
        }
    }

    public func retire(
        destination key: DestinationKey,
        if condition: @escaping ChangeCondition<Destination>
    ) async throws(LedgerError) -> Destination {
        try keeping("retiring a destination") {
            try core.truth.retire(destination: key, if: condition, now: core.clock())
        }
    }

    public func enqueue(_ key: DestinationKey, now: Instant) async throws(LedgerError) -> Bool {
        try keeping("writing down deliveries") { try core.truth.enqueue(key, now: now) }
    }

    public func due(
        _ key: DestinationKey,
        now: Instant,
        limit: Int
    ) async throws(LedgerError) -> [DueBatch] {
        try keeping("reading due deliveries") {
            try core.truth.due(key, now: now, limit: limit)
        }
    }

    public func settle(
        _ results: [DeliveryResult],
        of key: DestinationKey
    ) async throws(LedgerError) {
        try keeping("settling deliveries") { try core.truth.settle(results, of: key) }
    }

    public func deliveries(_ query: DeliveryQuery) async throws(LedgerError) -> DeliveryAnswer {
        try keeping("a list of deliveries") { try core.truth.deliveries(query) }
    }

    public func attempts(
        of key: DestinationKey,
        batch: Int64
    ) async throws(LedgerError) -> [DeliveryAttempt] {
        try keeping("how tries went") { try core.truth.attempts(of: key, batch: batch) }
    }

    public func resend(
        _ selection: DeliverySelection,
        now: Instant
    ) async throws(LedgerError) -> Int {
        try keeping("sending again") { try core.truth.resend(selection, now: now) }
    }

    public func books(of query: DeliveryQuery) async throws(LedgerError) -> [DeliveryBook] {
        try keeping("the books of a destination") { try core.truth.books(of: query) }
    }

    public func standing(
        of key: DestinationKey
    ) async throws(LedgerError) -> DestinationStanding {
        try keeping("how a destination stands") { try core.truth.standing(of: key) }
    }
}
