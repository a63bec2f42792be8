import UsageModel
import WireFormat

/// The periods of meter types that end within a day, the soonest first.
///
/// A meter type tells its running period, unless that is cut in each customer's zone: then it has
/// as many as its customers have zones, which are previewed one by one.
struct ClosingPeriods {
    private static let horizon: Int64 = 86_400 * 1_000_000
    private static let typesMax = 50
    private static let zonesMax = 24
    /// Customers whose zones are looked at: each is read whole, with all its subjects.
    private static let customersMax = "50"
    /// Calendars that are previewed, each once.
    private static let previewsMax = 48
    private static let shownMax = 8

    private let visit: Visit

    init(_ visit: Visit) { self.visit = visit }

    /// A calendar that many meter types may have.
    private struct Calendar: Hashable {
        var schedule: String
        var zone: String
    }

    func values(of types: [JSONValue]) async throws -> Values {
        let resetting = types.prefix(Self.typesMax).filter { $0.text("resetSchedule") != "never" }
        let isInCustomersZone = resetting.contains { $0.text("timezone") == "customer" }
        var (zones, isPart) =
            try await isInCustomersZone ? customersZones() : ([], false)
        var ends: [Calendar: String?] = [:]
        var found: [(end: Instant, values: Values)] = []
        for type in resetting {
            if let zone = type.text("period", "timezone") {
                found += row(type, zone, type.text("period", "end"))
            }
            for zone in type.text("timezone") == "customer" ? zones : [] {
                let schedule = (type["resetSchedule"] ?? .null).serialized()
                let calendar = Calendar(
                    schedule: String(decoding: schedule, as: UTF8.self),
                    zone: zone
                )
                if ends[calendar] == nil {
                    guard ends.count < Self.previewsMax else {
                        isPart = true
                        continue
                    }
                    ends[calendar] = await RunningPeriod(of: type, in: zone, visit).end
                }
                found += row(type, zone, ends[calendar] ?? nil)
            }
        }
        return [
            "rows": found.sorted { $0.end < $1.end }.prefix(Self.shownMax).map(\.values),
            "more": found.count > Self.shownMax ? found.count - Self.shownMax : nil,
            "isPart": isPart || types.count > Self.typesMax,
        ]
    }

    /// Nothing where it does not end within a day.
    private func row(
        _ type: JSONValue,
        _ zone: String,
        _ text: String?
    ) -> [(end: Instant, values: Values)] {
        guard let text, let end = Instant(rfc3339: text),
            end.microseconds - visit.now.microseconds <= Self.horizon
        else { return [] }
        let key = type.text("key") ?? ""
        let values: Values = [
            "name": type.text("name") ?? key,
            "href": Address.path(Console.root + "/meter-types", key),
            "end": Shown.time(text, zone: zone), "zone": zone,
            "schedule": ResetWords(type["resetSchedule"]).text,
        ]
        return [(end, values)]
    }

    /// The zones of the first customers, and that of subjects nobody owns; whether there may be
    /// more.
    private func customersZones() async throws -> ([String], hasMore: Bool) {
        let page = try await visit.api.get("/v1/customers", ["limit": Self.customersMax])
        var zones = ["UTC"]
        for customer in page["items"]?.arrayValue ?? [] where customer["retiredAt"] == nil {
            guard let zone = customer.text("timezone"), !zones.contains(zone) else { continue }
            zones.append(zone)
        }
        let hasMore = page["next"] != nil || zones.count > Self.zonesMax
        return (Array(zones.prefix(Self.zonesMax)), hasMore)
    }
}
