import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// Customers and the subjects they own.
extension FrontDesk {
    /// The largest customer, in bytes: with all its subjects.
    static let customerBytesMax = 8 * 1024 * 1024

    static func customerKey(_ call: Call) throws(Refusal) -> CustomerKey {
        let name = try call.name(at: 2)
        guard let key = CustomerKey(name) else {
            throw Refusal.notFound("\"\(name)\" is no key of a customer")
        }
        return key
    }

    /// `PUT /v1/customers/{key}`: 201 where there was none, else 200.
    func putCustomer(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let key = try Self.customerKey(call)
        let value = try await readDocument(call, bytesMax: Self.customerBytesMax)
        let definition: CustomerDefinition
        do throws(CustomerDocument.Faults) {
            definition = try CustomerDocument.read(value, key: key)
        } catch {
            throw Refusal(error)
        }
        do { _ = try zones.rules(named: definition.timezone) } catch {
            let reason = "\"\(definition.timezone)\" is not in this machine's zone database"
            let remedy = "give an IANA name such as Europe/Berlin"
            throw Refusal.fields([
                FieldFault(pointer: "/timezone", reason: reason, remedy: remedy)
            ])
        }
        let wasKnown = try await ledger.customer(key) != nil
        let precondition = Precondition(call.request.headers)
        let customer: Customer
        do throws(LedgerError) {
            customer = try await ledger.put(definition) { standing in
                precondition.holds(for: standing.map(Self.tag))
            }
        } catch {
            guard error.code == .outdated else { throw error }
            return try await outdated(key, call)
        }
        return Self.answer(customer, call, status: wasKnown ? .ok : .created)
    }

    /// What a customer is known by: it is told by every answer about it, and changes with it.
    private static func tag(of customer: Customer) -> String {
        var document = CustomerDocument.write(customer.definition)
        document["retiredAt"] = customer.retiredAt.map { .string($0.rfc3339) }
        return EntityTag.digest(of: document)
    }

    private static func answer(
        _ customer: Customer,
        _ call: Call,
        status: HTTPResponse.Status = .ok
    ) -> Answer {
        var answer = Answer.json(
            customerDocument(customer),
            isPretty: call.isPretty,
            status: status
        )
        answer.headers[.eTag] = tag(of: customer)
        return answer
    }

    private func outdated(_ key: CustomerKey, _ call: Call) async throws -> Answer {
        let current = try await ledger.customer(key)
        return Refusal.outdated(
            "customer \(key)",
            current: current.map(Self.customerDocument),
            tag: current.map(Self.tag),
            call
        )
    }

    /// `GET /v1/customers/{key}`.
    func readCustomer(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let key = try Self.customerKey(call)
        guard let customer = try await ledger.customer(key) else {
            throw Refusal.notFound("there is no customer \(key)")
        }
        return Self.answer(customer, call)
    }

    /// `DELETE /v1/customers/{key}`: retires it. The answer lists what used it.
    func retireCustomer(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let key = try Self.customerKey(call)
        var users: JSONObject = [:]
        if try await ledger.customer(key) != nil {
            let answer = try await ledger.meters(
                MeterQuery(customers: [key], at: clock(), limit: Limits.usersShownMax)
            )
            users["meters"] = .array(answer.meters.map { .string($0.id.text) })
            if answer.next != nil { users["more"] = true }
        }
        let precondition = Precondition(call.request.headers)
        let customer: Customer
        do throws(LedgerError) {
            customer = try await ledger.retire(customer: key) { standing in
                precondition.holds(for: standing.map(Self.tag))
            }
        } catch {
            guard error.code == .outdated else { throw error }
            return try await outdated(key, call)
        }
        var document = Self.customerDocument(customer)
        document["usedBy"] = .object(users)
        return .json(document, isPretty: call.isPretty)
    }

    private static func customerDocument(_ customer: Customer) -> JSONObject {
        var document = CustomerDocument.write(customer.definition)
        document["createdAt"] = .string(customer.createdAt.rfc3339)
        document["changedAt"] = .string(customer.changedAt.rfc3339)
        document["retiredAt"] = customer.retiredAt.map { .string($0.rfc3339) }
        return document
    }

    /// `GET /v1/customers`, in the order of the keys.
    func listCustomers(_ call: Call) async throws -> Answer {
        var query = try call.query()
        var question = CustomerQuery(text: query.text("q") ?? "", limit: query.limit())
        if var cursor = try query.cursor(.customers) {
            question.after = try cursor.readText().flatMap(CustomerKey.init)
        }
        try query.finish()
        let answer = try await ledger.customers(question)
        let items = answer.customers.map { JSONValue.object(Self.customerDocument($0)) }
        var document: JSONObject = ["items": .array(items)]
        if let next = answer.next {
            var cursor = Cursor(.customers, fingerprint: query.fingerprint)
            cursor.append(next.text)
            document["next"] = .string(cursor.text)
        }
        return .json(document, isPretty: call.isPretty)
    }

    /// `GET /v1/subjects`: who owns them now; `?unowned` lists those that nobody does.
    func listSubjects(_ call: Call) async throws -> Answer {
        var query = try call.query()
        var question = SubjectQuery(
            prefix: query.text("q") ?? "",
            isUnowned: query.flag("unowned"),
            at: query.instant("at") ?? clock(),
            limit: query.limit()
        )
        let asOf = query.knowledge("asOf")
        if var cursor = try query.cursor(.subjects) { question.after = try cursor.readText() }
        try query.finish()
        question.asOf = try await position(of: asOf)
        let answer = try await ledger.subjects(question)
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            json.array("items") { json in
                for one in answer.subjects {
                    json.object { json in
                        json.field("subject", one.subject)
                        if let customer = one.customer { json.field("customer", customer.text) }
                    }
                }
            }
            if let next = answer.next {
                var cursor = Cursor(.subjects, fingerprint: query.fingerprint)
                cursor.append(next)
                json.field("next", cursor.text)
            }
        }
        return .json(json)
    }
}
