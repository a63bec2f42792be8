import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// Destinations: where usage records go.
extension FrontDesk {
    private static func destinationKey(_ call: Call) throws(Refusal) -> DestinationKey {
        let name = try call.name(at: 2)
        guard let key = DestinationKey(name) else {
            throw Refusal.notFound("\"\(name)\" is no key of a destination")
        }
        return key
    }

    private func known(_ key: DestinationKey) async throws -> Destination {
        guard let destination = try await deliveryStore.destination(key) else {
            throw Refusal.notFound("there is no destination \"\(key)\"")
        }
        return destination
    }

    func answerOnDestinations(_ call: Call) async throws -> Answer {
        switch call.route {
        case .destinations: return try await listDestinations(call)
        case .destinationPause: return try await setPaused(call, true)
        case .destinationResumption: return try await setPaused(call, false)
        case .destinationTest: return try await testDestination(call)
        case .destinationBooks: return try await readDestinationBooks(call)
        default: break
        }
        if call.isRead { return try await readDestination(call) }
        if call.request.method == .put { return try await putDestination(call) }
        return try await retireDestination(call)
    }

    /// `GET /v1/destinations`, in the order of their keys.
    private func listDestinations(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let all = try await deliveryStore.destinations()
        let items = all.map { JSONValue.object(Self.document($0)) }
        return .json(["items": .array(items)], isPretty: call.isPretty)
    }

    /// `GET /v1/destinations/{key}`: with how it stands.
    private func readDestination(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let key = try Self.destinationKey(call)
        let destination = try await known(key)
        var document = Self.document(destination)
        document["standing"] = .object(Self.document(try await deliveryStore.standing(of: key)))
        var answer = Answer.json(document, isPretty: call.isPretty)
        answer.headers[.eTag] = EntityTag.number(destination.revision)
        return answer
    }

    /// `PUT /v1/destinations/{key}`: 201 where there was none, else 200.
    private func putDestination(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let key = try Self.destinationKey(call)
        let value = try await readDocument(call)
        let courier = try courier
        return try await change(key, call) { known in
            let definition: DestinationDefinition
            do throws(DestinationDocument.Faults) {
                definition = try DestinationDocument.read(
                    value,
                    key: key,
                    replacing: known?.definition
                )
            } catch {
                throw Refusal(error)
            }
            do { try courier.check(definition) } catch let fault as FieldFault {
                throw Refusal.fields([fault])
            }
            return definition
        }
    }

    /// How often a change is tried again that another one came before.
    private static let changesMax = 5

    /// Puts what a destination becomes of what it is: of that and nothing else, for a secret that
    /// is not said stays, and so does what a pause leaves alone.
    private func change(
        _ key: DestinationKey,
        _ call: Call,
        _ become: (Destination?) throws -> DestinationDefinition
    ) async throws -> Answer {
        let store = try deliveryStore
        let precondition = Precondition(call.request.headers)
        for _ in 0..<Self.changesMax {
            let known = try await store.destination(key)
            let definition = try become(known)
            let isHeld = precondition.holds(for: known.map { EntityTag.number($0.revision) })
            guard isHeld || known?.definition == definition else {
                return Self.outdated(key, known, call)
            }
            let destination: Destination
            do throws(LedgerError) {
                destination = try await store.put(definition) { $0?.revision == known?.revision }
            } catch {
                guard error.code == .outdated else { throw error }
                continue
            }
            return Self.answer(destination, call, status: known == nil ? .created : .ok)
        }
        throw Refusal.busy("other changes of the destination came before this one")
    }

    private static func answer(
        _ destination: Destination,
        _ call: Call,
        status: HTTPResponse.Status = .ok
    ) -> Answer {
        var answer = Answer.json(document(destination), isPretty: call.isPretty, status: status)
        answer.headers[.eTag] = EntityTag.number(destination.revision)
        return answer
    }

    private static func outdated(
        _ key: DestinationKey,
        _ current: Destination?,
        _ call: Call
    ) -> Answer {
        Refusal.outdated(
            "destination \(key)",
            current: current.map(document),
            tag: current.map { EntityTag.number($0.revision) },
            call
        )
    }

    /// `POST /v1/destinations/{key}/pause`, `…/resume`.
    private func setPaused(_ call: Call, _ isPaused: Bool) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let key = try Self.destinationKey(call)
        return try await change(key, call) { known in
            guard var definition = known?.definition else {
                throw Refusal.notFound("there is no destination \"\(key)\"")
            }
            definition.isPaused = isPaused
            return definition
        }
    }

    /// `DELETE /v1/destinations/{key}`: nothing is sent from now on.
    private func retireDestination(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let key = try Self.destinationKey(call)
        let store = try deliveryStore
        let precondition = Precondition(call.request.headers)
        let destination: Destination
        do throws(LedgerError) {
            destination = try await store.retire(destination: key) { standing in
                precondition.holds(for: standing.map { EntityTag.number($0.revision) })
            }
        } catch {
            guard error.code == .outdated else { throw error }
            return Self.outdated(key, try await store.destination(key), call)
        }
        return Self.answer(destination, call)
    }

    /// `POST /v1/destinations/{key}/test`: sends a record that is none, and tells what came back.
    private func testDestination(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let destination = try await known(try Self.destinationKey(call))
        guard destination.retiredAt == nil else {
            throw Refusal(.retired, "destination \"\(destination.key)\" is retired")
        }
        try courier.check(destination.definition)
        // First: what was sent is in the trail, whatever becomes of the server meanwhile.
        try await records?.audit?.append(AuditedChange(.test, .destination, destination.key.text))
        var document: JSONObject = [:]
        func tell(_ outcome: String, _ status: Int?, _ answer: String) {
            document["outcome"] = .string(outcome)
            document["status"] = status.map { .number(String($0)) }
            document["answer"] = .string(answer)
        }
        switch try await courier.test(destination.definition) {
        case .delivered(let status, let reference): tell("delivered", status, reference)
        case .retry(let status, let reason, _): tell("retry", status, reason)
        case .refused(let status, let reason): tell("refused", status, reason)
        }
        return .json(document, isPretty: call.isPretty)
    }

    /// `GET /v1/destinations/{key}/reconciliation`: both sides, by meter type and period.
    private func readDestinationBooks(_ call: Call) async throws -> Answer {
        var query = try call.query()
        let (meterTypes, customers) = (query.meterTypes(), query.customers())
        let (from, to) = (query.instant("from"), query.instant("to"))
        try query.finish()
        let key = try Self.destinationKey(call)
        var question = DeliveryQuery(destination: key, limit: 1)
        (question.meterTypes, question.customers) = (meterTypes, customers)
        (question.from, question.to) = (from, to)
        let books = try await deliveryStore.books(of: question)
        let standing = try await deliveryStore.standing(of: key)
        let items = books.map { JSONValue.object(Self.document($0)) }
        return .json(
            [
                "destination": .string(key.text),
                "standing": .object(Self.document(standing)), "items": .array(items),
            ],
            isPretty: call.isPretty
        )
    }

    // MARK: Documents

    static func document(_ destination: Destination) -> JSONObject {
        var document = DestinationDocument.shown(destination.definition)
        document["revision"] = .number(String(destination.revision))
        document["createdAt"] = .string(destination.createdAt.rfc3339)
        document["changedAt"] = .string(destination.changedAt.rfc3339)
        document["retiredAt"] = destination.retiredAt.map { .string($0.rfc3339) }
        return document
    }

    private static func document(_ standing: DestinationStanding) -> JSONObject {
        var document: JSONObject = [
            "pending": .string(String(standing.pending)),
            "delivered": .string(String(standing.delivered)),
            "failed": .string(String(standing.failed)),
            "waiting": .string(String(standing.waiting)),
            "missing": .string(String(standing.missing)),
        ]
        document["oldestPendingAt"] = standing.oldestPendingAt.map { .string($0.rfc3339) }
        return document
    }

    private static func document(_ book: DeliveryBook) -> JSONObject {
        func side(_ side: DeliveryBook.Side) -> JSONValue {
            [
                "records": .string(String(side.records)),
                "amount": side.amount.map { .string($0.description) } ?? .null,
            ]
        }
        return [
            "meterType": .string(book.meterType.text),
            "start": .string(book.period.lowerBound.rfc3339),
            "end": .string(book.period.upperBound.rfc3339),
            "made": side(book.made), "sent": side(book.sent),
            "acknowledged": side(book.acknowledged), "failed": side(book.failed),
            "pending": side(book.pending),
        ]
    }
}
