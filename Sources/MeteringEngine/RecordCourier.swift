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
        // An outlet keeps what it learns, tokens say, for as long as the definition stands.
        var made: (definition: DestinationDefinition, outlet: any RecordOutlet)?
        var pace = Pace()
        while !Task.isCancelled {
            do {
                guard let destination = try await store.destination(key),
                    destination.retiredAt == nil
                else { return }
                let definition = destination.definition
                if made?.definition != definition { made = nil }
                if !definition.isPaused {
                    let outlet = try made?.outlet ?? outlets.outlet(for: definition)
                    made = (definition, outlet)
                    try await Round(self, destination, outlet).run(&pace)
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

    /// Sends all that is due to a destination, and returns when nothing is: one stretch of
    /// ``serve(_:)``, for tests.
    ///
    /// - Returns: how many batches were sent.
    @discardableResult
    func deliver(_ destination: Destination, to outlet: any RecordOutlet) async throws -> Int {
        var pace = Pace()
        return try await Round(self, destination, outlet).run(&pace)
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
        _ rules: SendingRules,
        _ sent: RequestLog = RequestLog()
    ) -> DeliveryResult {
        let attempts = batch.attempts + 1
        var result = DeliveryResult(
            numbers: batch.items.map(\.number),
            state: .delivered,
            attempts: attempts,
            at: clock()
        )
        (result.requests, result.requestCount) = (sent.requests, sent.count)
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

    /// Where a pace is kept, from one stretch of sending to the next.
    private struct Pace {
        /// How late a sleep may end, in microseconds.
        private static let oversleptMax: Int64 = 10_000

        /// When the next one may go.
        var next = Instant.beginning

        /// Takes the turn, if it has come.
        ///
        /// - Returns: how long to wait for it, in microseconds; nil if it was taken.
        mutating func wait(_ ratePerSecond: Int, _ now: Instant) -> Int64? {
            let gap = TimeUnit.second.microseconds / Int64(ratePerSecond)
            // A clock that was set back holds nobody up.
            next = min(next, Instant(microseconds: now.microseconds + gap))
            guard next <= now else { return next.microseconds - now.microseconds }
            // Evenly: no turn that was missed is made up for, only that sleep ends late.
            let isPrompt = next.microseconds >= now.microseconds - Self.oversleptMax
            next = Instant(microseconds: (isPrompt ? next : now).microseconds + gap)
            return nil
        }
    }

    /// One stretch of sending: goes on as long as anything is due.
    private struct Round {
        let courier: RecordCourier
        let destination: Destination
        let outlet: any RecordOutlet

        private enum Happening: Sendable {
            case sent(DueBatch, DeliveryOutcome, RequestLog)
            case waited(Reason)
        }

        private enum Reason: Sendable {
            case pace
            case tick
        }

        init(_ courier: RecordCourier, _ destination: Destination, _ outlet: any RecordOutlet) {
            (self.courier, self.destination, self.outlet) = (courier, destination, outlet)
        }

        @discardableResult
        func run(_ pace: inout Pace) async throws -> Int {
            let outcome = await withTaskGroup(of: Happening.self) { group in
                var state = State()
                do {
                    while try await proceed(&state, &pace, &group) {}
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
            var metersUnderWay: Set<MeterID> = []
            var results: [DeliveryResult] = []
            /// When the store is looked at again, if not before.
            var lookAt = Instant.beginning
            var waits: Set<Reason> = []
            var sent = 0
        }

        /// - Returns: whether there is more to do.
        private func proceed(
            _ state: inout State,
            _ pace: inout Pace,
            _ group: inout TaskGroup<Happening>
        ) async throws -> Bool {
            let rules = destination.definition.sending
            if Task.isCancelled {
                state.ready = []
            } else if state.ready.isEmpty || courier.clock() >= state.lookAt {
                try await look(&state)
            }
            start(&state, &pace, &group, rules)
            guard !state.underWay.isEmpty || !state.ready.isEmpty else {
                group.cancelAll()
                return false
            }
            if state.ready.isEmpty, state.underWay.count < rules.concurrency, !Task.isCancelled {
                // Who answers late keeps nobody else waiting.
                wait(RecordCourier.tick, .tick, &state, &group)
            }
            switch await group.next() {
            case .sent(let batch, let outcome, let sent):
                state.underWay.remove(batch.batch)
                state.metersUnderWay.subtract(batch.items.map(\.record.meter))
                state.sent += 1
                // It may be us who hung up then, which is no try.
                if case .retry = outcome, Task.isCancelled { break }
                state.results.append(courier.result(outcome, of: batch, rules, sent))
                if state.results.count >= RecordCourier.settledTogether {
                    try await settle(&state)
                }
            case .waited(let reason): state.waits.remove(reason)
            case nil: break
            }
            return true
        }

        /// Writes down what is known, sees whether the destination is still as it was, and reads
        /// what is due if nothing is ready.
        private func look(_ state: inout State) async throws {
            let (store, key) = (courier.store, destination.key)
            try await settle(&state)
            let (seconds, rest) = RecordCourier.tick.components
            let tick = seconds * TimeUnit.second.microseconds + rest / 1_000_000_000_000
            state.lookAt = Instant(microseconds: courier.clock().microseconds + tick)
            guard try await store.destination(key) == destination else {
                state.ready = []
                return
            }
            guard state.ready.isEmpty else { return }
            while try await store.enqueue(key, now: courier.clock()) {}
            let due = try await store.due(
                key,
                now: courier.clock(),
                limit: RecordCourier.readAhead + state.underWay.count
            )
            // An earlier one may have become pending again while a later one is under way.
            let isBatched = destination.definition.sending.batchSize > 1
            state.ready = due.filter { batch in
                guard !isBatched else { return state.underWay.isEmpty }
                return state.metersUnderWay.isDisjoint(with: batch.items.map(\.record.meter))
            }
            .reversed()
        }

        /// Starts as many as there is room and pace for.
        private func start(
            _ state: inout State,
            _ pace: inout Pace,
            _ group: inout TaskGroup<Happening>,
            _ rules: SendingRules
        ) {
            while state.underWay.count < rules.concurrency, let batch = state.ready.last {
                let now = courier.clock()
                if let rate = rules.ratePerSecond, let pause = pace.wait(rate, now) {
                    wait(.microseconds(pause), .pace, &state, &group)
                    return
                }
                state.ready.removeLast()
                state.underWay.insert(batch.batch)
                state.metersUnderWay.formUnion(batch.items.map(\.record.meter))
                let shipment = DeliveryBatch(
                    destination: destination.key,
                    items: batch.items,
                    attempt: batch.attempts + 1,
                    sentAt: now
                )
                group.addTask { [outlet] in
                    let sent = RequestLog()
                    let outcome = await RequestLog.$current.withValue(sent) {
                        await outlet.send(shipment)
                    }
                    return .sent(batch, outcome, sent)
                }
            }
        }

        private func wait(
            _ pause: Duration,
            _ reason: Reason,
            _ state: inout State,
            _ group: inout TaskGroup<Happening>
        ) {
            guard state.waits.insert(reason).inserted else { return }
            group.addTask { [courier] in
                try? await courier.sleep(pause)
                return .waited(reason)
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
