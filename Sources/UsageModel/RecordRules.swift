/// How a meter type's periods become usage records.
public struct RecordRules: Hashable, Sendable {
    /// What becomes of usage that comes when its period has closed. The raw values are the words of
    /// the wire.
    public enum LatePolicy: String, CaseIterable, Hashable, Sendable {
        /// It is told by an adjustment.
        case adjust
        /// It is told with the final record of the period that closes next.
        case nextPeriod = "next-period"
        /// It does not count, and is listed with its reason.
        case quarantine
    }

    /// When adjustments are told. The raw values are the words of the wire.
    public enum LateAdjustments: String, CaseIterable, Hashable, Sendable {
        case immediate
        /// When the meter's next period closes: all of a period in one.
        case collected
    }

    /// How long after its end a period closes.
    public var gracePeriod: TimeLength
    /// Whether a period without an event leaves a record too.
    public var makesZeroUsage: Bool
    public var latePolicy = LatePolicy.adjust
    public var lateAdjustments = LateAdjustments.immediate
    /// How long after the close of its period an event still counts; nil: for ever.
    public var lateUntil: TimeLength?
    /// In the order in which they were given; no name twice.
    public var thresholds: [Threshold] = []
    /// Whether records tell of the events behind them: the first, the last, and a hash of their
    /// keys. Costs reading the period's events again.
    public var hasEvidence = false
    /// What records carry of the first and last event, in the order of the names' bytes; not empty
    /// only with ``hasEvidence``.
    public var carriedFields: [CarriedField] = []

    public init(gracePeriod: TimeLength = .hour, makesZeroUsage: Bool = true) {
        (self.gracePeriod, self.makesZeroUsage) = (gracePeriod, makesZeroUsage)
    }

    /// What holds where nothing is said.
    public static let standard = RecordRules()

    /// Whether changes of closed periods wait for the next close.
    public var collects: Bool { latePolicy == .nextPeriod || lateAdjustments == .collected }

    /// How long after the end of its period an event counts at most; nil: for ever.
    public var countsUntil: TimeLength? {
        switch latePolicy {
        case .quarantine: gracePeriod
        case .adjust, .nextPeriod: lateUntil.map { gracePeriod.adding($0) }
        }
    }
}

/// A field of the first or last event of a period, by its time, that the record carries.
public struct CarriedField: Hashable, Sendable {
    /// The raw values are the words of the wire.
    public enum Edge: String, CaseIterable, Hashable, Sendable { case first, last }

    /// 1 to ``Limits/carriedFieldNameBytesMax`` bytes.
    public var name: String
    public var edge: Edge
    public var path: EventPath

    public init(name: String, edge: Edge, path: EventPath) {
        (self.name, self.edge, self.path) = (name, edge, path)
    }
}

/// A level of which somebody wants to know when a meter's reading of the open period reaches it.
public struct Threshold: Hashable, Sendable {
    public enum Level: Hashable, Sendable {
        /// Of the meter type's capacity, in percent; more than 0.
        case percent(Quantity)
        case amount(Quantity)
    }

    /// 1 to ``Limits/thresholdNameBytesMax`` bytes.
    public var name: String
    public var level: Level

    public init(name: String, level: Level) { (self.name, self.level) = (name, level) }

    /// The reading at which it is crossed; nil for a percentage where no capacity is said, or of
    /// one so large that it fits no quantity.
    public func amount(capacity: Quantity?) -> Quantity? {
        switch level {
        case .amount(let amount): return amount
        case .percent(let percent):
            guard let capacity else { return nil }
            return capacity.percentage(percent)
        }
    }
}

extension Quantity {
    /// So many percent of it, digits past the 18th half-even; nil where it does not fit.
    func percentage(_ percent: Quantity) -> Quantity? {
        let product = mantissa.magnitude.multipliedFullWidth(by: percent.mantissa.magnitude)
        let isNegative = (mantissa < 0) != (percent.mantissa < 0)
        // Two mantissas of 18 places each, and a percent.
        let unit: UInt128 = 100_000_000_000_000_000_000
        guard product.high < unit else { return nil }
        var (quotient, rest) = unit.dividingFullWidth((product.high, product.low))
        let half = unit / 2
        if rest > half || (rest == half && quotient & 1 == 1) {
            quotient += 1
            rest = 0
        }
        guard quotient <= UInt128(Int128.max) else { return nil }
        let magnitude = Int128(quotient)
        return Quantity(mantissa: isNegative ? -magnitude : magnitude)
    }

    /// How many percent of a capacity it is, half-even at six places; nil where that does not fit,
    /// or the capacity is 0.
    public func percent(of capacity: Quantity) -> Quantity? {
        guard capacity.mantissa != 0 else { return nil }
        // At six places: 10^8 times the ratio, as a whole number.
        let product = mantissa.magnitude.multipliedFullWidth(by: 100_000_000)
        let unit = capacity.mantissa.magnitude
        guard product.high < unit else { return nil }
        var (quotient, rest) = unit.dividingFullWidth((product.high, product.low))
        let isBeyondHalf = rest > unit - rest
        if isBeyondHalf || (rest == unit - rest && quotient & 1 == 1) { quotient += 1 }
        let mantissa = quotient.multipliedReportingOverflow(by: 1_000_000_000_000)
        guard !mantissa.overflow, mantissa.partialValue <= UInt128(Int128.max) else { return nil }
        let isNegative = (self.mantissa < 0) != (capacity.mantissa < 0)
        let magnitude = Int128(mantissa.partialValue)
        return Quantity(mantissa: isNegative ? -magnitude : magnitude)
    }
}
