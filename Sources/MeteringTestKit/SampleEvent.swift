public import UsageModel

/// A usage event for tests, written down as fields so that a reference needs no parser.
public struct SampleEvent: Hashable, Sendable {
    public var source: String
    public var id: String
    public var type: String
    public var subject: String
    public var time: Instant
    /// The number as it is spelled on the wire.
    public var number: String
    /// Whether the number is sent as a text.
    public var isText: Bool
    public var model: String?
    public var users: [String]

    public init(
        id: String,
        source: String = "gateway",
        type: String = "llm.request",
        subject: String = "acme",
        time: Instant = Instant(microseconds: 1_793_491_200_000_000),
        number: String = "1",
        isText: Bool = false,
        model: String? = nil,
        users: [String] = []
    ) {
        (self.source, self.id, self.type, self.subject) = (source, id, type, subject)
        (self.time, self.number, self.isText) = (time, number, isText)
        (self.model, self.users) = (model, users)
    }

    public var json: String {
        let amount = isText ? "\"\(number)\"" : number
        var data = "\"amount\":\(amount)"
        if let model { data += ",\"model\":\"\(model)\"" }
        data += ",\"users\":[" + users.map { "\"\($0)\"" }.joined(separator: ",") + "]"
        return """
            {"specversion":"1.0","id":"\(id)","source":"\(source)","type":"\(type)",\
            "subject":"\(subject)","time":"\(time.rfc3339)","data":{\(data)}}
            """
    }

    public var value: Quantity? { try? Quantity(number) }

    /// An event drawn from a generator: few subjects and times, so that ties and repeats happen,
    /// and now and then an extreme.
    public static func random(
        id: String,
        from generator: inout some RandomNumberGenerator
    ) -> SampleEvent {
        func draw(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
        let base: Int64 = 1_793_491_200_000_000
        let time: Int64 =
            switch draw(100) {
            case 0: -62_135_596_800_000_000 + Int64(draw(1_000_000))
            case 1: 253_402_300_799_000_000 + Int64(draw(1_000_000))
            case 2..<30: base + Int64(draw(40)) * 900_000_000
            default: base + Int64(draw(3 * 86_400)) * 1_000_000 + Int64(draw(1_000_000))
            }
        let number: String =
            switch draw(12) {
            case 0: "0"
            case 1: "-\(draw(1_000)).\(draw(1_000))"
            case 2: "0.\(draw(1_000_000))\(draw(1_000_000_000))\(draw(1_000_000_000))"
            case 3: "\(draw(900) + 1)e-\(draw(20))"
            case 4: "0.30000000000000004"
            case 5: draw(40) == 0 ? "17014118346046923\(draw(10)).5" : "1.5"
            case 6: "\(draw(10)).0000000000000000005"
            default: "\(draw(100_000))"
            }
        let models: [String?] = ["small", "large", "x\\\"y", nil]
        return SampleEvent(
            id: id,
            source: "gateway-\(draw(3))",
            type: ["llm.request", "llm.image", "storage"][draw(3)],
            subject: "customer-\(draw(7))",
            time: Instant(microseconds: time),
            number: number,
            isText: draw(4) == 0,
            model: models[draw(4)],
            users: (0..<draw(3)).map { _ in "u\(draw(30))" }
        )
    }
}
