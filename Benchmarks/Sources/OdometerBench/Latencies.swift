/// Round-trip times of one run.
struct Latencies: Sendable {
    private(set) var microseconds: [UInt32] = []

    mutating func record(nanoseconds: UInt64) {
        microseconds.append(UInt32(min(nanoseconds / 1_000, UInt64(UInt32.max))))
    }

    mutating func merge(_ other: Latencies) {
        microseconds.append(contentsOf: other.microseconds)
    }

    /// Milliseconds at each share (0…1), nearest rank; zeros when nothing was recorded.
    func percentiles(_ shares: [Double]) -> [Double] {
        guard !microseconds.isEmpty else { return shares.map { _ in 0 } }
        let sorted = microseconds.sorted()
        return shares.map { share in
            let rank = Int((share * Double(sorted.count)).rounded(.up))
            return Double(sorted[min(max(rank - 1, 0), sorted.count - 1)]) / 1_000
        }
    }
}
