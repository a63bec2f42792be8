public import UsageModel

/// Makes what a destination's definition says into something that sends.
public protocol OutletSource: Sendable {
    /// - Throws: `FieldFault` for what a definition says that cannot be: a template, say.
    func outlet(for definition: DestinationDefinition) throws -> any RecordOutlet
}

/// Brings records to their destinations: what is owed is written down, sent, and what became of it
/// is written down again.
///
/// A kill at any point repeats a sending at most, under the same key. See
/// `docs/decisions/0017-records-are-the-outbox.md`.
public final class RecordCourier: Sendable {
    /// Deliveries that are read at one time.
    static let readAhead = 128
    /// Results that are written down together, if as many come.
    static let settledTogether = 32
    /// How long it waits at most before it looks again.
    static let tick = Duration.milliseconds(250)

    private let store: any DeliveryStore
    private let outlets: any OutletSource
    private let clock: @Sendable () -> Instant
    private let random: @Sendable () -> UInt64
    private let sleep: @Sendable (Duration) async throws -> Void
    private let warn: @Sendable (String, [String: String]) -> Void

    /// - Parameters:
    ///   - random: For the spread of retries.
    ///   - sleep: Waits; it may end early.
    ///   - warn: Is told in words what kept a destination from being served.
    public init(
        store: any DeliveryStore,
        outlets: any OutletSource,
        clock: @escaping @Sendable () -> Instant,
        random: @escaping @Sendable () -> UInt64,
        sleep: @escaping @Sendable (Duration) async throws -> Void,
        warn: @escaping @Sendable (String, [String: String]) -> Void = { _, _ in }
    ) {
        (self.store, self.outlets, self.clock) = (store, outlets, clock)
        (self.random, self.sleep, self.warn) = (random, sleep, warn)
    }

    /// Serves all destinations until the task is cancelled; those that are made meanwhile too.
    public func run() async {
        await withDiscardingTaskGroup { group in
            var served: Set<DestinationKey> = []
            while !Task.isCancelled {
                do throws(LedgerError) {
                    for destination in try await store.destinations()
                    where destination.retiredAt == nil
                        && served.insert(destination.key).inserted
                    {
                        group.addTask { await self.serve(destination.key) }
                    }
                } catch {
                    warn("destinations cannot be read", ["error": "\(error)"])
                }
                try? await sleep(Self.tick)
            }
        }
    }

    /// Serves one destination until it is retired or the task is cancelled.
    func serve(_ key: DestinationKey) async {
        while !Task.isCancelled {
            do {
                guard let destination = try await store.destination(key),
                    destination.retiredAt == nil
                else { return }
                if !destination.definition.isPaused {
                    let outlet = try outlets.outlet(for: destination.definition)
                    try await Round(self, destination, outlet).run()
                }
            } catch {
                warn(
                    "a destination cannot be served",
                    ["destination": key.text, "error": "\(error)"]
                )
            }
            try? await sleep(Self.tick)
        }
    }

    /// Sends all that is due to a destination, and returns when nothing is.
    ///
    /// - Returns: how many batches were sent.
    @discardableResult
    func deliver(_ destination: Destination, to outlet: any RecordOutlet) async throws -> Int {
        try await Round(self, destination, outlet).run()
    }

    /// Whether a definition can be served.
    ///
    /// - Throws: `FieldFault`.
    public func check(_ definition: DestinationDefinition) throws {
        do { _ = try outlets.outlet(for: definition) } catch var fault as FieldFault {
            fault.pointer = "/" + definition.outlet.kind + fault.pointer
            throw fault
        }
    }

    /// Tries a destination with a record that is none.
    public func test(_ definition: DestinationDefinition) async throws -> DeliveryOutcome {
        let outlet = try outlets.outlet(for: definition)
        let now = clock()
        let batch = DeliveryBatch(
            destination: definition.key,
            items: [.init(number: 0, record: .sample(at: now))],
            sentAt: now,
            isTest: true
        )
        return await outlet.send(batch)
    }

    /// What a try of a batch leaves behind.
    func result(
        _ outcome: DeliveryOutcome,
        of batch: DueBatch,
        _ rules: SendingRules
    ) -> DeliveryResult {
        let attempts = batch.attempts + 1
        var result = DeliveryResult(
            numbers: batch.items.map(\.number),
            state: .delivered,
            attempts: attempts,
            at: clock()
        )
        switch outcome {
        case .delivered(let status, let reference):
            (result.status, result.answer) = (status, reference)
        case .refused(let status, let reason):
            (result.state, result.status, result.answer) = (.failed, status, reason)
        case .retry(let status, let reason, let after):
            (result.status, result.answer) = (status, reason)
            guard attempts < rules.attemptsMax else {
                result.state = .failed
                break
            }
            let wait = max(
                rules.wait(beforeTry: attempts + 1, random: random()),
                Int64(after ?? 0) * TimeUnit.second.microseconds
            )
            result.state = .pending
            result.nextAttemptAt = Instant(microseconds: result.at.microseconds + wait)
        }
        return result
    }

    /// One stretch of sending: goes on as long as anything is due.
    private struct Round {
        let courier: RecordCourier
        let destination: Destination
        let outlet: any RecordOutlet

        private enum Happening: Sendable {
            case sent(DueBatch, DeliveryOutcome)
            case waited
        }

        init(_ courier: RecordCourier, _ destination: Destination, _ outlet: any RecordOutlet) {
            (self.courier, self.destination, self.outlet) = (courier, destination, outlet)
        }

        @discardableResult
        func run() async throws -> Int {
            let outcome = await withTaskGroup(of: Happening.self) { group in
                var state = State()
                do {
                    while try await proceed(&state, &group) {}
                    try await settle(&state)
                    return Result<Int, any Error>.success(state.sent)
                } catch {
                    group.cancelAll()
                    return .failure(error)
                }
            }
            return try outcome.get()
        }

        private struct State {
            var ready: [DueBatch] = []
            var underWay: Set<Int64> = []
            var results: [DeliveryResult] = []
            /// Where a pace is kept: when the next one may go.
            var next = Instant.beginning
            var isWaiting = false
            var sent = 0
        }

        /// - Returns: whether there is more to do.
        private func proceed(
            _ state: inout State,
            _ group: inout TaskGroup<Happening>
        ) async throws -> Bool {
            let rules = destination.definition.sending
            let store = courier.store
            if state.ready.isEmpty {
                try await settle(&state)
                let isCurrent = try await store.destination(destination.key) == destination
                if isCurrent, !Task.isCancelled {
                    while try await store.enqueue(destination.key, now: courier.clock()) {}
                    let due = try await store.due(
                        destination.key,
                        now: courier.clock(),
                        limit: RecordCourier.readAhead + state.underWay.count
                    )
                    state.ready = due.filter { !state.underWay.contains($0.batch) }.reversed()
                }
            }
            start(&state, &group, rules)
            guard !state.underWay.isEmpty || !state.ready.isEmpty else {
                group.cancelAll()
                return false
            }
            if state.ready.isEmpty, state.underWay.count < rules.concurrency {
                // Who answers late keeps nobody else waiting.
                wait(RecordCourier.tick, &state, &group)
            }
            switch await group.next() {
            case .sent(let batch, let outcome):
                state.underWay.remove(batch.batch)
                state.sent += 1
                state.results.append(courier.result(outcome, of: batch, rules))
                if state.results.count >= RecordCourier.settledTogether {
                    try await settle(&state)
                }
            case .waited, nil: state.isWaiting = false
            }
            return true
        }

        /// Starts as many as there is room and pace for.
        private func start(
            _ state: inout State,
            _ group: inout TaskGroup<Happening>,
            _ rules: SendingRules
        ) {
            while state.underWay.count < rules.concurrency, let batch = state.ready.last {
                let now = courier.clock()
                if let rate = rules.ratePerSecond {
                    guard now >= state.next else {
                        let pause = state.next.microseconds - now.microseconds
                        wait(.microseconds(pause), &state, &group)
                        return
                    }
                    let gap = TimeUnit.second.microseconds / Int64(rate)
                    // Evenly: what was missed is not made up for.
                    let due = max(state.next.microseconds, now.microseconds - gap)
                    state.next = Instant(microseconds: due + gap)
                }
                state.ready.removeLast()
                state.underWay.insert(batch.batch)
                let shipment = DeliveryBatch(
                    destination: destination.key,
                    items: batch.items,
                    attempt: batch.attempts + 1,
                    sentAt: now
                )
                group.addTask { [outlet] in .sent(batch, await outlet.send(shipment)) }
            }
        }

        private func wait(
            _ pause: Duration,
            _ state: inout State,
            _ group: inout TaskGroup<Happening>
        ) {
            guard !state.isWaiting else { return }
            state.isWaiting = true
            group.addTask { [courier] in
                try? await courier.sleep(pause)
                return .waited
            }
        }

        private func settle(_ state: inout State) async throws {
            guard !state.results.isEmpty else { return }
            try await courier.store.settle(state.results, of: destination.key)
            state.results.removeAll(keepingCapacity: true)
        }
    }
}

extension SendingRules {
    /// How long to wait before a try, in microseconds: doubling, bounded, and less a random part of
    /// up to a half.
    ///
    /// - Parameter number: Of the try; 2 or more.
    func wait(beforeTry number: Int, random: UInt64) -> Int64 {
        var wait = min(retryDelay.microseconds, retryDelayMax.microseconds)
        for _ in 0..<max(0, number - 2) where wait < retryDelayMax.microseconds {
            wait = min(wait * 2, retryDelayMax.microseconds)
        }
        return wait - Int64(random % UInt64(max(1, wait / 2)))
    }
}

extension UsageRecord {
    /// A record that is none, to try a destination with.
    static func sample(at now: Instant) -> UsageRecord {
        let meter = MeterID(meterType: MeterTypeKey("test")!, subject: "test")!
        let day = TimeUnit.day.microseconds
        let end = Instant(microseconds: now.microseconds / day * day)
        let start = Instant(microseconds: end.microseconds - day)
        var record = UsageRecord(
            sequence: 0,
            id: UsageRecordID(meter: meter, start: start, revision: 0),
            kind: .final,
            cause: .periodEnd,
            meter: meter,
            version: 1,
            period: start..<end,
            zone: "UTC",
            revision: 0,
            value: .zero,
            delta: .zero,
            events: 0,
            eventsDelta: 0,
            position: .zero,
            createdAt: now
        )
        (record.localStart, record.localEnd) = (start.rfc3339, end.rfc3339)
        record.labels.name = "A test of this destination; no usage"
        return record
    }
}
