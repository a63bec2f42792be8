import UsageModel

// Secrets: what hides them, and what keeps the stored one where a document says it is hidden.
extension DestinationDocument {
    private static let nothingStored = "there is no stored secret to keep"

    /// Whether the value of a header is a secret, going by its name.
    static func isSecret(header name: String) -> Bool {
        let words = ["auth", "key", "token", "secret", "password", "credential", "cookie"]
        return words.contains { name.lowercased().contains($0) }
    }

    /// A secret that must be there: visible ASCII, as headers can carry it.
    static func secret(
        _ reader: inout FieldReader,
        _ name: String,
        stored: String?,
        takesBlanks: Bool = false
    ) -> String {
        reader.require(name, "give the secret")
        guard let text = reader.line(name, bytes: 1...secretBytesMax) else { return "" }
        if text == hidden {
            if stored == nil { reader.fault(name, nothingStored, "give the secret itself") }
            return stored ?? ""
        }
        let least: UInt8 = takesBlanks ? 0x20 : 0x21
        if text.utf8.contains(where: { $0 > 0x7e || ($0 < least && !FieldReader.isControl($0)) }) {
            let blanks = takesBlanks ? "" : " and blanks"
            reader.fault(name, "it holds what no secret has", "leave out accents\(blanks)")
        }
        return text
    }

    /// The secrets of a webhook; a hidden one is the stored one of its place.
    static func secrets(_ reader: inout FieldReader, stored: [String]) -> [String] {
        let remedy = "give whsec_ and base64 of 24 to 64 bytes"
        guard let value = reader.value("secrets") else {
            reader.fault("secrets", "it is missing", "give a list: \(remedy)")
            return []
        }
        let most = Limits.webhookSecretsMax
        guard let elements = value.arrayValue, (1...most).contains(elements.count) else {
            reader.fault("secrets", "it is no list of 1 to \(most) secrets", remedy)
            return []
        }
        var secrets: [String] = []
        for (place, element) in elements.enumerated() {
            let name = "secrets/\(place)"
            if element == .string(hidden) {
                if stored.indices.contains(place) {
                    secrets.append(stored[place])
                } else {
                    reader.fault(name, nothingStored, remedy)
                }
            } else if let text = element.stringValue, isWebhookSecret(text) {
                secrets.append(text)
            } else {
                reader.fault(name, "it is no secret of a webhook", remedy)
            }
        }
        return secrets
    }

    private static func isWebhookSecret(_ text: String) -> Bool {
        let prefix = "whsec_"
        guard text.hasPrefix(prefix), text.utf8.count <= secretBytesMax else { return false }
        let bytes = Base64.decode(String(text.dropFirst(prefix.count)))
        return bytes.map { (24...64).contains($0.count) } ?? false
    }

    /// Headers; a hidden one is the stored one of its name.
    static func headers(
        _ reader: inout FieldReader,
        valueBytesMax: Int = headerValueBytesMax,
        stored: [MetadataMember]
    ) -> [MetadataMember] {
        let headers = reader.headers(
            "headers",
            countMax: headersMax,
            nameBytesMax: headerNameBytesMax,
            valueBytesMax: valueBytesMax
        )
        return (headers ?? []).map { header in
            guard isSecret(header: header.name), header.value == hidden else { return header }
            let name = header.name.lowercased()
            if let before = stored.first(where: { $0.name.lowercased() == name }) {
                return MetadataMember(name: header.name, value: before.value)
            }
            let place = "headers/" + FieldReader.escaped(header.name)
            reader.fault(place, nothingStored, "give the value itself")
            return header
        }
    }

    // MARK: Hiding

    static func hiding(_ outlet: OutletRules) -> OutletRules {
        switch outlet {
        case .webhook(var rules):
            rules.secrets = rules.secrets.map { _ in hidden }
            rules.headers = hiding(rules.headers)
            return .webhook(rules)
        case .http(var rules):
            rules.headers = hiding(rules.headers)
            rules.authorization = hiding(rules.authorization)
            return .http(rules)
        case .files(var rules):
            if case .bucket(var bucket) = rules.place {
                bucket.secretKey = hidden
                rules.place = .bucket(bucket)
            }
            return .files(rules)
        case .stripe(var rules):
            rules.apiKey = hidden
            return .stripe(rules)
        case .cloudEvents(var rules):
            rules.headers = hiding(rules.headers)
            return .cloudEvents(rules)
        case .stdout: return .stdout
        }
    }

    private static func hiding(_ headers: [MetadataMember]) -> [MetadataMember] {
        headers.map { header in
            isSecret(header: header.name)
                ? MetadataMember(name: header.name, value: hidden) : header
        }
    }

    private static func hiding(_ authorization: HTTPRules.Authorization) -> HTTPRules.Authorization
    {
        switch authorization {
        case .none: return .none
        case .header(let name, _): return .header(name: name, value: hidden)
        case .clientCredentials(var credentials):
            credentials.clientSecret = hidden
            return .clientCredentials(credentials)
        }
    }
}

extension OutletRules {
    /// The machines that secrets are sent to: scheme, host and port of each address.
    fileprivate static func origin(_ url: String) -> String {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.prefix(3).joined(separator: "/").lowercased()
    }

    var origins: [String] {
        switch self {
        case .webhook(let rules): [Self.origin(rules.url)]
        case .http(let rules):
            if case .clientCredentials(let credentials) = rules.authorization {
                [Self.origin(rules.url), Self.origin(credentials.tokenURL)]
            } else {
                [Self.origin(rules.url)]
            }
        case .files(let rules):
            if case .bucket(let bucket) = rules.place { [Self.origin(bucket.endpoint)] } else { [] }
        case .stripe(let rules): [Self.origin(rules.url)]
        case .cloudEvents(let rules): [Self.origin(rules.url)]
        case .stdout: []
        }
    }
}
