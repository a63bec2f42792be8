import Foundation
import MeteringTestKit
import Testing
import WireFormat

/// Foundation's parser as the judge of ours.
@Suite("Against Foundation") struct JSONOracleTests {
    /// What Foundation makes of the bytes; nil if it refuses them.
    private func foundation(_ bytes: [UInt8]) -> Any? {
        try? JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
    }

    private func agree(_ ours: JSONValue, _ theirs: Any) -> Bool {
        switch ours {
        case .null: return theirs is NSNull
        case .bool(let bool): return (theirs as? NSNumber)?.boolValue == bool
        case .number(let spelling):
            guard let number = theirs as? NSNumber else { return false }
            return Foundation.fabs(number.doubleValue - (Double(spelling) ?? .nan))
                <= Foundation.fabs(number.doubleValue) * 1e-12
        case .string(let text): return (theirs as? String) == text
        case .array(let elements):
            guard let others = theirs as? [Any], others.count == elements.count else {
                return false
            }
            return zip(elements, others).allSatisfy { agree($0, $1) }
        case .object(let object):
            guard let others = theirs as? [String: Any] else { return false }
            // A dictionary takes names that are canonically equivalent for one.
            guard others.count == Set(object.names).count else { return false }
            return object.members.allSatisfy { member in
                others[member.name].map { agree(member.value, $0) } ?? false
            }
        }
    }

    @Test("what we read, Foundation reads alike", arguments: UInt64(1)...8)
    func generated(seed: UInt64) throws {
        var speller = JSONSpeller(seed: seed)
        for _ in 0..<500 {
            let value = speller.value()
            let spelled = speller.spell(value)
            let bytes = Array(spelled.utf8)
            let ours = try JSONValue.parse(bytes)
            guard let theirs = foundation(bytes) else {
                Issue.record("Foundation refuses \(spelled), seed \(seed)")
                return
            }
            #expect(agree(ours, theirs), "seed \(seed): \(spelled)")
            #expect(jsonEqual(ours.serialized(), bytes), "seed \(seed): \(spelled)")
            #expect(jsonEqual(ours.serialized(pretty: true), bytes), "seed \(seed): \(spelled)")
        }
    }

    /// Goal: neither accepts what the other refuses, but for our documented limits.
    /// Method: sound texts with a few bytes changed. Where Foundation is known to differ from the
    /// RFC the input is left out: it guesses encodings other than UTF-8 from the first bytes, it
    /// drops byte order marks inside strings, and it takes a comma before a closing bracket.
    @Test("what Foundation refuses, we refuse; and the other way round", arguments: UInt64(1)...8)
    func mutated(seed: UInt64) {
        var speller = JSONSpeller(seed: seed &+ 1_000)
        var mutator = Mutator(seed: seed)
        var refused = 0
        for _ in 0..<2_000 {
            let value = speller.value()
            let bytes = mutator.mutate(Array(speller.spell(value).utf8))
            if bytes.prefix(4).contains(where: { $0 == 0 || $0 >= 0xef }) { continue }
            if String(decoding: bytes, as: UTF8.self).unicodeScalars.contains("\u{feff}") {
                continue
            }
            let theirs = foundation(bytes)
            do throws(MalformedBody) {
                let ours = try JSONValue.parse(bytes)
                guard let theirs else {
                    if !isPastDouble(ours) { record("we alone accept", bytes, seed) }
                    continue
                }
                if !agree(ours, theirs) { record("read differently", bytes, seed) }
            } catch {
                refused += 1
                if theirs != nil, !isOurLimit(error), !isAtTrailingComma(error, bytes) {
                    record("we alone refuse: \(error)", bytes, seed)
                }
            }
        }
        #expect(refused > 500)
    }

    private func record(_ what: String, _ bytes: [UInt8], _ seed: UInt64) {
        Issue.record("\(what): \(String(decoding: bytes, as: UTF8.self)) \(bytes), seed \(seed)")
    }

    private func isAtTrailingComma(_ fault: MalformedBody, _ bytes: [UInt8]) -> Bool {
        guard fault.offset < bytes.count, "]}".utf8.contains(bytes[fault.offset]) else {
            return false
        }
        return bytes[..<fault.offset].last { $0 > 0x20 } == UInt8(ascii: ",")
    }

    /// Faults that RFC 8259 leaves open, or allows us to have limits about.
    private func isOurLimit(_ fault: MalformedBody) -> Bool {
        let reasons: [RejectionReason] = [
            .duplicateMember, .nulCharacter, .loneSurrogate, .tooDeep, .numberTooLong,
            .numberOutOfRange,
        ]
        return reasons.contains { $0.explanation == fault.reason }
    }

    /// Foundation refuses numbers that a Double cannot hold.
    private func isPastDouble(_ value: JSONValue) -> Bool {
        switch value {
        case .number(let spelling):
            let double = Double(spelling) ?? .infinity
            return double.isInfinite
                || (double == 0 && spelling.contains { "123456789".contains($0) })
        case .array(let elements): return elements.contains { isPastDouble($0) }
        case .object(let object): return object.members.contains { isPastDouble($0.value) }
        default: return false
        }
    }
}
