import MeteringEngine
import UsageModel
import WireFormat

/// Requests that templates make: for any billing system that has an API.
///
/// Where a template speaks of one record, several are sent one after the other.
struct HTTPOutlet: RecordOutlet {
    private let rules: HTTPRules
    private let url: Template
    private let headers: [(name: String, value: Template)]
    /// nil: the records as they are.
    private let body: BodyTemplate?
    /// Whether one request holds all records of a batch.
    private let isOfBatch: Bool
    private let courier: Courier
    private let answers: AnswerRules
    private let tokens: AccessTokens?

    init(_ rules: HTTPRules, batchSize: Int, _ courier: Courier) throws(FieldFault) {
        (self.rules, self.courier) = (rules, courier)
        body = try rules.body.map { text throws(FieldFault) in try BodyTemplate(text, at: "/body") }
        isOfBatch = body?.isOfBatch ?? (batchSize > 1)
        let fields = isOfBatch ? TemplateFields.batch : .recordInBatch
        url = try Template(rules.url, fields, at: "/url")
        try URLText.check(url.filled([:]), at: "/url")
        var headers: [(name: String, value: Template)] = []
        for header in rules.headers {
            let template = try Template(header.value, fields, at: "/headers/\(header.name)")
            headers.append((header.name, template))
        }
        self.headers = headers
        var secrets = Secrets(headers: rules.headers).adding(Secrets.texts(ofURL: rules.url))
        switch rules.authorization {
        case .none: tokens = nil
        case .header(let name, let value):
            secrets = secrets.adding(Secrets.texts(of: [.init(name: name, value: value)]))
            tokens = nil
        case .clientCredentials(let credentials):
            try URLText.check(credentials.tokenURL, at: "/authorization/tokenURL")
            secrets = secrets.adding([credentials.clientSecret])
            tokens = AccessTokens(credentials, courier, secrets)
        }
        answers = AnswerRules(
            expected: Set(rules.expected),
            known: Set(rules.known),
            secrets: secrets
        )
        if rules.isForm { try Self.checkForm(body) }
    }

    private static func checkForm(_ body: BodyTemplate?) throws(FieldFault) {
        guard body?.isFlatObject != true else { return }
        throw FieldFault(
            pointer: "/body",
            reason: "a form is made of an object whose values are texts",
            remedy: "write `{\"name\": \"${field}\"}`, or send JSON"
        )
    }

    func send(_ batch: DeliveryBatch) async -> DeliveryOutcome {
        guard !isOfBatch, batch.items.count > 1 else { return await sendTogether(batch) }
        return await batch.sendOneByOne(sendTogether)
    }

    private func sendTogether(_ batch: DeliveryBatch) async -> DeliveryOutcome {
        let request: OutletRequest
        do throws(UnfitValue) {
            request = try self.request(batch)
        } catch {
            return .refused(status: nil, reason: error.reason)
        }
        guard let tokens else { return await courier.outcome(of: request, answers) }
        let outcome = await send(request, tokens)
        // The other side may forget a token before its time.
        guard case .refused(status: 401, _) = outcome else { return outcome }
        return await send(request, tokens)
    }

    /// Sends with a token, and forgets the token where it is not taken.
    private func send(_ request: OutletRequest, _ tokens: AccessTokens) async -> DeliveryOutcome {
        switch await tokens.token() {
        case .failure(let outcome): return outcome
        case .token(let token):
            var request = request
            request.set("authorization", "Bearer " + token.text)
            var answers = answers
            answers.secrets = answers.secrets.adding([token.text])
            let outcome = await courier.outcome(of: request, answers)
            if case .refused(status: 401, _) = outcome { tokens.forget(token) }
            return outcome
        }
    }

    private func request(_ batch: DeliveryBatch) throws(UnfitValue) -> OutletRequest {
        let documents = batch.items.map(batch.document(of:))
        let fields = batch.fields
        let named = isOfBatch ? fields : fields.joined(to: documents[0])
        var request = OutletRequest(
            url: url.filled(named, encode: URLText.encoded),
            contentType: rules.isForm ? "application/x-www-form-urlencoded" : "application/json",
            body: try bytes(batch, fields, documents)
        )
        request.method = rules.method.rawValue
        for (name, value) in headers { request.set(name, value.filled(named)) }
        if case .header(let name, let value) = rules.authorization { request.set(name, value) }
        request.set("idempotency-key", batch.idempotencyKey)
        return request
    }

    private func bytes(
        _ batch: DeliveryBatch,
        _ fields: JSONObject,
        _ documents: [JSONObject]
    ) throws(UnfitValue) -> [UInt8] {
        guard let body else { return JSONValue.object(batch.document).serialized() }
        let value = try body.filled(fields, documents)
        return rules.isForm ? URLText.form(BodyTemplate.pairs(value)) : value.serialized()
    }
}

extension DeliveryBatch {
    /// What templates may say of it: ``TemplateFields/batch``.
    var fields: JSONObject {
        [
            "destination": .string(destination.text),
            "first": .string(String(items[0].number)),
            "last": .string(String(items[items.count - 1].number)),
            "count": .number(String(items.count)), "idempotencyKey": .string(idempotencyKey),
        ]
    }
}

extension JSONObject {
    /// The members of both; where both have one, this one's.
    func joined(to other: JSONObject) -> JSONObject {
        members.reduce(into: other) { $0[$1.name] = $1.value }
    }
}
