import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// Backfill sets: events that come to count together.
extension FrontDesk {
    /// The largest body that is no batch of events.
    private static let setBytesMax = 64 * 1024

    var setStore: any BackfillSetStore {
        get throws(Refusal) {
            guard let sets else { throw .notFound("this server keeps no backfill sets") }
            return sets
        }
    }

    func answerOnBackfillSets(_ call: Call) async throws -> Answer {
        switch call.route {
        case .backfillSets: return call.isRead ? try await listSets(call) : try await open(call)
        case .backfillSetEvents: return try await record(call)
        case .backfillSetClose: return try await change(call) { .close($0) }
        case .backfillSetRevert: return try await change(call) { .revert($0) }
        default:
            var query = try call.query()
            try query.finish()
            return .json(Self.document(try await knownSet(call)), isPretty: call.isPretty)
        }
    }

    /// `GET /v1/backfill-sets`, the newest first.
    private func listSets(_ call: Call) async throws -> Answer {
        var query = try call.query()
        var question = BackfillSetQuery(limit: query.limit())
        question.state = query.word("state")
        let asOf = query.knowledge("asOf")
        if var cursor = try query.cursor(.backfillSets) {
            let before = try cursor.readSigned()
            guard before > 0 else { throw Cursor.refusal }
            question.before = before
        }
        try query.finish()
        question.asOf = try await position(of: asOf)
        let answer = try await setStore.backfillSets(question)
        let items = answer.sets.map { JSONValue.object(Self.document($0)) }
        var document: JSONObject = ["items": .array(items)]
        if answer.hasMore, let last = answer.sets.last {
            var cursor = Cursor(.backfillSets, fingerprint: query.fingerprint)
            cursor.append(last.number)
            document["next"] = .string(cursor.text)
        }
        return .json(document, isPretty: call.isPretty)
    }

    /// `POST /v1/backfill-sets`.
    private func open(_ call: Call) async throws -> Answer {
        let token = try idempotencyToken(call)
        let document = try await document(call) {
            value,
            caller throws(BackfillSetDocument.Faults) in
            try BackfillSetDocument(opening: value, author: caller.name, reason: caller.reason)
        }.document
        let set = try await setStore.open(
            BackfillSetRequest(
                name: document.name,
                replacing: document.replacing,
                author: document.author,
                reason: document.reason,
                token: token
            )
        )
        return .json(Self.document(set), isPretty: call.isPretty, status: .created)
    }

    /// `POST /v1/backfill-sets/{id}/close` and `…/revert`.
    private func change(
        _ call: Call,
        _ what: (Int64) -> CorrectionRequest.What
    ) async throws -> Answer {
        let token = try idempotencyToken(call)
        let (value, document) = try await document(call) {
            value,
            caller throws(BackfillSetDocument.Faults) in
            try BackfillSetDocument(change: value, author: caller.name, reason: caller.reason)
        }
        let number = try await knownSet(call).number
        var request = CorrectionRequest(
            what(number),
            author: document.author,
            reason: document.reason,
            token: document.isDryRun ? nil : token,
            fingerprint: Self.fingerprint(
                .array([value, .string(String(call.path))]),
                document.author,
                document.reason
            )
        )
        request.expected = document.expected
        return try await answer(request, isDryRun: document.isDryRun, call)
    }

    private func document(
        _ call: Call,
        _ read: (JSONValue, Author) throws(BackfillSetDocument.Faults) -> BackfillSetDocument
    ) async throws -> (value: JSONValue, document: BackfillSetDocument) {
        var query = try call.query()
        try query.finish()
        let value = try await readDocument(call, bytesMax: Self.setBytesMax)
        do throws(BackfillSetDocument.Faults) {
            return (value, try read(value, Author.current))
        } catch {
            throw Refusal(error)
        }
    }

    func knownSet(_ call: Call) async throws -> BackfillSet {
        let name = try call.name(at: 2)
        guard let number = BackfillSet.number(name),
            let set = try await setStore.backfillSet(number)
        else { throw Refusal.notFound("there is no backfill set \"\(name)\"") }
        return set
    }

    private static func document(_ set: BackfillSet) -> JSONObject {
        var document: JSONObject = [
            "id": .string(set.id), "name": .string(set.name),
            "state": .string(set.state.rawValue), "events": .number(String(set.events)),
            "at": .string(set.at.rfc3339), "author": .string(set.author),
        ]
        document["replaceExisting"] = set.replacing.map { .object($0.document) }
        document["correction"] = set.correction.map { .string(Correction.id($0)) }
        return document
    }
}
