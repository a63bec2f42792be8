import Expressions
import Foundation
import MeteringTestKit
import Testing
import WireFormat

/// Goal: an expression gives what the words on the reference page say, whatever it is made of.
/// Method: trees drawn from a seed are written down in some spelling, compiled and evaluated on the
/// bytes of events; a naive evaluator walks the tree over the parsed document. 10^5 expressions;
/// `ODOMETER_SEED` begins elsewhere.
@Suite("Expressions beside a naive evaluator") struct PropertyTests {
    static let environment = ProcessInfo.processInfo.environment
    static let seed = environment["ODOMETER_SEED"].flatMap { UInt64($0) } ?? 2_026

    @Test("generated expressions have the value the naive evaluator gives", arguments: 0..<4)
    func agreement(part: Int) throws {
        let seed = Self.seed &* 4 &+ UInt64(part)
        var generator = TreeGenerator(seed: seed)
        var speller = TreeSpeller(seed: seed &+ 1)
        var scratch = ExpressionScratch()
        var outcomes: [String: Int] = [:]
        for number in 0..<25_000 {
            let depth = generator.draw(below: 5)
            let expected = [ExpectedResult.bool, .number, .scalar][generator.draw(below: 3)]
            let tree =
                switch expected {
                case .bool: generator.bool(depth)
                case .number: generator.number(depth)
                case .scalar: generator.text(depth)
                }
            let text = speller.spell(tree)
            guard case .success(let expression) = compile(text, expected) else {
                Issue.record("seed \(seed), \(number): \(compile(text, expected)) for \(text)")
                return
            }
            for _ in 0..<2 {
                let event = generator.event()
                let bytes = String(decoding: event.serialized(), as: UTF8.self)
                let trial = try #require(ExpressionTrial(event: bytes))
                let found = trial.result(of: expression, &scratch)
                let naive = NaiveEvaluator(event: event).result(
                    tree,
                    isFilter: expected == .bool,
                    isNumber: expected == .number
                )
                outcomes[Self.class(of: naive), default: 0] += 1
                if found != naive {
                    Issue.record(
                        "seed \(seed), \(number): \(found), not \(naive): \(text) \(bytes)"
                    )
                    return
                }
            }
        }
        print("expressions: seed \(seed): \(outcomes.sorted { $0.key < $1.key })")
        // Nothing is proven by events for which everything is missing or at fault.
        for kind in ["true", "false", "missing", "value", "fault: out-of-range"] {
            #expect(outcomes[kind, default: 0] > 100, "\(kind)")
        }
    }

    private static func `class`(of result: String) -> String {
        let isPlain = ["true", "false", "missing"].contains(result) || result.hasPrefix("fault")
        return isPlain ? result : "value"
    }
}
