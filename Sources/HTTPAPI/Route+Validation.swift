/// What goes at the addresses of validation rules and of the catalogue of event types.
extension Route {
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
