import Foundation
import UsageModel

/// The events of an AI-API business, drawn from a seed: the same seed sends the same events, so the
/// demo that is run twice counts nothing twice.
struct DemoWorkload {
    /// What was sent, counted while it was written: what the server must say.
    struct Tally {
        var sent = 0
        var distinct = 0
        var duplicates = 0
        var conflicts = 0
        var malformed = 0
        var tokensIn = 0
        var tokensOut = 0
    }

    static let subjects = 200
    private static let models = ["small", "medium", "large"]
    /// 2026-11-01T00:00:00Z.
    private static let start: Int64 = 1_793_491_200_000_000

    private(set) var tally = Tally()
    private var generator: SplitMix
    private var number = 0
    private var recent: [String] = []

    init(seed: UInt64) { generator = SplitMix(state: seed) }

    /// A body of NDJSON with so many lines.
    mutating func batch(_ lines: Int) -> String {
        var body = ""
        for _ in 0..<lines {
            tally.sent += 1
            switch draw(1_000) {
            case 0..<20 where !recent.isEmpty:
                tally.duplicates += 1
                body += recent[draw(recent.count)]
            case 20..<22 where !recent.isEmpty:
                tally.conflicts += 1
                let event = recent[draw(recent.count)]
                body += event.replacing("\"status\":\"ok\"", with: "\"status\":\"changed\"")
            case 22..<24:
                tally.malformed += 1
                body += malformed()
            default: body += event()
            }
            body += "\n"
        }
        return body
    }

    private mutating func draw(_ count: Int) -> Int { Int(generator.next() % UInt64(count)) }

    private mutating func event() -> String {
        number += 1
        tally.distinct += 1
        let (tokensIn, tokensOut) = (20 + draw(4_000), 1 + draw(1_200))
        tally.tokensIn += tokensIn
        tally.tokensOut += tokensOut
        // Mostly in order, some late by up to two days, some ahead of their neighbours.
        var time = Self.start + Int64(number) * 20_000_000 + Int64(draw(5_000_000))
        if draw(50) == 0 { time -= Int64(draw(172_800)) * 1_000_000 }
        let text = """
            {"specversion":"1.0","id":"req-\(number)","source":"gateway-\(draw(4))",\
            "type":"llm.request","subject":"customer-\(draw(Self.subjects))",\
            "time":"\(Instant(microseconds: time).rfc3339)","data":{"model":\
            "\(Self.models[draw(3)])","tokens":{"input":\(tokensIn),"output":\(tokensOut)},\
            "user":"user-\(draw(3_000))","status":"ok","storageGB":"\(draw(90)).\(draw(1_000))"}}
            """
        if recent.count < 2_000 { recent.append(text) } else { recent[draw(2_000)] = text }
        return text
    }

    private mutating func malformed() -> String {
        let faults = [
            #"{"specversion":"1.0","id":"bad-\#(tally.malformed)","source":"gateway-0"}"#,
            #"{"id":"bad-\#(tally.malformed)","source":"gateway-0","type":"llm.request","#
                + #""subject":"customer-1","time":"2026-11-01 10:00"}"#,
            #"{"id":"bad-\#(tally.malformed)","source":"#,
        ]
        return faults[draw(faults.count)]
    }

    /// The meter types of the business.
    static let meterTypes = [
        """
        {"key":"requests","name":"Requests","unit":"request","eventTypes":["llm.request"],\
        "aggregation":"count","dimensions":{"model":"$.data.model"}}
        """,
        """
        {"key":"tokens-in","name":"Input tokens","unit":"token","eventTypes":["llm.request"],\
        "aggregation":"sum","value":"$.data.tokens.input","dimensions":{"model":"$.data.model"}}
        """,
        """
        {"key":"tokens-out","name":"Output tokens","unit":"token","eventTypes":["llm.request"],\
        "aggregation":"sum","value":"$.data.tokens.output","dimensions":{"model":"$.data.model"}}
        """,
        """
        {"key":"active-users","name":"Active users","unit":"user","eventTypes":["llm.*"],\
        "aggregation":"unique","value":"$.data.user"}
        """,
        """
        {"key":"largest-request","name":"Largest request","unit":"token",\
        "eventTypes":["llm.request"],"aggregation":"max","value":"$.data.tokens.input"}
        """,
        """
        {"key":"storage","name":"Storage in use","unit":"GB","eventTypes":["llm.request"],\
        "aggregation":"latest","value":"$.data.storageGB"}
        """,
    ]
}

/// A seeded generator: Steele, Lea and Flood's SplitMix64.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
