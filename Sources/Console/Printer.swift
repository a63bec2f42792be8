public import Mustache
public import WireFormat

/// Prints templates.
struct Printer: Sendable {
    static let shared = Printer()

    private let library: MustacheLibrary

    private init() {
        MustacheContentTypes.register(PageText(), named: PageText.name)
        var library = MustacheLibrary()
        for (name, bytes) in Self.stackFiles + Self.deskFiles {
            // Within a line a partial must not break it.
            let text = String(
                decoding: bytes.last == 10 ? bytes.dropLast() : bytes[...],
                as: UTF8.self
            )
            do {
                // Each by itself: a partial would else be escaped by the library's own rule.
                try library.register("{{% CONTENT_TYPE:\(PageText.name)}}" + text, named: name)
            } catch {
                preconditionFailure("the template \(name) cannot be read: \(error)")
            }
        }
        self.library = library
    }

    func text(_ template: String, _ values: Values) -> String {
        guard let text = library.render(values, withTemplate: template) else {
            preconditionFailure("there is no template \(template)")
        }
        return text
    }

    /// Whether there is a template of that name.
    func has(_ template: String) -> Bool { library.getTemplate(named: template) != nil }
}

/// Text within a page, in an element or in an attribute.
///
/// The library's own rule looks at characters, and a quotation mark with an accent after it is one
/// character that is no quotation mark: it would end an attribute. This one looks at bytes.
struct PageText: MustacheContentType {
    static let name = "PAGE"

    func escapeText(_ text: String) -> String {
        let utf8 = text.utf8
        guard utf8.contains(where: { Self.replacement($0) != nil }) else { return text }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(utf8.count + 32)
        for byte in utf8 {
            if let replacement = Self.replacement(byte) {
                bytes.append(contentsOf: replacement.utf8)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func replacement(_ byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "<"): "&lt;"
        case UInt8(ascii: ">"): "&gt;"
        case UInt8(ascii: "&"): "&amp;"
        case UInt8(ascii: "\""): "&quot;"
        case UInt8(ascii: "'"): "&#39;"
        // A page cannot hold it.
        case 0: "\u{2400}"
        default: nil
        }
    }
}

/// What a template shows, by name; what is nil is not there.
struct Values: ExpressibleByDictionaryLiteral, MustacheParent {
    private var members: [String: Any] = [:]

    init(dictionaryLiteral elements: (String, Any?)...) {
        for (name, value) in elements { members[name] = value }
    }

    subscript(name: String) -> Any? {
        get { members[name] }
        set { members[name] = newValue }
    }

    func child(named name: String) -> Any? { members[name] }

    /// These and others; the others win.
    func with(_ others: Values) -> Values {
        var both = self
        both.members.merge(others.members) { _, other in other }
        return both
    }
}

/// Answers of the API stand in templates as they are: `{{#items}}{{.subject}}{{/items}}`.
extension JSONValue: MustacheParent, MustacheCustomRepresentation {
    public func child(named name: String) -> Any? { self[name] }

    public var representation: Any? {
        switch self {
        case .null: nil
        case .bool(let bool): bool
        case .number(let spelling): spelling
        case .string(let text): text
        case .array(let elements): elements
        case .object: self
        }
    }
}
