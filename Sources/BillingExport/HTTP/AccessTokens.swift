import MeteringEngine
import Synchronization
import UsageModel
import WireFormat

/// Tokens by OAuth 2 client credentials (RFC 6749 §4.4), one at a time: who comes while one is
/// fetched waits for it.
final class AccessTokens: Sendable {
    struct Token: Hashable, Sendable {
        var text: String
        /// A little before the other side forgets it.
        var goodUntil: Instant
    }

    enum Grant: Sendable {
        case token(Token)
        /// What becomes of a delivery that has no token.
        case failure(DeliveryOutcome)
    }

    /// How the client says who it is. Servers must take the header (RFC 6749 §2.3.1); some take the
    /// body alone.
    private enum Proof: Sendable {
        case header
        case body

        var other: Proof { self == .header ? .body : .header }
    }

    private enum State {
        case empty
        case fetching([CheckedContinuation<Turn, Never>])
        case held(Token)
    }

    private enum Turn: Sendable {
        case granted(Grant)
        case fetch
    }

    /// Of a token whose life the other side does not tell, in seconds.
    private static let lifeDefault: Int64 = 300
    private static let lifeMax: Int64 = 366 * 86_400
    /// How long before its end a token is not used any more, in seconds; a tenth of a short life.
    private static let marginMax: Int64 = 60

    private let credentials: HTTPRules.ClientCredentials
    private let courier: Courier
    private let rules: AnswerRules
    private let state = Mutex(State.empty)
    /// The one that worked last.
    private let proof = Mutex(Proof.header)

    init(_ credentials: HTTPRules.ClientCredentials, _ courier: Courier, _ secrets: Secrets) {
        (self.credentials, self.courier) = (credentials, courier)
        let basic = Self.basic(credentials)
        rules = AnswerRules(secrets: secrets.adding([credentials.clientSecret, basic]))
    }

    /// The token that is held, or a new one.
    func token() async -> Grant {
        let now = courier.clock()
        let turn = await withCheckedContinuation { (waiting: CheckedContinuation<Turn, Never>) in
            let turn = state.withLock { state -> Turn? in
                switch state {
                case .held(let token) where now < token.goodUntil: return .granted(.token(token))
                case .fetching(let others):
                    state = .fetching(others + [waiting])
                    return nil
                case .empty, .held:
                    state = .fetching([])
                    return .fetch
                }
            }
            if let turn { waiting.resume(returning: turn) }
        }
        if case .granted(let grant) = turn { return grant }
        let grant = await fetch()
        let others = state.withLock { state -> [CheckedContinuation<Turn, Never>] in
            guard case .fetching(let others) = state else { return [] }
            if case .token(let token) = grant { state = .held(token) } else { state = .empty }
            return others
        }
        for other in others { other.resume(returning: .granted(grant)) }
        return grant
    }

    /// Forgets a token that the other side does not take, unless there is another already.
    func forget(_ token: Token) {
        state.withLock { state in
            if case .held(token) = state { state = .empty }
        }
    }

    private func fetch() async -> Grant {
        let first = proof.withLock { $0 }
        let reply = await courier.sendUnnoted(request(first))
        if case .answer(let answer) = reply, [400, 401].contains(answer.status) {
            let second = await courier.sendUnnoted(request(first.other))
            if let token = token(in: second) {
                proof.withLock { $0 = first.other }
                return .token(token)
            }
        }
        if let token = token(in: reply) { return .token(token) }
        switch rules.outcome(of: reply, now: courier.clock()) {
        case .delivered(let status, _):
            let reason = "no token: answered \(status ?? 200) without an `access_token`"
            return .failure(.retry(status: status, reason: reason, after: nil))
        case .retry(let status, let reason, let after):
            return .failure(.retry(status: status, reason: "no token: " + reason, after: after))
        case .refused(let status, let reason):
            return .failure(.refused(status: status, reason: "no token: " + reason))
        }
    }

    private func request(_ proof: Proof) -> OutletRequest {
        var pairs = [("grant_type", "client_credentials")]
        if !credentials.scope.isEmpty { pairs.append(("scope", credentials.scope)) }
        if proof == .body {
            pairs.append(("client_id", credentials.clientID))
            pairs.append(("client_secret", credentials.clientSecret))
        }
        var request = OutletRequest(
            url: credentials.tokenURL,
            contentType: "application/x-www-form-urlencoded",
            body: URLText.form(pairs.map { (name: $0.0, value: $0.1) })
        )
        request.set("accept", "application/json")
        if proof == .header { request.set("authorization", "Basic " + Self.basic(credentials)) }
        return request
    }

    private static func basic(_ credentials: HTTPRules.ClientCredentials) -> String {
        let pair = [credentials.clientID, credentials.clientSecret].map(URLText.encoded)
        return Base64.encode(Array(pair.joined(separator: ":").utf8), .standard)
    }

    private func token(in reply: OutletReply) -> Token? {
        guard case .answer(let answer) = reply, rules.takes(answer.status),
            let document = try? JSONValue.parse(answer.bytes),
            let text = document["access_token"]?.stringValue, !text.isEmpty
        else { return nil }
        let told = document["expires_in"]
        let spelled = told?.numberValue ?? told?.stringValue ?? ""
        let life = min(max(Int64(spelled) ?? Self.lifeDefault, 0), Self.lifeMax)
        let usable = life - min(Self.marginMax, life / 10)
        let now = courier.clock().microseconds
        return Token(text: text, goodUntil: Instant(microseconds: now + usable * 1_000_000))
    }
}
