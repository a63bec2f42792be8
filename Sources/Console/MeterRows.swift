import UsageModel
import WireFormat

/// Rows of meters with what they count in their periods, and day by day.
struct MeterRows {
    private let meters: [JSONValue]
    private let types: [String: JSONValue]
    private let visit: Visit

    init(_ meters: [JSONValue], _ types: [JSONValue], _ visit: Visit) {
        (self.meters, self.visit) = (meters, visit)
        let named = types.compactMap { type in type.text("key").map { ($0, type) } }
        self.types = Dictionary(named) { $1 }
    }

    func values() async throws -> [Values] {
        let readings = MeterReadings(visit)
        let used = try await readings.periods(of: meters)
        let days = try await readings.days(of: meters)
        return meters.compactMap { meter in
            guard let id = meter.text("id"), let type = types[meter.text("meterType") ?? ""]
            else { return nil }
            return row(meter, type, used.values[id], days[id] ?? [])
        }
    }

    private func row(
        _ meter: JSONValue,
        _ type: JSONValue,
        _ value: String?,
        _ days: [String?]
    ) -> Values {
        let id = meter.text("id") ?? ""
        let state = meter.text("state") ?? ""
        let percent = Shown.percent(value, of: type.text("capacity"))
        return [
            "href": Address.path(Console.root + "/meters", id),
            "subject": meter.text("subject"), "customer": meter.text("customer"),
            "type": type.text("name"), "reset": ResetWords(type["resetSchedule"]).sentence,
            "end": Shown.time(
                meter.text("period", "end"),
                zone: meter.text("period", "timezone")
            ),
            "value": Shown.quantity(value), "unit": meter.text("unit"),
            "capacity": Shown.quantity(type.text("capacity")), "percent": percent,
            "bar": percent.map { min($0, 100) },
            "spark": Sparkline(days).values,
            "state": state, "tag": Self.tag(state),
        ]
    }

    static func tag(_ state: String) -> String {
        switch state {
        case "active": "tag--ok"
        case "suspended": "tag--warn"
        default: "tag--quiet"
        }
    }
}
