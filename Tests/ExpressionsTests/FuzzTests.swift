import Expressions
import Foundation
import MeteringTestKit
import Testing
import UsageModel
import WireFormat

/// Goal: no text whatsoever makes the compiler or an evaluation trap, hang or read outside.
/// Method: expressions drawn from a seed with bytes changed, and plain noise; what compiles is
/// evaluated on events and on slots that lie. One second by default; `ODOMETER_FUZZ_SECONDS=600`
/// for the long run, `ODOMETER_FUZZ_SEED` to begin elsewhere.
@Suite("Fuzzing expressions", .serialized) struct FuzzTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let seconds = environment["ODOMETER_FUZZ_SECONDS"].flatMap { Int($0) } ?? 1
    private static let seed = environment["ODOMETER_FUZZ_SEED"].flatMap { UInt64($0) } ?? 2_026

    @Test("whatever is written, there is an expression or an error, a result, and soon")
    func fuzz() {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(Self.seconds)
        var (seed, inputs, compiled) = (Self.seed, 0, 0)
        while clock.now < end {
            var round = ExpressionFuzzRound(seed: seed)
            for _ in 0..<100 {
                inputs += 1
                if let violation = round.next() {
                    Issue.record("seed \(seed), input \(inputs): \(violation)")
                    return
                }
            }
            compiled += round.compiled
            seed &+= 1
        }
        if Self.seconds > 1 {
            print("fuzzed \(inputs) texts, \(compiled) compiled, seeds \(Self.seed)..<\(seed)")
        }
        #expect(compiled > 0 && compiled < inputs)
    }
}

private struct ExpressionFuzzRound {
    private var generator: TreeGenerator
    private var speller: TreeSpeller
    private var scratch = ExpressionScratch()
    private let seed: UInt64
    private(set) var compiled = 0

    init(seed: UInt64) {
        (generator, speller) = (TreeGenerator(seed: seed), TreeSpeller(seed: seed &* 31))
        self.seed = seed
    }

    private static let tokens: [[UInt8]] =
        [
            "(", ")", "[", "]", ",", "==", "!=", "<=", "&&", "||", "!", "not ", " and ", " or ",
            " in ", "$", "$.data", ".", "'", "\"", "\\", "\\u", "\\ud800", "1e", "-", "- -", "0.",
            "170141183460469231731", "min(", "if(", "exists(", "coalesce(", "round(", "matches ",
            "'(a*)*$'", "'[[:'", "'(?P<x>a){1000}'", "startsWith", "\"Europe/Berlin\"", "((((((((",
            "not not not ", "null", "1/0", "%", "concat($.data.model,$.data.model)", "1+1+1+1+",
        ].map { Array($0.utf8) } + [[0], [0x80], [0xff], [0xc3], [0xe2, 0x82], [0xf0, 0x9f]]

    mutating func next() -> String? {
        let text = draw()
        let clock = ContinuousClock()
        var violation: String?
        var shortest = Duration.seconds(1_000)
        // A slow answer is asked for again: the machine may have been elsewhere.
        for _ in 0..<5 {
            shortest = min(shortest, clock.measure { violation = judge(text) })
            if violation != nil || shortest < .milliseconds(100) { break }
        }
        if violation == nil, shortest >= .milliseconds(100) { violation = "took \(shortest)" }
        return violation.map { "\($0): \(text.debugDescription)" }
    }

    private mutating func draw() -> String {
        let tree: ExpressionTree =
            switch generator.draw(below: 3) {
            case 0: generator.bool(generator.draw(below: 4))
            case 1: generator.number(generator.draw(below: 4))
            default: generator.text(generator.draw(below: 4))
            }
        var bytes = Array(speller.spell(tree).utf8)
        for _ in 0..<generator.draw(below: 4) { change(&bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        let place = generator.draw(below: bytes.count + 1)
        let length = min(bytes.count - place, generator.draw(below: 12))
        switch generator.draw(below: 7) {
        case 0 where place < bytes.count: bytes[place] = UInt8(generator.draw(below: 256))
        case 1: bytes.removeSubrange(place..<place + length)
        case 2: bytes.insert(contentsOf: bytes[place..<place + length], at: place)
        case 3: bytes.removeLast(bytes.count - place)
        case 4 where generator.chance(1, in: 10):
            let token = generator.pick(Self.tokens)
            for _ in 0..<generator.draw(below: 900) { bytes.insert(contentsOf: token, at: place) }
        default: bytes.insert(contentsOf: generator.pick(Self.tokens), at: place)
        }
    }

    private mutating func judge(_ text: String) -> String? {
        for expected in [ExpectedResult.bool, .number, .scalar] {
            switch compile(text, expected) {
            case .failure(let error):
                guard (0...text.utf8.count).contains(error.offset), error.column > 0,
                    !error.found.isEmpty, !error.expected.isEmpty, !error.remedy.isEmpty
                else { return "an error without a place or words: \(error)" }
            case .success(let expression):
                compiled += 1
                if let violation = judge(expression) { return violation }
            }
        }
        return nil
    }

    private mutating func judge(_ expression: UsageExpression) -> String? {
        guard expression.text.utf8.count <= Limits.expressionBytesMax else { return "too long" }
        if let path = expression.plainPath, expression.paths != [path] { return "plain path" }
        let event = String(decoding: generator.event().serialized(), as: UTF8.self)
        guard let trial = ExpressionTrial(event: event) else { return "no event" }
        let once = trial.result(of: expression, &scratch)
        guard once == trial.result(of: expression, &scratch) else { return "two results" }
        if expression.expected == .bool {
            guard (trial.explanation(of: expression) == nil) == (once == "true") else {
                return "an explanation of what needs none, or none"
            }
        }
        return lie(to: expression)
    }

    /// Slots that point anywhere and call it anything.
    private mutating func lie(to expression: UsageExpression) -> String? {
        let bytes = (0..<40).map { _ in
            generator.chance(1, in: 3)
                ? UInt8(generator.draw(below: 256))
                : generator.pick(Array("\\\"[]{},:tfn01e-u".utf8))
        }
        let kinds: [PathValue.Kind] = [.missing, .null, .bool, .number, .string, .array, .object]
        let slots = expression.paths.map { _ in
            let offset = UInt32(generator.draw(below: 45))
            let count = UInt32(generator.draw(below: 45))
            return PathValue(
                kind: generator.pick(kinds),
                hasEscapes: generator.chance(1, in: 2),
                slice: ByteSlice(offset: offset, count: count)
            )
        }
        return unsafe slots.withUnsafeBufferPointer { slots in
            unsafe bytes.withUnsafeBytes { bytes in
                let result = unsafe expression.evaluate(slots, in: bytes, &scratch)
                _ = unsafe expression.explain(slots, in: bytes, &scratch)
                guard case .text(let text) = result, text.home == .event else { return nil }
                return text.slice.range.upperBound <= bytes.count ? nil : "a text outside"
            }
        }
    }
}
