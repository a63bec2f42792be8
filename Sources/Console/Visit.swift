import HTTPTypes
import HummingbirdCore
import UsageModel
import WireFormat

/// One request for a page, taken apart: what a page is made of.
struct Visit {
    let request: Request
    let target: Target
    let cookies: Cookies
    let surroundings: Console.Surroundings
    /// Asks the API in the name of whoever sits there.
    var api = API.silent
    /// What the pattern of the address left open, decoded.
    var names: [String: String] = [:]
    /// The form that was sent; nil for a GET.
    var form: Fields?
    /// What is wrong with the form that was sent, or with what the address asks for. The layout
    /// shows it.
    var problem: Problem?
    var session = ""
    var token = ""
    var streams = StreamCount()

    init(
        request: Request,
        target: Target,
        cookies: Cookies,
        surroundings: Console.Surroundings
    ) {
        (self.request, self.target, self.cookies) = (request, target, cookies)
        self.surroundings = surroundings
    }

    var query: Fields { target.query }
    var now: Instant { surroundings.clock() }
    /// The address of the page without its query.
    var path: String { target.path }

    /// The host and port that the browser asked.
    var authority: String { request.head.authority ?? "127.0.0.1:8337" }

    /// A name that the pattern of the address left open: `visit["key"]`.
    subscript(name: String) -> String { names[name] ?? "" }

    /// What a field of a form shows: what was typed, or else what the address says, or else what
    /// stands already.
    func typed(_ name: String, _ standing: String? = nil) -> String? {
        if let form { return form.text(name) }
        return query.text(name) ?? standing
    }

    /// Whether a box is ticked.
    func ticked(_ name: String, _ standing: Bool = false) -> Bool {
        form == nil && query.all(name).isEmpty ? standing : typed(name) != nil
    }

    /// Who sits there, as they said: in the form that was sent, or in a cookie of before.
    var author: String {
        form?.text("author") ?? cookies[.author].flatMap { PercentCoding.decode($0[...]) } ?? ""
    }

    /// The address of this page with other parameters; those that are nil are left out, and so is
    /// the cursor unless it is named.
    func link(_ changes: KeyValuePairs<String, String?>) -> String {
        let changed = Set(changes.map(\.key) + ["cursor"])
        let kept = query.items.filter { !changed.contains($0.name) && !$0.value.isEmpty }
        let added = changes.compactMap { name, value in value.map { (name: name, value: $0) } }
        return Address.link(path, kept.map { ($0.name, $0.value) } + added)
    }

    /// Choices for a `<select>`, or for a row of boxes: partial `options`.
    func options(_ name: String, _ choices: [String], standing: String? = nil) -> [Values] {
        let chosen = typed(name, standing)
        return choices.map { ["value": $0, "label": $0, "selected": $0 == chosen] }
    }
}

/// The address of a request.
struct Target: Hashable {
    /// As it was sent: still percent-encoded.
    let path: String
    let query: Fields

    init(_ text: String) {
        let halves = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = halves.first.map(String.init) ?? ""
        query = halves.count > 1 ? Fields(lenient: halves[1]) : Fields()
    }

    /// Between the slashes.
    var segments: [Substring] {
        path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    }
}

/// Names and values as forms spell them, in their order: of a query, or of a form that was sent.
struct Fields: Hashable {
    struct Item: Hashable {
        var name: String
        var value: String
    }

    private(set) var items: [Item] = []

    init() {}

    /// - Returns: nil where it is not percent-encoded UTF-8.
    init?(_ text: some StringProtocol) {
        for piece in text.split(separator: "&") {
            let halves = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let parts = halves.map { PercentCoding.decode(Substring($0), plusIsSpace: true) }
            guard let name = parts.first ?? nil else { return nil }
            guard let value = parts.count > 1 ? parts[1] : "" else { return nil }
            items.append(Item(name: name, value: value))
        }
    }

    /// A query as it was typed: a `%` that begins no byte stands for itself, as browsers read it,
    /// and bytes that are no UTF-8 for U+FFFD. A filter must never fall away in silence.
    init(lenient text: some StringProtocol) {
        for piece in text.split(separator: "&") {
            let halves = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let parts = halves.map { Self.read(Substring($0)) }
            items.append(Item(name: parts[0], value: parts.count > 1 ? parts[1] : ""))
        }
    }

    private static func read(_ text: Substring) -> String {
        if let text = PercentCoding.decode(text, plusIsSpace: true) { return text }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.first {
            let three = rest.prefix(3)
            rest.removeFirst()
            let digits = three.dropFirst()
            if byte == UInt8(ascii: "%"), digits.count == 2,
                digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
                let decoded = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                bytes.append(decoded)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The first value of a name, as it was sent; nil where there is none.
    subscript(name: String) -> String? { items.first { $0.name == name }?.value }

    /// The first value of a name without spaces around it; nil where it is missing or empty.
    func text(_ name: String) -> String? {
        guard let value = self[name] else { return nil }
        var text = value[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text.isEmpty ? nil : String(text).replacing("\r\n", with: "\n")
    }

    /// All values of a name that are not empty.
    func all(_ name: String) -> [String] {
        items.filter { $0.name == name && !$0.value.isEmpty }.map(\.value)
    }
}

/// Addresses, with whatever names in them.
enum Address {
    /// `Address.path("/v1/events", source, id)`: each name is one segment.
    static func path(_ start: String, _ names: String...) -> String {
        names.reduce(start) { $0 + "/" + PercentCoding.encode($1) }
    }

    /// An address with a query; parameters that are nil are left out.
    static func link(_ path: String, _ query: KeyValuePairs<String, String?>) -> String {
        link(path, query.compactMap { name, value in value.map { (name, $0) } })
    }

    static func link(_ path: String, _ query: [(name: String, value: String)]) -> String {
        guard !query.isEmpty else { return path }
        let pieces = query.map {
            PercentCoding.encode($0.name) + "=" + PercentCoding.encode($0.value)
        }
        return path + "?" + pieces.joined(separator: "&")
    }
}

/// The cookies of a request that are ours.
struct Cookies {
    enum Name: String, CaseIterable {
        /// What the token of forms follows from.
        case session = "odometer-session"
        /// Who sits there, percent-encoded.
        case author = "odometer-author"
        /// What the next page is to say, percent-encoded.
        case said = "odometer-said"
    }

    private var values: [Name: String] = [:]

    init(_ headers: HTTPFields) {
        for field in headers[values: .cookie] {
            for piece in field.split(separator: ";") {
                let halves = piece.split(separator: "=", maxSplits: 1)
                let name = halves.first?.drop { $0 == " " } ?? ""
                guard halves.count == 2, let name = Name(rawValue: String(name)) else { continue }
                values[name] = String(halves[1])
            }
        }
    }

    subscript(name: Name) -> String? { values[name] }

    /// `Set-Cookie` for one of them.
    ///
    /// - Parameter seconds: How long it is kept; nil: until the browser is closed.
    static func setting(_ name: Name, _ value: String, seconds: Int? = nil) -> String {
        let age = seconds.map { "; Max-Age=\($0)" } ?? ""
        return "\(name.rawValue)=\(value); Path=\(Console.root); HttpOnly; SameSite=Strict\(age)"
    }
}
