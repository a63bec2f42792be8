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
    /// What depends on who the subject is.
    let subjects: SubjectCoverage

    /// - Parameter meterTypes: The versions in force, each with the times it rules.
    init(_ meterTypes: some Sequence<MeterType>, _ subjects: SubjectCoverage = .everybody) {
        self.subjects = subjects
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
}
