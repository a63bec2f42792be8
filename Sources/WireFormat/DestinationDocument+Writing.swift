import UsageModel

// The member of each kind, with all that it has.
extension DestinationDocument {
    static func write(_ outlet: OutletRules) -> JSONObject {
        switch outlet {
        case .webhook(let rules):
            [
                "url": .string(rules.url), "secrets": .array(rules.secrets.map(JSONValue.string)),
                "headers": rules.headers.document,
            ]
        case .http(let rules): write(rules)
        case .files(let rules): write(rules)
        case .stripe(let rules):
            [
                "apiKey": .string(rules.apiKey), "url": .string(rules.url),
                "eventName": .string(rules.eventName), "customer": .string(rules.customer),
                "value": .string(rules.value), "customerField": .string(rules.customerField),
                "valueField": .string(rules.valueField),
            ]
        case .cloudEvents(let rules):
            [
                "url": .string(rules.url), "source": .string(rules.source),
                "type": .string(rules.type), "headers": rules.headers.document,
            ]
        case .stdout: [:]
        }
    }

    private static func write(_ rules: HTTPRules) -> JSONObject {
        var document: JSONObject = [
            "method": .string(rules.method.rawValue), "url": .string(rules.url),
            "headers": rules.headers.document,
        ]
        // What is no JSON was put there by hand; it can only be meant as a text.
        document["body"] = rules.body.map { text in
            (try? JSONValue.parse(Array(text.utf8))) ?? .string(text)
        }
        document["form"] = .bool(rules.isForm)
        switch rules.authorization {
        case .none: break
        case .header(let name, let value):
            document["authorization"] = ["header": .string(name), "value": .string(value)]
        case .clientCredentials(let credentials):
            document["authorization"] = [
                "tokenURL": .string(credentials.tokenURL),
                "clientID": .string(credentials.clientID),
                "clientSecret": .string(credentials.clientSecret),
                "scope": .string(credentials.scope),
            ]
        }
        document["expected"] = .array(rules.expected.map { .number(String($0)) })
        document["known"] = .array(rules.known.map { .number(String($0)) })
        return document
    }

    private static func write(_ rules: FileRules) -> JSONObject {
        var document = JSONObject()
        switch rules.place {
        case .directory(let path): document["directory"] = .string(path)
        case .bucket(let bucket):
            document["bucket"] = [
                "endpoint": .string(bucket.endpoint), "region": .string(bucket.region),
                "name": .string(bucket.name), "prefix": .string(bucket.prefix),
                "accessKey": .string(bucket.accessKey), "secretKey": .string(bucket.secretKey),
            ]
        }
        document["format"] = .string(rules.format.rawValue)
        document["name"] = .string(rules.fileName)
        document["gzip"] = .bool(rules.isZipped)
        document["manifest"] = .bool(rules.hasManifest)
        return document
    }
}
