import UsageModel

// What each kind of destination needs, read from the member of its name.
extension DestinationDocument {
    private static let template = 1...Limits.templateBytesMax
    private static let word = 1...wordBytesMax

    /// The one kind that is given.
    ///
    /// - Parameter stored: What it replaces; of another kind it keeps nothing.
    /// - Returns: nil where there is none, or it is no object; there is a fault then.
    static func outlet(_ reader: inout FieldReader, stored: OutletRules?) -> OutletRules? {
        let given = kinds.filter { reader.value($0) != nil }
        guard let kind = given.first else {
            let words = kinds.joined(separator: ", ")
            reader.fault("", "it does not say where records go", "give one of: \(words)")
            return nil
        }
        for other in given.dropFirst() {
            reader.fault(other, "\(kind) is there already", "give one of them")
        }
        switch kind {
        case "webhook": return webhook(&reader, stored)
        case "http": return http(&reader, stored)
        case "files": return files(&reader, stored)
        case "stripe": return stripe(&reader, stored)
        case "cloudEvents": return cloudEvents(&reader, stored)
        default: return reader.object("stdout", known: []) { _ in .stdout }
        }
    }

    private static func webhook(
        _ reader: inout FieldReader,
        _ stored: OutletRules?
    ) -> OutletRules? {
        var before: WebhookRules?
        if case .webhook(let rules) = stored { before = rules }
        return reader.object("webhook", known: ["url", "secrets", "headers"]) { reader in
            let url = address(&reader, "url")
            let secrets = secrets(&reader, stored: before?.secrets ?? [])
            let headers = headers(&reader, stored: before?.headers ?? [])
            return .webhook(WebhookRules(url: url, secrets: secrets, headers: headers))
        }
    }

    private static func cloudEvents(
        _ reader: inout FieldReader,
        _ stored: OutletRules?
    ) -> OutletRules? {
        var before: CloudEventsRules?
        if case .cloudEvents(let rules) = stored { before = rules }
        let known = ["url", "source", "type", "headers"]
        return reader.object("cloudEvents", known: known) { reader in
            var rules = CloudEventsRules(url: address(&reader, "url"))
            let (source, type) = (1...Limits.keyFieldBytesMax, 1...Limits.eventTypeBytesMax)
            rules.source = reader.line("source", bytes: source) ?? rules.source
            rules.type = reader.line("type", bytes: type) ?? rules.type
            rules.headers = headers(&reader, stored: before?.headers ?? [])
            return .cloudEvents(rules)
        }
    }

    private static func stripe(_ reader: inout FieldReader, _ stored: OutletRules?) -> OutletRules?
    {
        var before: StripeRules?
        if case .stripe(let rules) = stored { before = rules }
        let known = [
            "apiKey", "url", "eventName", "customer", "value", "customerField", "valueField",
        ]
        return reader.object("stripe", known: known) { reader in
            var rules = StripeRules(apiKey: secret(&reader, "apiKey", stored: before?.apiKey))
            rules.url = reader.address("url") ?? rules.url
            rules.eventName = reader.line("eventName", bytes: template) ?? rules.eventName
            rules.customer = reader.line("customer", bytes: template) ?? rules.customer
            rules.value = reader.line("value", bytes: template) ?? rules.value
            rules.customerField = reader.line("customerField", bytes: word) ?? rules.customerField
            rules.valueField = reader.line("valueField", bytes: word) ?? rules.valueField
            return .stripe(rules)
        }
    }

    /// An address that must be there.
    private static func address(
        _ reader: inout FieldReader,
        _ name: String,
        isTemplate: Bool = false
    ) -> String {
        reader.require(name, FieldReader.addressRemedy)
        return reader.address(name, isTemplate: isTemplate) ?? ""
    }

    /// A text that must be there.
    private static func required(_ reader: inout FieldReader, _ name: String) -> String {
        reader.require(name, "give 1 to \(wordBytesMax) bytes")
        return reader.line(name, bytes: word) ?? ""
    }

    // MARK: HTTP

    private static func http(_ reader: inout FieldReader, _ stored: OutletRules?) -> OutletRules? {
        var before: HTTPRules?
        if case .http(let rules) = stored { before = rules }
        let known = [
            "method", "url", "headers", "body", "form", "authorization", "expected", "known",
        ]
        return reader.object("http", known: known) { reader in
            let method: HTTPRules.Method? = reader.word("method")
            var rules = HTTPRules(url: address(&reader, "url", isTemplate: true))
            rules.method = method ?? rules.method
            rules.headers = headers(
                &reader,
                valueBytesMax: Limits.templateBytesMax,
                stored: before?.headers ?? []
            )
            (rules.body, rules.isForm) = body(&reader)
            rules.authorization = authorization(&reader, stored: before?.authorization)
            refuseSecondAuthorization(rules, &reader)
            rules.expected = codes(&reader, "expected") ?? rules.expected
            rules.known = codes(&reader, "known") ?? rules.known
            return .http(rules)
        }
    }

    private static func body(_ reader: inout FieldReader) -> (text: String?, isForm: Bool) {
        let isForm = reader.flag("form") ?? false
        guard let body = reader.value("body") else {
            if isForm { reader.fault("body", "a form needs one", "give an object of its fields") }
            return (nil, isForm)
        }
        if isForm, body.objectValue == nil {
            let remedy = "give an object of its fields, or no form"
            reader.fault("body", "it is \(body.kindName), and no form", remedy)
        }
        let text = String(decoding: body.serialized(), as: UTF8.self)
        if text.utf8.count > Limits.templateBytesMax {
            let most = "use at most \(Limits.templateBytesMax)"
            reader.fault("body", "it has \(text.utf8.count) bytes", most)
        }
        return (text, isForm)
    }

    private static func codes(_ reader: inout FieldReader, _ name: String) -> [Int]? {
        let remedy = "give whole numbers from 200 to 499"
        return reader.list(name, countMax: statusCodesMax, of: "status code", remedy) { value in
            value.integerValue.flatMap { (200...499).contains($0) ? Int($0) : nil }
        }
    }

    private static func authorization(
        _ reader: inout FieldReader,
        stored: HTTPRules.Authorization?
    ) -> HTTPRules.Authorization {
        let credentials = ["tokenURL", "clientID", "clientSecret", "scope"]
        let given = reader.value("authorization")?.objectValue?.names ?? []
        if given.contains(where: credentials.contains) {
            var before: String?
            if case .clientCredentials(let stored) = stored { before = stored.clientSecret }
            return reader.object("authorization", known: credentials) { reader in
                .clientCredentials(
                    HTTPRules.ClientCredentials(
                        tokenURL: address(&reader, "tokenURL"),
                        clientID: required(&reader, "clientID"),
                        clientSecret: secret(
                            &reader,
                            "clientSecret",
                            stored: before,
                            takesBlanks: true
                        ),
                        scope: reader.line("scope", bytes: 0...headerValueBytesMax) ?? ""
                    )
                )
            } ?? HTTPRules.Authorization.none
        }
        var before: String?
        if case .header(_, let value) = stored { before = value }
        return reader.object("authorization", known: ["header", "value"]) { reader in
            let name = reader.string("header") ?? "Authorization"
            reader.headerName(name, at: "header", bytesMax: headerNameBytesMax)
            let value = secret(&reader, "value", stored: before, takesBlanks: true)
            return .header(name: name, value: value)
        } ?? HTTPRules.Authorization.none
    }

    /// Refuses a header that the authorization sets as well.
    private static func refuseSecondAuthorization(_ rules: HTTPRules, _ reader: inout FieldReader) {
        let taken: String
        switch rules.authorization {
        case .none: return
        case .header(let name, _): taken = name.lowercased()
        case .clientCredentials: taken = "authorization"
        }
        for header in rules.headers where header.name.lowercased() == taken {
            let place = "headers/" + FieldReader.escaped(header.name)
            reader.fault(place, "authorization sets this header", "say it in one place")
        }
    }

    // MARK: Files

    private static func files(_ reader: inout FieldReader, _ stored: OutletRules?) -> OutletRules? {
        var before: FileRules.Bucket?
        if case .files(let rules) = stored, case .bucket(let bucket) = rules.place {
            before = bucket
        }
        let known = ["directory", "bucket", "format", "name", "gzip", "manifest"]
        return reader.object("files", known: known) { reader in
            var rules = FileRules(place: place(&reader, stored: before))
            rules.format = reader.word("format") ?? rules.format
            rules.fileName = reader.line("name", bytes: template) ?? rules.fileName
            if rules.fileName.hasPrefix("/") || leadsUp(rules.fileName) {
                let remedy = "give a name below the directory: no / in front, and no .. step"
                reader.fault("name", "it leads out of the directory", remedy)
            }
            rules.isZipped = reader.flag("gzip") ?? rules.isZipped
            rules.hasManifest = reader.flag("manifest") ?? rules.hasManifest
            return .files(rules)
        }
    }

    private static func place(
        _ reader: inout FieldReader,
        stored: FileRules.Bucket?
    ) -> FileRules.Place {
        if reader.value("bucket") != nil {
            if reader.value("directory") != nil {
                reader.fault("directory", "bucket is there too", "give one of the two")
            }
            return bucket(&reader, stored: stored).map(FileRules.Place.bucket) ?? .directory("")
        }
        reader.require("directory", "give the path of a directory, or a bucket")
        let path = reader.line("directory", bytes: 1...pathBytesMax)
        if let path, !path.isEmpty, !path.hasPrefix("/") || leadsUp(path) {
            let remedy = "give a path that begins with / and has no .. step"
            reader.fault("directory", "it is no absolute path, or it leads up", remedy)
        }
        return .directory(path ?? "")
    }

    private static func bucket(
        _ reader: inout FieldReader,
        stored: FileRules.Bucket?
    ) -> FileRules.Bucket? {
        let known = ["endpoint", "region", "name", "prefix", "accessKey", "secretKey"]
        return reader.object("bucket", known: known) { reader in
            let endpoint = address(&reader, "endpoint")
            let region = required(&reader, "region")
            let name = required(&reader, "name")
            if [".", ".."].contains(name) || !name.utf8.allSatisfy(PlainByte.holds) {
                reader.fault("name", "it is no name of a bucket", "use a-z 0-9 . -")
            }
            return FileRules.Bucket(
                endpoint: endpoint,
                region: region,
                name: name,
                prefix: reader.line("prefix", bytes: 0...pathBytesMax) ?? "",
                accessKey: required(&reader, "accessKey"),
                secretKey: secret(&reader, "secretKey", stored: stored?.secretKey)
            )
        }
    }

    private static func leadsUp(_ path: String) -> Bool {
        path.utf8.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual("..".utf8) }
    }
}
