import Foundation
import Metering
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Synchronization
import Testing
import UsageModel
import WireFormat

@Suite("Corrections equal a naive model") struct CorrectionPropertyTests {
    /// Which histories are lived: 100, or those that `ODOMETER_HISTORIES` names by the first and
    /// how many (`scripts/checks/histories`).
    private static let seeds: ClosedRange<UInt64> = {
        let named = ProcessInfo.processInfo.environment["ODOMETER_HISTORIES"] ?? ""
        let numbers = named.split(separator: ",").compactMap { UInt64($0) }
        guard numbers.count == 2, numbers[1] > 0 else { return 1...100 }
        return numbers[0]...(numbers[0] + numbers[1] - 1)
    }()

    /// Goal: whatever is voided, replaced and restored, by keys, by filter and by correction,
    /// whatever sets are filled, closed and reverted, in whatever order with events, meter types
    /// made and changed later and restarts, every reading as of every
    /// position is that of the events that counted then; records add up to the readings of now; no
    /// key is ever free again; the books balance and know how many are void; and `verify` finds
    /// nothing.
    /// Method: each seed lives a history on a ledger and on a list of events with a stack a key.
    /// Three meter types of any aggregations, one of them made in the middle; restarts with the
    /// derived files, without them, and while periods close.
    @Test(
        "any corrections of any history: equal readings as of any position",
        arguments: seeds
    )
    func equalsNaive(seed: UInt64) async throws {
        var trial = try CorrectionTrial(seed: seed)
        try await trial.live()
        try await trial.judge()
    }
}
