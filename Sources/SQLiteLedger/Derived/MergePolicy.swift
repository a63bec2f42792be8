/// Decides which runs to merge, so that their number stays logarithmic in what they hold.
///
/// A run's tier is the logarithm of its size to the base of the fan-out. A small run that has a
/// larger, newer one behind it counts as one of that size, because only neighbours are merged (the
/// order of runs is the order of age). Once a tier has `fanout` runs, all of them become one, of
/// about the next tier. So fewer than `fanout` runs stand in each tier, and an entry is rewritten
/// about once per tier.
struct MergePolicy: Hashable, Sendable {
    /// How many runs of one tier are let stand, less one. 4 to 8.
    var fanout: Int

    init(fanout: Int = 4) {
        precondition((2...16).contains(fanout))
        self.fanout = fanout
    }

    /// The neighbours to merge next; nil if none should be.
    ///
    /// - Parameter sizes: What the runs hold (entries or bytes), the oldest first.
    func choose(sizes: [Int]) -> Range<Int>? {
        var end = sizes.count
        var largest = 0
        while end > 0 {
            var start = end
            let tier = tier(max(largest, sizes[end - 1]))
            while start > 0, self.tier(max(largest, sizes[start - 1])) == tier {
                largest = max(largest, sizes[start - 1])
                start -= 1
            }
            if end - start >= fanout { return start..<end }
            end = start
        }
        return nil
    }

    private func tier(_ size: Int) -> Int {
        var (rest, tier) = (max(size, 1), 0)
        while rest >= fanout {
            rest /= fanout
            tier += 1
        }
        return tier
    }
}
