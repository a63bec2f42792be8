/// Repair rules and manifests.
extension Route {
    /// The address, of those that the extension is about.
    var repairPattern: String {
        switch self {
        case .repairRules: "/v1/repair-rules"
        case .repairRule: "/v1/repair-rules/{key}"
        case .manifests: "/v1/manifests"
        default: "/v1/manifests/{id}"
        }
    }

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
