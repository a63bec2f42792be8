import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// Manifests: what sources say that they sent, held against what is here.
extension FrontDesk {
    func answerOnManifests(_ call: Call) async throws -> Answer {
        guard call.route == .manifests else { return try await readManifest(call) }
        return call.isRead ? try await listManifests(call) : try await registerManifest(call)
    }

    /// `POST /v1/manifests`: 201, or 200 where it was registered under the same token before.
    private func registerManifest(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let token = call.request.headers[.idempotencyKey]
        if let token, token.isEmpty || token.utf8.count > Limits.keyFieldBytesMax {
            let most = Limits.keyFieldBytesMax
            throw Refusal(.invalidField, "Idempotency-Key has 1 to \(most) bytes")
        }
        let value = try await readDocument(call)
        let claim: SourceManifest.Claim
        do throws(ManifestDocument.Faults) {
            claim = try ManifestDocument.read(value)
        } catch {
            throw Refusal(error)
        }
        let request = ManifestRequest(claim: claim, token: token)
        let outcome = try await quarantineDesk.register(request)
        var answer = Answer.json(
            Self.document(outcome.manifest),
            isPretty: call.isPretty,
            status: outcome.isKnown ? .ok : .created
        )
        answer.headers[.location] = "/v1/manifests/" + outcome.manifest.id
        return answer
    }

    /// `GET /v1/manifests`, the newest first; with `compare`, each as it stands.
    private func listManifests(_ call: Call) async throws -> Answer {
        var query = try call.query()
        var question = ManifestQuery(source: query.text("source"), limit: query.limit())
        let compares = query.flag("compare")
        if var cursor = try query.cursor(.manifests) { question.before = try cursor.readSigned() }
        try query.finish()
        let answer = try await quarantineDesk.manifests(question)
        var items: [JSONValue] = []
        for manifest in answer.manifests {
            let document = compares ? try await compared(manifest) : Self.document(manifest)
            items.append(.object(document))
        }
        var document: JSONObject = ["items": .array(items)]
        if answer.hasMore, let last = answer.manifests.last {
            var cursor = Cursor(.manifests, fingerprint: query.fingerprint)
            cursor.append(last.number)
            document["next"] = .string(cursor.text)
        }
        return .json(document, isPretty: call.isPretty)
    }

    /// `GET /v1/manifests/{id}`: the claim, and how it stands.
    private func readManifest(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let name = try call.name(at: 2)
        guard let number = SourceManifest.number(name),
            let manifest = try await quarantineDesk.manifest(number)
        else { throw Refusal.notFound("there is no manifest \"\(name)\"") }
        return .json(try await compared(manifest), isPretty: call.isPretty)
    }

    private func compared(_ manifest: SourceManifest) async throws -> JSONObject {
        let standing = try await quarantineDesk.standing(of: manifest.claim)
        var document = Self.document(manifest)
        document["standing"] = .object(try Self.document(standing))
        return document
    }

    // MARK: Documents

    private static func document(_ manifest: SourceManifest) -> JSONObject {
        var document: JSONObject = ["id": .string(manifest.id)]
        for member in ManifestDocument.write(manifest.claim).members {
            document[member.name] = member.value
        }
        document["rows"] = .string(String(manifest.claim.rows))
        document["at"] = .string(manifest.at.rfc3339)
        if !manifest.author.isEmpty { document["author"] = .string(manifest.author) }
        return document
    }

    private static func document(_ standing: ManifestStanding) throws(Refusal) -> JSONObject {
        let difference: Quantity?
        do throws(QuantityOverflow) {
            difference = try standing.sumDifference()
        } catch {
            throw Refusal(.valueOverflow, "the difference of the sums does not fit a quantity")
        }
        var document: JSONObject = [
            "status": .string(standing.status.rawValue),
            "position": .string(standing.position.description),
            "received": .string(String(standing.received)),
            "rowsDifference": .string(String(standing.rowsDifference)),
            "voided": .string(String(standing.voided)),
            "quarantined": .string(String(standing.quarantined)),
        ]
        guard let sum = standing.sum, let difference else { return document }
        document["sum"] = .string(sum.description)
        document["sumDifference"] = .string(difference.description)
        document["unreadable"] = .string(String(standing.unreadable))
        return document
    }
}
