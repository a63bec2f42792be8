internal import Metering
internal import MeteringEngine
internal import UsageModel

/// What belongs to a reading: the one place where it is asked of a rollup's state and of an event.
///
/// A state is kept for whatever a meter counted when its events came; what was decided since, such
/// as a later version of the meter type or the enrolment of a subject, may leave a part of it out.
struct Coverage {
    /// How much of a state belongs to the reading.
    enum Part {
        case whole
        case none
        /// An edge cuts the state's bucket: it is left out, and its events are asked one by one.
        case partial
    }

    /// Of each meter, the times that belong to it.
    private let effective: [UInt32: Range<Instant>]
    /// Of each meter, the version whose series its samples belong to.
    private let carrying: [UInt32: MeterType]
    /// What depends on who the subject is.
    let subjects: SubjectCoverage

    /// - Parameter meterTypes: The versions in force, each with the times it rules.
    init(_ meterTypes: some Sequence<MeterType>, _ subjects: SubjectCoverage = .everybody) {
        self.subjects = subjects
        carrying = meterTypes.carrying()
        effective = Dictionary(
            meterTypes.map { ($0.number, $0.effective) },
            uniquingKeysWith: { one, _ in one }
        )
    }

    /// How much of the state of a subject (``CellKind/allSubjects``: of all) belongs.
    ///
    /// What a meter counted never lies before the time it is effective from, so that only an end
    /// cuts.
    func bucket(meter: UInt32, subject: UInt32, bucket: Int32) -> Part {
        guard let end = effective[meter]?.upperBound else { return .none }
        let range = RollupBucket.start(bucket)..<RollupBucket.start(bucket + 1)
        if range.lowerBound >= end { return .none }
        let part = subjects.bucket(meter: meter, subject: subject, range)
        return part == .none || range.upperBound <= end ? part : .partial
    }

    /// Whether what an event meant to a meter belongs, by the event's time.
    func instant(meter: UInt32, subject: UInt32, time: Instant) -> Bool {
        effective[meter]?.contains(time) ?? false
            && subjects.instant(meter: meter, subject: subject, time: time)
    }

    /// The meter whose series what was told to a meter belongs to: see
    /// ``Swift/Sequence/carrying()``.
    func series(of meter: UInt32) -> UInt32 { carrying[meter]?.number ?? meter }

    /// The stretch of time around an instant of a meter in which its series counts a subject,
    /// whoever owns it; nil where it does not count.
    func stretch(meter: UInt32, subject: UInt32, time: Instant) -> Range<Instant>? {
        guard let effective = effective[meter], effective.contains(time) else { return nil }
        return subjects.stretch(meter: meter, subject: subject, time: time)?
            .clamped(to: carrying[meter]?.effective ?? effective)
    }

    /// The stretch that holds a bucket of a meter as a whole; nil where none does.
    func stretch(meter: UInt32, subject: UInt32, holding bucket: Int32) -> Range<Instant>? {
        let (start, end) = (RollupBucket.start(bucket), RollupBucket.start(bucket + 1))
        // The meter may have counted events that another version of the series rules by now.
        guard let stretch = stretch(meter: meter, subject: subject, time: start),
            stretch.upperBound >= end, (effective[meter]?.upperBound ?? start) >= end
        else { return nil }
        return stretch
    }

    /// Some of a range of buckets with all of those that no stretch of a meter holds as a whole,
    /// though it counts in them.
    func cut(meter: UInt32, in buckets: Range<Int32>) -> Range<Int32> {
        var edges = subjects.edges(meter: meter)
        if let effective = effective[meter] {
            edges += [effective.lowerBound, effective.upperBound]
        }
        let cut = edges.filter(Instant.reach.contains).map(RollupBucket.index(of:)).filter(
            buckets.contains
        )
        guard let first = cut.min(), let last = cut.max() else { return 0..<0 }
        return first..<(last + 1)
    }
}
