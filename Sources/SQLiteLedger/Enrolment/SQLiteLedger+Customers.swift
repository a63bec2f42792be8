public import MeteringEngine
internal import Synchronization
public import UsageModel

extension SQLiteLedger {
    public func put(
        _ customer: CustomerDefinition,
        if condition: @escaping ChangeCondition<Customer>
    ) async throws(LedgerError) -> Customer {
        let core = core
        return try await perform { committer in
            try core.put(customer, if: condition, position: committer.position)
        }
    }

    public func retire(
        customer key: CustomerKey,
        if condition: @escaping ChangeCondition<Customer>
    ) async throws(LedgerError) -> Customer {
        let core = core
        return try await perform { committer in
            try core.retire(key, if: condition, position: committer.position)
        }
    }

    public func customer(
        _ key: CustomerKey,
        asOf position: Position?
    ) async throws(LedgerError) -> Customer? {
        let registry = core.customerRegistry.withLock { $0 }
        return registry.customer(key, asOf: position?.value ?? .max)
    }

    public func customers(_ query: CustomerQuery) async throws(LedgerError) -> CustomerAnswer {
        core.customerRegistry.withLock { $0 }.search(query)
    }
}

extension LedgerCore {
    fileprivate func put(
        _ definition: CustomerDefinition,
        if condition: ChangeCondition<Customer>,
        position: UInt64
    ) throws(LedgerError) -> Customer {
        let registry = customerRegistry.withLock { $0 }
        let known = registry.customer(definition.key)
        if known?.retiredAt != nil {
            throw LedgerError(.retired, "customer \"\(definition.key)\" is retired")
        }
        if let known, known.definition == definition { return known }
        guard condition(known) else {
            throw LedgerError(.outdated, "the customer is another by now")
        }
        if known == nil, registry.count >= Limits.customersMax {
            throw LedgerError(.limitExceeded, "there are \(Limits.customersMax) customers")
        }
        var error = LedgerError(.subjectOwned, "subjects have another owner at the same time")
        for ownership in definition.subjects {
            guard let owner = registry.conflict(ownership, with: definition.key) else { continue }
            let (from, to) = (owner.range.lowerBound, owner.range.upperBound)
            let since = from == .beginning ? "ever" : from.rfc3339
            let until = to == .end ? "for ever" : "to \(to.rfc3339)"
            error.faults.append(
                FieldFault(
                    pointer: "/subjects",
                    reason:
                        "\"\(ownership.subject)\" is \(owner.customer)'s from \(since) \(until)",
                    remedy: "end the one ownership where the other begins: \"to\" and \"from\""
                )
            )
            if error.faults.count >= Limits.usersShownMax { break }
        }
        guard error.faults.isEmpty else { throw error }
        let now = clock()
        let customer = Customer(
            definition: definition,
            createdAt: known?.createdAt ?? now,
            changedAt: now
        )
        try add(customer, before: known, position)
        return customer
    }

    fileprivate func retire(
        _ key: CustomerKey,
        if condition: ChangeCondition<Customer>,
        position: UInt64
    ) throws(LedgerError) -> Customer {
        guard let known = customerRegistry.withLock({ $0.customer(key) }) else {
            throw LedgerError(.notFound, "there is no customer \"\(key)\"")
        }
        guard known.retiredAt == nil else { return known }
        guard condition(known) else {
            throw LedgerError(.outdated, "the customer is another by now")
        }
        var customer = known
        let now = clock()
        (customer.retiredAt, customer.changedAt) = (now, now)
        try add(customer, before: known, position)
        return customer
    }

    /// Records a customer. Only on the committer's thread.
    private func add(
        _ customer: Customer,
        before: Customer?,
        _ position: UInt64
    ) throws(LedgerError) {
        do {
            let change = AuditedChange.of(customer, before: before)
            try truth.add(customer, audited: change, position: position)
        } catch {
            throw fault(error, during: "recording a customer")
        }
        derived.intern(customer.definition.subjects.map(\.subject))
        customerRegistry.withLock { $0.put(customer, position: position) }
    }
}
