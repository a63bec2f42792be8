import UsageModel
import WireFormat

/// The meters that used most of their capacity in the running period.
///
/// The API tells a meter's value by subject, in the order of subjects: the largest are found by
/// looking at all, so that there is a most.
struct CapacityWatch {
    /// Readings of one meter type that are looked at.
    private static let readingsMax = 2_000
    private static let typesMax = 6
    private static let shownMax = 6

    private let visit: Visit

    init(_ visit: Visit) { self.visit = visit }

    func values(of types: [JSONValue]) async throws -> Values {
        let limited = types.filter { $0.text("capacity") != nil }
        guard !limited.isEmpty else { return ["hasNone": true] }
        let status = try await visit.api.get("/v1/status")
        let subjects = status.text("subjects").flatMap(Int.init) ?? 0
        guard subjects <= Self.readingsMax else { return ["isTooMuch": true] }
        var found: [(percent: Int, values: Values)] = []
        for type in limited.prefix(Self.typesMax) { found += try await full(type) }
        found.sort { $0.percent > $1.percent }
        guard !found.isEmpty else { return ["isQuiet": true] }
        return ["hasMeters": true, "meters": found.prefix(Self.shownMax).map(\.values)]
    }

    /// The meters of a type that used half of their capacity, or more.
    private func full(_ type: JSONValue) async throws -> [(percent: Int, values: Values)] {
        guard let key = type.text("key") else { return [] }
        let start = await RunningPeriod(of: type, visit).start
        var found: [(percent: Int, values: Values)] = []
        var cursor: String?
        for _ in 0..<2 {
            let usage = try await visit.api.find(
                "/v1/usage",
                [
                    "meterType": key, "groupBy": "subject", "from": start,
                    "to": visit.now.rfc3339, "limit": "1000", "cursor": cursor,
                ]
            )
            for reading in usage.json["readings"]?.arrayValue ?? [] {
                let value = reading.text("value")
                guard let subject = reading.text("subject"),
                    let percent = Shown.percent(value, of: type.text("capacity")), percent >= 50
                else { continue }
                let href = Address.path(Console.root + "/meters", key + "~" + subject)
                let values: Values = [
                    "href": href, "subject": subject, "type": type.text("name") ?? key,
                    "percent": percent,
                ]
                found.append((percent, values))
            }
            cursor = usage.next
            if cursor == nil { break }
        }
        return found
    }
}
