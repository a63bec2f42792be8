internal import Expressions
public import UsageModel
public import WireFormat

/// A JSON Schema (draft 2020-12), of which the keywords in `docs/reference/json-schema.md` are
/// known and all others are refused when it is compiled: what a schema says is held, or it is not
/// taken.
///
/// A value; any number of threads ask it at once.
public struct JSONSchema: Sendable {
    let nodes: [SchemaNode]

    /// Why a schema is not taken: pointers into it, and what to do.
    public struct Faults: Error, Hashable, Sendable {
        public var faults: [FieldFault]
    }

    /// Why a value does not fit.
    public struct Misfit: Hashable, Sendable {
        /// A JSON pointer into the value; empty for the value as such.
        public var pointer: String
        /// What the schema asks for, with nothing from the value.
        public var reason: String
    }

    /// Compiles a schema.
    ///
    /// - Throws: ``Faults`` with all that is not known or makes no sense.
    /// - Complexity: O(bytes), but for patterns.
    public init(_ document: JSONValue) throws(Faults) {
        var compiling = SchemaCompiling(document)
        nodes = try compiling.compiled()
    }

    /// The first thing about a value that does not fit; nil where all does.
    ///
    /// - Complexity: bounded: at most ``Limits/schemaStepsMax`` schemas are asked, at most
    ///   ``Limits/schemaDepthMax`` within one another; what takes more does not fit, and is told
    ///   so.
    public func misfit(of value: JSONValue) -> Misfit? {
        var walk = SchemaWalk(nodes: nodes)
        do throws(SchemaWalk.Exhausted) {
            return try walk.misfit(of: value, 0)
        } catch {
            return Misfit(pointer: "", reason: error.reason)
        }
    }
}

/// One schema of a document, compiled; other ones are named by their places.
struct SchemaNode: Sendable {
    /// A number and the keyword that sets it as a bound.
    struct Bound: Sendable {
        enum Side: String, Sendable, CaseIterable {
            case minimum, maximum, exclusiveMinimum, exclusiveMaximum
        }

        var side: Side
        var number: ExactDecimal
        var spelling: String

        func holds(_ value: ExactDecimal) -> Bool {
            switch side {
            case .minimum: value >= number
            case .maximum: value <= number
            case .exclusiveMinimum: value > number
            case .exclusiveMaximum: value < number
            }
        }
    }

    /// How many there may be of something.
    struct Count: Sendable {
        var least = 0
        var most = Int.max

        /// nil where the count fits.
        func misfit(_ count: Int, _ what: String) -> String? {
            if count < least { return "it has fewer than \(least) \(what)" }
            if count > most { return "it has more than \(most) \(what)" }
            return nil
        }
    }

    /// Of a schema that is true or false.
    var verdict: Bool?
    var types: Set<SchemaType> = []
    /// The values of `enum`, and the one of `const`, in their canonical bytes.
    var choices: Set<[UInt8]>?
    var constant: [UInt8]?
    var bounds: [Bound] = []
    var multipleOf: (number: ExactDecimal, spelling: String)?
    var length = Count()
    var pattern: (Pattern, text: String)?
    var format: SchemaFormat?
    var required: [String] = []
    var members = Count()
    var properties: [[UInt8]: Int] = [:]
    var patternProperties: [(Pattern, node: Int)] = []
    var additional: Int?
    var propertyNames: Int?
    var elements = Count()
    var isUnique = false
    var prefixItems: [Int] = []
    var items: Int?
    var contains: Int?
    var containsCount = Count(least: 1)
    var reference: Int?
    var allOf: [Int] = []
    var anyOf: [Int] = []
    var oneOf: [Int] = []
    var not: Int?
    var condition: Int?
    var then: Int?
    var otherwise: Int?

    /// Those that are asked about the very value that this one is asked about.
    var inPlace: [Int] {
        [reference, not, condition, then, otherwise].compactMap(\.self) + allOf + anyOf + oneOf
    }
}

/// The kinds of values that `type` names.
enum SchemaType: String, CaseIterable, Sendable {
    case null, boolean, object, array, number, integer, string

    func takes(_ value: JSONValue) -> Bool {
        switch (self, value) {
        case (.null, .null), (.boolean, .bool), (.object, .object), (.array, .array),
            (.number, .number), (.string, .string):
            true
        case (.integer, .number(let spelling)): ExactDecimal(spelling)?.isWhole ?? false
        default: false
        }
    }
}
