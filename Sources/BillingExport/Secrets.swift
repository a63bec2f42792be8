import UsageModel

/// Texts that must not be told: they are taken out of whatever the other side answers, which may
/// hold what it was sent.
struct Secrets: Sendable {
    /// Shorter ones would make answers unreadable, and hide nothing worth hiding.
    private static let bytesMin = 6
    private static let pathKeyBytesMin = 16
    static let mask = "[secret]"

    /// The longest first: one may be a part of another.
    private let texts: [String]

    init(_ texts: [String]) {
        let long = Set(texts.filter { $0.utf8.count >= Self.bytesMin })
        self.texts = long.sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) }
    }

    init(headers: [MetadataMember]) { self.init(Self.texts(of: headers)) }

    /// What is secret of headers that people write down: their values, and what follows a scheme,
    /// such as the token of `Bearer …`.
    static func texts(of headers: [MetadataMember]) -> [String] {
        let open: Set = ["content-type", "accept", "accept-language", "user-agent"]
        let values = headers.filter { !open.contains($0.name.lowercased()) }.map(\.value)
        let tails = values.compactMap { value in
            value.firstIndex(of: " ").map { String(value[value.index(after: $0)...]) }
        }
        return values + tails
    }

    /// What is secret of an address: the values of its query, and steps of its path that look like
    /// keys, long and with digits; but for what is filled in.
    static func texts(ofURL url: String) -> [String] {
        let parts = url.split(separator: "?", maxSplits: 1)
        let steps = (parts.first ?? "").split(separator: "/").dropFirst(2)
        let keys = steps.filter { step in
            step.utf8.count >= pathKeyBytesMin && step.contains(where: \.isNumber)
        }
        let pairs = parts.dropFirst().flatMap { $0.split(separator: "&") }
        let values = pairs.compactMap { pair in
            pair.split(separator: "=", maxSplits: 1).dropFirst().first
        }
        return (keys + values).filter { !$0.contains("${") }.map(String.init)
    }

    func adding(_ more: [String]) -> Secrets { Secrets(texts + more) }

    func hidden(in text: String) -> String {
        texts.reduce(text) { $0.replacing($1, with: Self.mask) }
    }
}
