internal import Expressions
internal import Metering
internal import Synchronization
public import UsageModel
internal import Validation
internal import WireFormat

/// The validation rules in force, compiled once and placed per event type as types come by.
///
/// A book never changes: a new or retired rule makes another one.
public final class RuleBook: Sendable {
    /// The most event types whose plan is kept; past it the plans are made anew.
    private static let plansMax = 10_000

    private let rules: [(rule: ValidationRule, check: CompiledCheck)]
    private let plans = Mutex<[[UInt8]: RulePlan?]>([:])

    /// - Parameter rules: In the order in which they are asked; the retired ones are left aside.
    /// - Returns: nil where none is in force, so that intake has one thing to look at.
    public init?(_ rules: [ValidationRule], zones: SystemTimeZones = .shared) {
        let inForce = rules.filter { $0.retiredAt == nil }
        guard !inForce.isEmpty else { return nil }
        self.rules = inForce.map { rule in
            (rule, CompiledCheck(rule.definition.check, zones: zones))
        }
    }

    /// What to ask of events of a type; nil for nothing.
    func plan(for type: [UInt8]) -> RulePlan? {
        if let known = plans.withLock({ $0[type] }) { return known }
        let own = rules.filter { $0.rule.definition.looks(at: type) }
        let plan = own.isEmpty ? nil : RulePlan(own)
        plans.withLock { plans in
            if plans.count >= Self.plansMax { plans.removeAll() }
            plans[type] = .some(plan)
        }
        return plan
    }
}

extension ValidationRuleDefinition {
    /// What of a rule cannot be compiled, with pointers into its document.
    ///
    /// A ledger takes rules for which this is empty; what does not compile later, because a time
    /// zone is gone from the machine, fails every event.
    public func faults(zones: SystemTimeZones) -> [FieldFault] {
        do throws(CompiledCheck.Faults) {
            _ = try CompiledCheck.compile(check, zones: zones)
            return []
        } catch {
            return error.faults
        }
    }
}

/// A check, as far as it can be compiled without knowing the event type's other rules.
enum CompiledCheck: Sendable {
    case schema(JSONSchema)
    case required([EventPath])
    case range(EventPath, least: ExactDecimal?, most: ExactDecimal?)
    case time(ageMax: TimeLength?, aheadMax: TimeLength?)
    case subjects(Set<[UInt8]>)
    case subjectPattern(Pattern)
    case expression(UsageExpression)
    /// It compiled when it was saved, and does not here.
    case broken

    struct Faults: Error {
        var faults: [FieldFault]
    }

    init(_ check: RuleCheck, zones: SystemTimeZones) {
        self = (try? Self.compile(check, zones: zones)) ?? .broken
    }

    static func compile(
        _ check: RuleCheck,
        zones: SystemTimeZones
    ) throws(Faults) -> CompiledCheck {
        switch check {
        case .schema(let text): return .schema(try schema(text))
        case .required(let paths): return .required(paths)
        case .range(let path, let least, let most):
            return .range(path, least: least.flatMap(decimal), most: most.flatMap(decimal))
        case .time(let ageMax, let aheadMax): return .time(ageMax: ageMax, aheadMax: aheadMax)
        case .subjects(let subjects): return .subjects(Set(subjects.map { Array($0.utf8) }))
        case .subjectPattern(let text): return .subjectPattern(try pattern(text))
        case .expression(let text):
            do throws(ExpressionError) {
                return .expression(
                    try UsageExpression(parsing: text, expecting: .bool, zones: zones)
                )
            } catch {
                let reason = "column \(error.column): found \(error.found), "
                throw fault("/expression", reason + "expected \(error.expected)", error.remedy)
            }
        }
    }

    private static func decimal(_ quantity: Quantity) -> ExactDecimal? {
        ExactDecimal(quantity.description)
    }

    private static func schema(_ text: String) throws(Faults) -> JSONSchema {
        let document: JSONValue
        do throws(MalformedBody) { document = try JSONValue.parse(Array(text.utf8)) } catch {
            throw fault("/schema", "it is not JSON", "give a JSON Schema")
        }
        do throws(JSONSchema.Faults) { return try JSONSchema(document) } catch {
            throw Faults(
                faults: error.faults.map { fault in
                    var fault = fault
                    fault.pointer = "/schema" + fault.pointer
                    return fault
                }
            )
        }
    }

    private static func pattern(_ text: String) throws(Faults) -> Pattern {
        guard text.utf8.count <= Limits.patternBytesMax else {
            let reason = "the pattern has \(text.utf8.count) bytes"
            throw fault("/subjects", reason, "use at most \(Limits.patternBytesMax)")
        }
        do throws(Pattern.Fault) { return try Pattern(Array(text.utf8)) } catch {
            throw fault("/subjects", "it is no pattern: \(error.reason)", "see the syntax of RE2")
        }
    }

    private static func fault(_ pointer: String, _ reason: String, _ remedy: String) -> Faults {
        Faults(faults: [FieldFault(pointer: pointer, reason: reason, remedy: remedy)])
    }
}

extension EventPath {
    /// The place as a JSON pointer.
    var pointer: String {
        let steps = steps.map { step in
            switch step {
            case .member(let name): name.replacing("~", with: "~0").replacing("/", with: "~1")
            case .element(let index): "\(index)"
            }
        }
        return "/" + steps.joined(separator: "/")
    }
}
