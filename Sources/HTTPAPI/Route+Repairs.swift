/// Repair rules and manifests.
extension Route {
    /// The calls of the address, `GET` first.
    var repairOperations: [Operation] {
        switch self {
        case .repairRules: [.listRepairRules, .createRepairRule]
        case .repairRule: [.readRepairRule, .putRepairRule, .deleteRepairRule]
        case .manifests: [.listManifests, .registerManifest]
        default: [.readManifest]
        }
    }
}
