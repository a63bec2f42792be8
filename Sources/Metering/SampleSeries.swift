public import UsageModel

/// What one series told and when: a subject's events of one meter with the same dimension values,
/// for the aggregations whose values reach beyond their events (``Aggregation/isCarried``).
///
/// - time-weighted: a value holds from its instant to that of the next one.
/// - counter: what was used is what the counter grew by since the value before.
/// - peak-concurrency: a value changes the level from its instant on.
///
/// The samples of one instant are merged as ``Aggregation/ofSamples`` says, so neither the order in
/// which they come nor how they are split changes anything.
public struct SampleSeries: Sendable {
    private struct Sample {
        var time: Int64
        var state: MeterState
    }

    /// The folds of windows in their order, one for each window that has any.
    public typealias Folds = [(window: Int, fold: MeterFold)]

    private let aggregation: Aggregation
    private var samples: [Sample] = []

    public init(_ aggregation: Aggregation) { self.aggregation = aggregation }

    /// Adds what is known of an instant, microseconds.
    ///
    /// - Parameter state: As ``MeterState/init(sampleOf:mantissa:position:)`` makes it, or merged
    ///   of those.
    public mutating func add(_ state: MeterState, at time: Int64) {
        samples.append(Sample(time: time, state: state))
    }

    /// Adds all samples of another part of the series.
    public mutating func merge(_ other: SampleSeries) { samples += other.samples }

    /// Adds all that is known of a time before the first window, as the state of its events, which
    /// is all that can matter of them.
    ///
    /// - Parameter time: Not after any of them, and before the first window.
    public mutating func add(past state: MeterState, from time: Int64) {
        guard aggregation.ofSamples == .latest else { return add(state, at: time) }
        var last = state
        last.time = 0
        add(last, at: state.time)
    }

    /// What the series is worth in each window: those in which it has events, or is not zero, or
    /// ``MeterFold/isNothing``.
    ///
    /// - Parameters:
    ///   - edges: Of adjoining windows, ascending, within ``Instant/reach``.
    ///   - stretch: Of each window only what lies in here is looked at; what was told before still
    ///     holds.
    ///   - until: Nothing is carried further than this.
    ///   - carryMax: For how long a value holds; nil: until the next one.
    /// - Complexity: O(n log n + windows) for n samples.
    public consuming func folds(
        over edges: [Int64],
        within stretch: Range<Int64> = .min ..< .max,
        until: Int64 = .max,
        carryMax: Int64? = nil
    ) -> Folds {
        let inside = edges.map { min(max($0, stretch.lowerBound), stretch.upperBound) }
        guard let first = inside.first, let last = inside.last, first < last else { return [] }
        settle()
        let windows = WindowedFolds(edges: inside)
        switch aggregation {
        case .timeWeighted:
            return areas(windows, first..<min(last, max(until, first)), carryMax)
        case .counter: return growth(windows)
        default: return levels(windows, of: edges, until: until)
        }
    }

    /// Brings the samples in order, one for each instant.
    private mutating func settle() {
        samples.sort { $0.time < $1.time }
        var kept = 0
        for place in samples.indices {
            if kept > 0, samples[kept - 1].time == samples[place].time {
                samples[kept - 1].state.merge(samples[place].state, aggregation.ofSamples)
            } else {
                samples[kept] = samples[place]
                kept += 1
            }
        }
        samples.removeLast(samples.count - kept)
    }

    private func areas(
        _ windows: consuming WindowedFolds,
        _ counted: Range<Int64>,
        _ carryMax: Int64?
    ) -> Folds {
        for (place, sample) in samples.enumerated() {
            windows.count(sample.state.count, at: sample.time)
            var end = place + 1 < samples.count ? samples[place + 1].time : Int64.max
            if let carryMax {
                let (held, isBeyond) = sample.time.addingReportingOverflow(carryMax)
                if !isBeyond { end = min(end, held) }
            }
            let start = max(sample.time, counted.lowerBound)
            end = min(end, counted.upperBound)
            if sample.state.mantissa != 0, start < end {
                windows.add(sample.state.mantissa, over: start..<end)
            }
        }
        return windows.folds
    }

    private func growth(_ windows: consuming WindowedFolds) -> Folds {
        var before: Int128?
        for sample in samples {
            let value = sample.state.mantissa
            let isIn = windows.count(sample.state.count, at: sample.time)
            if let before, isIn {
                // A counter that went back began anew at zero.
                windows.add(WideSum(value) + (value < before ? .zero : -WideSum(before)))
            }
            before = value
        }
        return windows.folds
    }

    /// - Parameter whole: The edges of the windows before they were cut to a stretch.
    private func levels(
        _ windows: consuming WindowedFolds,
        of whole: [Int64],
        until: Int64
    ) -> Folds {
        let edges = windows.edges
        var level = WideSum.zero
        var next = 0
        while next < samples.count, samples[next].time < edges[0] {
            level += WideSum(sumOf: samples[next].state)
            next += 1
        }
        var window = 0
        while window < edges.count - 1 {
            if level == .zero {
                // Nothing is carried: the next window is that of the next sample.
                guard next < samples.count, let later = windows.window(of: samples[next].time)
                else { break }
                window = later
            }
            let (start, end) = (edges[window], edges[window + 1])
            var fold = MeterFold()
            while next < samples.count, samples[next].time < end {
                let change = WideSum(sumOf: samples[next].state)
                level += change
                fold.state.count += samples[next].state.count
                if samples[next].time > start { fold.add(change, at: samples[next].time) }
                next += 1
            }
            fold.carried = level + -fold.net
            // Outside its stretch a series adds nothing to a level.
            if start > whole[window] { fold.beginLater(at: start) }
            if end < whole[window + 1] { fold.add(-level, at: end) }
            fold.isBeyond = whole[window] >= until
            if start < end { windows.append(fold, window) }
            window += 1
        }
        return windows.folds
    }
}

/// Gathers folds by window, in the order of time.
private struct WindowedFolds {
    let edges: [Int64]
    private(set) var folds: SampleSeries.Folds = []

    init(edges: [Int64]) { self.edges = edges }

    /// The window of an instant; nil where it is in none.
    func window(of time: Int64) -> Int? {
        guard time >= edges[0], time < edges[edges.count - 1] else { return nil }
        var (low, high) = (0, edges.count - 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            if edges[middle] <= time { low = middle } else { high = middle }
        }
        return low
    }

    /// - Returns: whether the instant lies in a window.
    @discardableResult
    mutating func count(_ events: Int64, at time: Int64) -> Bool {
        guard let window = window(of: time) else { return false }
        open(window)
        folds[folds.count - 1].fold.state.count += events
        return true
    }

    /// Adds to the window that was counted in last.
    mutating func add(_ amount: WideSum) { folds[folds.count - 1].fold.carried += amount }

    mutating func add(_ mantissa: Int128, over range: Range<Int64>) {
        guard var window = window(of: range.lowerBound) else { return }
        var start = range.lowerBound
        while start < range.upperBound {
            let end = min(range.upperBound, edges[window + 1])
            if start < end {
                open(window)
                add(WideSum.product(mantissa, end - start))
            }
            (start, window) = (end, window + 1)
        }
    }

    mutating func append(_ fold: MeterFold, _ window: Int) { folds.append((window, fold)) }

    private mutating func open(_ window: Int) {
        if folds.last?.window != window { folds.append((window, MeterFold())) }
    }
}
