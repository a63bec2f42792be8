import ArgumentParser
import WireFormat

/// What a repair sets, and what it takes out.
struct RepairFlags: ParsableArguments {
    @Option(help: "POINTER=EXPRESSION: what to compute, and where to put it; may repeat.")
    var set: [String] = []
    @Option(help: "A JSON pointer of what to take out; may repeat.") var remove: [String] = []

    func validate() throws {
        guard set.allSatisfy({ $0.contains("=") }) else {
            throw ValidationError("--set is POINTER=EXPRESSION")
        }
    }

    /// nil where neither is said.
    var document: JSONObject? {
        guard !set.isEmpty || !remove.isEmpty else { return nil }
        var places = JSONObject()
        for one in set {
            let halves = one.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            places[String(halves[0])] = .string(String(halves[1]))
        }
        return ["set": .object(places), "remove": .array(remove.map { .string($0) })]
    }
}
