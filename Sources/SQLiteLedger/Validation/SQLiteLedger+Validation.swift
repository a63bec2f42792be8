internal import Metering
public import MeteringEngine
internal import Synchronization
public import UsageModel

extension SQLiteLedger: ValidationRuleStore {
    public func validationRules() async throws(LedgerError) -> [ValidationRule] {
        core.validationRules.withLock { $0.newest }
    }

    public func versions(
        of key: ValidationRuleKey
    ) async throws(LedgerError) -> [ValidationRule] {
        let versions = core.validationRules.withLock { $0.filter { $0.key == key } }
        guard !versions.isEmpty else { throw LedgerCore.noRule(key) }
        return versions
    }

    public func warnings(of key: ValidationRuleKey) async throws(LedgerError) -> RuleWarnings? {
        try keeping("reading the warnings of a rule") { try core.truth.warnings(of: key) }
    }

    public func create(
        _ definition: ValidationRuleDefinition
    ) async throws(LedgerError) -> ValidationRule {
        let core = core
        return try await perform { _ in try core.create(definition) }
    }

    public func revise(
        _ definition: ValidationRuleDefinition,
        after version: Int
    ) async throws(LedgerError) -> RuleRevision {
        let core = core
        return try await perform { _ in try core.revise(definition, after: version) }
    }

    public func retire(rule key: ValidationRuleKey) async throws(LedgerError) -> ValidationRule {
        let core = core
        return try await perform { _ in try core.retire(rule: key) }
    }

    public func tryOut(_ question: RuleTrial) async throws(LedgerError) -> RuleTrialAnswer {
        try reading("a trial of a rule") { try RuleTrialReader(core: core, question).answer() }
    }
}

extension [ValidationRule] {
    /// Of all versions in the order of keys and versions, the newest of each key.
    var newest: [ValidationRule] {
        indices.filter { $0 + 1 == endIndex || self[$0 + 1].key != self[$0].key }
            .map { self[$0] }
    }
}

/// Changes of rules: each on the committer's thread, between two groups, so that what is decided
/// after it is decided under the changed rules.
extension LedgerCore {
    static func noRule(_ key: ValidationRuleKey) -> LedgerError {
        LedgerError(.notFound, "there is no validation rule \(key)")
    }

    private func newest(_ key: ValidationRuleKey) -> ValidationRule? {
        validationRules.withLock { $0.last { $0.key == key } }
    }

    func create(_ definition: ValidationRuleDefinition) throws -> ValidationRule {
        if let known = newest(definition.key) {
            if known.definition == definition, known.retiredAt == nil { return known }
            let how = known.retiredAt == nil ? "says something else" : "is retired"
            throw LedgerError(.alreadyExists, "the rule \(definition.key) \(how)")
        }
        let inForce = validationRules.withLock { $0.newest.count { $0.retiredAt == nil } }
        guard inForce < Limits.validationRulesMax else {
            let most = "there are \(Limits.validationRulesMax) validation rules"
            throw LedgerError(.limitExceeded, most)
        }
        let made = ValidationRule(definition: definition, version: 1, createdAt: clock())
        try truth.insert(made, before: nil)
        put(made)
        return made
    }

    func revise(
        _ definition: ValidationRuleDefinition,
        after version: Int
    ) throws -> RuleRevision {
        guard let known = newest(definition.key) else { throw Self.noRule(definition.key) }
        guard known.version == version else { return .outdated(known) }
        guard known.retiredAt == nil else {
            throw LedgerError(.retired, "the rule \(known.key) is retired")
        }
        if known.definition == definition { return .changed(known) }
        guard version < Limits.validationRuleVersionsMax else {
            let most = "the rule \(known.key) has \(version) versions"
            throw LedgerError(.limitExceeded, most)
        }
        let made = ValidationRule(
            definition: definition,
            version: version + 1,
            createdAt: clock()
        )
        try truth.insert(made, before: known)
        put(made)
        return .changed(made)
    }

    func retire(rule key: ValidationRuleKey) throws -> ValidationRule {
        guard let known = newest(key) else { throw Self.noRule(key) }
        guard known.retiredAt == nil else { return known }
        var retired = known
        retired.retiredAt = clock()
        try truth.retire(retired, before: known, at: retired.retiredAt ?? known.createdAt)
        put(retired)
        return retired
    }

    /// Puts a changed version in force for the next group.
    private func put(_ rule: ValidationRule) {
        let changed = validationRules.withLock { rules in
            rules.removeAll { $0.key == rule.key && $0.version == rule.version }
            rules.append(rule)
            rules.sort { ($0.key, $0.version) < ($1.key, $1.version) }
            return rules
        }
        install(RuleBook(changed.newest))
    }
}
