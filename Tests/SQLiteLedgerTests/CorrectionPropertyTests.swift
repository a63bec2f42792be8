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
    /// How many histories are lived: as many as `ODOMETER_HISTORIES` says, if it does.
    private static let seeds =
        1...(ProcessInfo.processInfo.environment["ODOMETER_HISTORIES"]
        .flatMap { UInt64($0) } ?? 100)

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
