/// How a meter type's periods become usage records.
public struct RecordRules: Hashable, Sendable {
    /// How long after its end a period closes.
    public var gracePeriod: TimeLength
    /// Whether a period without an event leaves a record too.
    public var makesZeroUsage: Bool

    public init(gracePeriod: TimeLength = .hour, makesZeroUsage: Bool = true) {
        (self.gracePeriod, self.makesZeroUsage) = (gracePeriod, makesZeroUsage)
    }

    /// What holds where nothing is said.
    public static let standard = RecordRules()
}
