/// A seeded stream of numbers: the same seed makes the same events on every machine.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014).
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number in `0 ..< bound`; the bias of a multiply is below 2^-32 for the bounds used here.
    mutating func below(_ bound: Int) -> Int {
        Int((next() >> 32).multipliedFullWidth(by: UInt64(bound) << 32).high)
    }

    /// True in `share` (0…1) of all calls.
    mutating func happens(_ share: Double) -> Bool {
        Double(next() >> 11) < share * 0x1p53
    }
}
