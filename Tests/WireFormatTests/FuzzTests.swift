import Foundation
import MeteringTestKit
import Testing
import UsageModel
import WireFormat

/// Goal: no bytes whatsoever make the wire code crash, hang, read outside, or contradict itself.
/// Method: sound inputs with a few bytes changed, over and over, through everything that reads
/// bytes; each answer is held against what must be true of any answer. One second by default;
/// `ODOMETER_FUZZ_SECONDS=600` for the long run, `ODOMETER_FUZZ_SEED` to begin elsewhere. The
/// long run belongs into a build with asserts (`-Xswiftc -assert-config -Xswiftc Debug`), where
/// every index into the bytes is checked.
@Suite("Fuzzing", .serialized) struct FuzzTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let seconds = environment["ODOMETER_FUZZ_SECONDS"].flatMap { Int($0) } ?? 1
    private static let seed = environment["ODOMETER_FUZZ_SEED"].flatMap { UInt64($0) } ?? 2_026

    @Test("whatever comes, the verdict is sound and takes its time only")
    func fuzz() {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(Self.seconds)
        var seed = Self.seed
        var inputs = 0
        while clock.now < end {
            var round = FuzzRound(seed: seed)
            for _ in 0..<50 {
                inputs += 1
                if let violation = round.next() {
                    Issue.record("seed \(seed), input \(inputs): \(violation)")
                    return
                }
            }
            seed &+= 1
        }
        if Self.seconds > 1 { print("fuzzed \(inputs) inputs, seeds \(Self.seed)..<\(seed)") }
        #expect(inputs > 0)
    }
}
