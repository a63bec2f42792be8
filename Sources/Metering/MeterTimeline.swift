public import UsageModel

/// What was said of a meter, in the order it was said: when it counts.
///
/// Each word paints over what was said before, for the time that it speaks of: so late and
/// backdated words need no rule of their own. The dates of an enrolment are a frame around the
/// picture.
public struct MeterTimeline: Hashable, Sendable {
    private struct Stroke: Hashable {
        var standing: MeterStanding
        var range: Range<Instant>
    }

    private var frame: Range<Instant> = .allTime
    private var strokes: [Stroke] = []

    public init() {}

    /// Sets the frame; an end that does not lie after the start leaves nothing within.
    public mutating func setDates(start: Instant, end: Instant) {
        frame = start..<max(start, end)
    }

    public mutating func say(_ standing: MeterStanding, from: Instant, to: Instant) {
        strokes.append(Stroke(standing: standing, range: from..<max(from, to)))
    }

    /// When the meter counts.
    public var spans: TimeSpans {
        var spans = TimeSpans.always
        for stroke in strokes {
            if stroke.standing == .active {
                spans.insert(stroke.range)
            } else {
                spans.remove(stroke.range)
            }
        }
        return spans.clamped(to: frame)
    }

    /// The standing at an instant. A meter whose end is past is closed; one that has not begun is
    /// what was said of it.
    public func standing(at instant: Instant) -> MeterStanding {
        if instant >= frame.upperBound { return .closed }
        return strokes.last { $0.range.contains(instant) }?.standing ?? .active
    }
}
