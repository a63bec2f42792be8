/// A JSON value in memory: for documents (meter types, settings), not for events.
///
/// Numbers keep the spelling they came in, so that nothing is rounded here. Two values are equal if
/// they are spelled alike but for spaces and escapes, with members in the same order; to compare by
/// meaning see ``jsonValuesEqual(_:_:)``.
public indirect enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The number as it was spelled; what is made by hand must be a JSON number.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// The members of a JSON object, in their order; no name comes twice.
public struct JSONObject: Hashable, Sendable {
    public struct Member: Hashable, Sendable {
        public var name: String
        public var value: JSONValue

        public init(name: String, value: JSONValue) { (self.name, self.value) = (name, value) }
    }

    public private(set) var members: [Member] = []

    public init() {}

    /// For members whose names are known to differ.
    init(trusted members: [Member]) { self.members = members }

    /// Setting a value replaces it in place or adds the member at the end; nil removes it.
    ///
    /// - Complexity: O(members).
    public subscript(name: String) -> JSONValue? {
        get { members.first { $0.name == name }?.value }
        set {
            let place = members.firstIndex { $0.name == name }
            switch (place, newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): members.remove(at: place)
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    public var names: [String] { members.map(\.name) }
    public var isEmpty: Bool { members.isEmpty }
    public var count: Int { members.count }
}

extension JSONValue {
    /// The member of an object; nil where there is none, or the value is no object.
    public subscript(name: String) -> JSONValue? { objectValue?[name] }

    public var objectValue: JSONObject? {
        if case .object(let object) = self { object } else { nil }
    }

    public var arrayValue: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    public var stringValue: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The spelling of a number.
    public var numberValue: String? {
        if case .number(let spelling) = self { spelling } else { nil }
    }

    public var boolValue: Bool? {
        if case .bool(let bool) = self { bool } else { nil }
    }

    public var isNull: Bool { self == .null }

    /// A number that is spelled as an integer and fits; `1.0` and `1e3` are none here.
    public var integerValue: Int64? { numberValue.flatMap { Int64($0) } }

    /// What kind of value it is, for messages: "a string", "null", …
    public var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

// No nil literal: where a `JSONValue?` is meant, nil must not become null.
extension JSONValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByStringLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .number(String(value)) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements))
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }

    init(_ elements: [(String, JSONValue)]) {
        for (name, value) in elements { self[name] = value }
    }
}
