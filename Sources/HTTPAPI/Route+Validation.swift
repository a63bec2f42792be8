/// Addresses of validation rules and of the catalogue of event types.
extension Route {
    /// The part of ``pattern`` that is about them.
    var validationPattern: String {
        switch self {
        case .validationRules: "/v1/validation-rules"
        case .validationRule: "/v1/validation-rules/{key}"
        case .ruleVersions: "/v1/validation-rules/{key}/versions"
        case .ruleTrial: "/v1/validation-rules/try"
        case .eventTypes: "/v1/event-types"
        case .eventType: "/v1/event-types/{type}"
        default: "none"
        }
    }

    /// The part of ``operations`` that is about them.
    var validationOperations: [Operation] {
        switch self {
        case .validationRules: [.listValidationRules, .createValidationRule]
        case .validationRule: [.readValidationRule, .reviseValidationRule, .retireValidationRule]
        case .ruleVersions: [.listRuleVersions]
        case .ruleTrial: [.tryValidationRule]
        case .eventTypes: [.listEventTypes]
        case .eventType: [.readEventType]
        default: []
        }
    }
}
