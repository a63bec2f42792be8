import UsageModel
import WireFormat

/// The meters that used most of their capacity in their running periods.
///
/// The API tells a meter's value by subject, and not in the order of values: the largest are found
/// by looking at all. So there is a most, and where there are more meters the page says how many
/// it looked at.
struct CapacityWatch {
    /// Meters that are looked at.
    private static let metersMax = 1_000
    private static let questionsMax = 20
    private static let shownMax = 6
    /// Those that look at the time between events, and at what was before the first one.
    private static let aggregationsOfTime: Set = ["time-weighted", "counter", "peak-concurrency"]
    /// What a meter must have used of its capacity to be shown, in percent.
    private static let percentMin = 50

    private let visit: Visit

    init(_ visit: Visit) { self.visit = visit }

    func values(of types: [JSONValue]) async throws -> Values {
        let limited = types.filter { $0.text("capacity") != nil }
        guard !limited.isEmpty else { return ["hasNone": true] }
        let (meters, hasMore) = try await meters(of: limited)
        let ofEventsAlone = limited.filter { type in
            !Self.aggregationsOfTime.contains(type.text("aggregation") ?? "")
        }
        let used = try await MeterReadings(visit).periods(
            of: meters,
            questionsMax: Self.questionsMax,
            ofEventsAlone: Set(ofEventsAlone.compactMap { $0.text("key") })
        )
        let named = Dictionary(limited.map { ($0.text("key") ?? "", $0) }) { $1 }
        var found: [(percent: Int, values: Values)] = []
        for meter in meters {
            guard let id = meter.text("id"), let type = named[meter.text("meterType") ?? ""],
                let percent = Shown.percent(used.values[id], of: type.text("capacity")),
                percent >= Self.percentMin
            else { continue }
            let values: Values = [
                "href": Address.path(Console.root + "/meters", id),
                "subject": meter.text("subject"), "type": type.text("name"),
                "percent": percent, "bar": min(percent, 100),
            ]
            found.append((percent, values))
        }
        found.sort { $0.percent > $1.percent }
        let isPart = hasMore || used.meters < meters.count
        return [
            "hasMeters": !found.isEmpty, "isQuiet": found.isEmpty,
            "meters": found.prefix(Self.shownMax).map(\.values),
            "more": found.count > Self.shownMax ? found.count - Self.shownMax : nil,
            "looked": isPart ? Shown.grouped(String(used.meters)) : nil,
        ]
    }

    /// The first meters of these types, and whether there are more.
    private func meters(of types: [JSONValue]) async throws -> ([JSONValue], hasMore: Bool) {
        let keys = types.compactMap { $0.text("key") }.joined(separator: ",")
        var meters: [JSONValue] = []
        var cursor: String?
        // A page may be short while others follow: so many are enough.
        for _ in 0..<3 {
            let page = try await visit.api.get(
                "/v1/meters",
                [
                    "meterType": keys, "limit": String(Self.metersMax - meters.count),
                    "cursor": cursor,
                ]
            )
            meters += page["items"]?.arrayValue ?? []
            cursor = page.text("next")
            if cursor == nil || meters.count >= Self.metersMax { break }
        }
        return (meters, cursor != nil)
    }
}
