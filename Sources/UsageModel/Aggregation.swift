/// How a meter turns the values of its events into one value.
public enum Aggregation: String, CaseIterable, Hashable, Sendable {
    /// The number of events; takes no value.
    case count
    case sum
    case min
    case max
    /// The number of distinct values; over an array, of its distinct elements.
    case unique
    /// The value of the event with the greatest time; among equal times, the greatest position.
    case latest
    /// Sum divided by count, once, when read.
    case average

    /// Whether a meter type of this aggregation names a value.
    public var takesValue: Bool { self != .count }
    /// Whether the value must be a number; the others take any scalar.
    public var needsNumber: Bool { self != .count && self != .unique }
}
