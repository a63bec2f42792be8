public import Metering
public import UsageModel

/// A meter of which somebody said something: its enrolment as it stands, and how it came to that.
public struct EnrolledMeter: Sendable, Hashable {
    /// A word about the meter's standing, and when it was said.
    public struct Word: Sendable, Hashable {
        public var change: StandingChange
        public var at: Instant
        /// The last event before it was said.
        public var position: Position

        public init(change: StandingChange, at: Instant, position: Position) {
            (self.change, self.at, self.position) = (change, at, position)
        }
    }

    public var enrolment: MeterEnrolment
    /// False where nobody enrolled it: a meter that opened by itself, and was suspended or closed.
    public var isEnrolled: Bool
    /// When it was spoken of first.
    public var since: Instant
    /// In the order in which they were said.
    public var words: [Word]

    public init(enrolment: MeterEnrolment, isEnrolled: Bool, since: Instant, words: [Word] = []) {
        (self.enrolment, self.isEnrolled) = (enrolment, isEnrolled)
        (self.since, self.words) = (since, words)
    }

    public var timeline: MeterTimeline {
        var timeline = MeterTimeline()
        timeline.setDates(
            start: enrolment.start ?? .beginning,
            end: enrolment.end ?? .end
        )
        for word in words {
            timeline.say(
                word.change.standing,
                from: word.change.from,
                to: word.change.to ?? .end
            )
        }
        return timeline
    }

    public func standing(at instant: Instant) -> MeterStanding { timeline.standing(at: instant) }

    /// The word that is in force at an instant; nil where none was said of it.
    public func word(at instant: Instant) -> Word? {
        words.last { ($0.change.from..<($0.change.to ?? .end)).contains(instant) }
    }
}

/// What became of a call that enrols meters.
public struct EnrolAnswer: Sendable {
    /// The last event of the log at that moment: later ones find the meters enrolled.
    public var position: Position
    /// How many there were not before.
    public var enrolled: Int
    /// How many were enrolled in the same words before.
    public var unchanged: Int

    public init(position: Position, enrolled: Int, unchanged: Int) {
        (self.position, self.enrolled, self.unchanged) = (position, enrolled, unchanged)
    }
}
