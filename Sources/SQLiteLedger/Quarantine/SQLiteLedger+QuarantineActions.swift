public import MeteringEngine
public import UsageModel

extension SQLiteLedger: QuarantineActionStore {
    public func items(
        _ filter: QuarantineFilter,
        after: Int64,
        upTo last: Int64,
        limit: Int
    ) async throws(LedgerError) -> QuarantineAnswer {
        try keeping("a page of the quarantine") {
            try core.truth.items(filter, after: after, upTo: last, limit: limit)
        }
    }

    public func count(_ filter: QuarantineFilter) async throws(LedgerError) -> Int64 {
        try keeping("counting in the quarantine") { try core.truth.count(filter) }
    }

    public func start(
        _ request: QuarantineActionRequest
    ) async throws(LedgerError) -> QuarantineAction {
        defer { core.quarantineBell.ring() }
        return try keeping("starting an action") {
            try core.truth.start(request, at: core.clock())
        }
    }

    public func action(_ number: Int64) async throws(LedgerError) -> QuarantineAction? {
        try keeping("reading an action") { try core.truth.action(number) }
    }

    public func runningAction() async throws(LedgerError) -> QuarantineAction? {
        try keeping("looking for an action") { try core.truth.runningAction() }
    }

    public func cancel(_ number: Int64) async throws(LedgerError) -> QuarantineAction {
        // Between two groups: a page is done whole or not at all.
        let core = core
        return try await perform { _ in try core.truth.cancelAction(number, at: core.clock()) }
    }

    public func perform(_ work: QuarantineWork) async throws(LedgerError) {
        let request = work.action.request
        guard request.kind.releases, !work.items.isEmpty else {
            let core = core
            return try await perform { _ in try core.truth.perform(work, at: core.clock()) }
        }
        let items = work.items.map { one in
            ReleaseOrder.Item(
                number: one.item.number,
                version: one.item.version,
                bytes: one.edited ?? one.item.bytes,
                isEdited: one.edited != nil,
                firstSeenAt: one.item.firstSeenAt
            )
        }
        let order = ReleaseOrder(items: items, note: request.note, page: ActionPage(work))
        do throws(LedgerError) {
            _ = try await release(order, into: work.set)
        } catch {
            guard work.set != nil, error.code == .setNotOpen || error.code == .limitExceeded else {
                throw error
            }
            // The set takes no more: its items stay open, and the action goes on.
            var left = work
            left.failed += Int64(left.items.count)
            left.items = []
            try await perform(left)
        }
    }
}
