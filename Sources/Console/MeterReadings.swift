import UsageModel
import WireFormat

/// What listed meters used: in the period of each, and in the days of its zone.
///
/// The meters of one type, period and zone are asked about together; no two zones are. Of a meter
/// whose period cannot be told, since this machine lacks its zone, nothing is.
struct MeterReadings {
    /// As many as a question can name: a query has 1,000 parameters at most.
    private static let subjectsMax = 200
    /// The most readings of one answer.
    private static let readingsMax = "1000"
    static let daysShown = 14

    private let visit: Visit

    init(_ visit: Visit) { self.visit = visit }

    /// Values by the ids of meters.
    struct Used {
        var values: [String: String] = [:]
        /// How many meters were looked at: all of them, unless that took too many questions.
        var meters = 0
    }

    /// What is asked about together; nil is for ever.
    private struct Stretch: Hashable, Comparable {
        var meterType: String
        var from: String?
        var to: String?
        /// Of days; nil where the stretch is one.
        var zone: String?

        static func < (one: Stretch, other: Stretch) -> Bool {
            (one.meterType, one.from ?? "", one.to ?? "", one.zone ?? "")
                < (other.meterType, other.from ?? "", other.to ?? "", other.zone ?? "")
        }
    }

    /// What each meter used in its running period.
    ///
    /// - Parameter ofEventsAlone: The keys of the meter types whose values are made of their events
    ///   alone, and not of the time around them too: of their meters those are asked about together
    ///   that were enrolled in the period, each at another time.
    func periods(
        of meters: [JSONValue],
        questionsMax: Int = .max,
        ofEventsAlone: Set<String> = []
    ) async throws -> Used {
        let told = meters.filter { $0["period"] != nil }
        let stretches = Self.stretches(of: told, ofEventsAlone)
        var used = Used(meters: meters.count - told.count)
        var questions = 0
        for (stretch, meters) in stretches.sorted(by: { $0.key < $1.key }) {
            for part in Self.parts(of: meters) {
                guard questions < questionsMax else { return used }
                questions += 1
                guard let found = try await readings(of: part, in: stretch) else { continue }
                for reading in found { used.values[Self.id(reading)] = reading.text("value") }
                used.meters += part.count
            }
        }
        return used
    }

    /// What each meter used in each of the last days, the earliest first; "0" where it used
    /// nothing, and no days where that is not to be had.
    func days(of meters: [JSONValue]) async throws -> [String: [String?]] {
        var days: [String: [String?]] = [:]
        let zones = Dictionary(grouping: meters) { $0.text("period", "timezone") ?? "" }
        for (zone, meters) in zones where !zone.isEmpty {
            let clock = ZoneClock(zone, visit)
            let today = clock.day(at: visit.now)
            let first = ZoneClock.day(today, plus: 1 - Self.daysShown)
            let start = clock.start(ofDay: first)
            let end = clock.start(ofDay: ZoneClock.day(today, plus: 1))
            for (type, meters) in Dictionary(grouping: meters, by: { $0.text("meterType") ?? "" }) {
                let stretch = Stretch(
                    meterType: type,
                    from: start?.rfc3339,
                    to: end?.rfc3339,
                    zone: zone
                )
                guard let found = try await readings(of: meters, in: stretch) else { continue }
                for meter in meters {
                    days[meter.text("id") ?? ""] = Array(repeating: "0", count: Self.daysShown)
                }
                for reading in found {
                    let from = reading.text("from").flatMap { Instant(rfc3339: $0) }
                    let place = from.map { ZoneClock.days(from: first, to: clock.day(at: $0)) }
                    guard let place, (0..<Self.daysShown).contains(place) else { continue }
                    days[Self.id(reading)]?[place] = reading.text("value")
                }
            }
        }
        return days
    }

    private static func stretches(
        of meters: [JSONValue],
        _ ofEventsAlone: Set<String>
    ) -> [Stretch: [JSONValue]] {
        var stretches: [Stretch: [JSONValue]] = [:]
        // By type and end, those whose period begins with their enrolment.
        var enrolled: [Stretch: [(start: String, meter: JSONValue)]] = [:]
        for meter in meters {
            let start = meter.text("period", "start")
            var stretch = Stretch(
                meterType: meter.text("meterType") ?? "",
                to: meter.text("period", "end")
            )
            if let start, start == meter.text("start"), ofEventsAlone.contains(stretch.meterType) {
                enrolled[stretch, default: []].append((start, meter))
            } else {
                stretch.from = start
                stretches[stretch, default: []].append(meter)
            }
        }
        for (stretch, found) in enrolled {
            // Nothing counts before a meter's enrolment: the first of them will do for all.
            var stretch = stretch
            stretch.from = found.map(\.start).min()
            stretches[stretch, default: []] += found.map(\.meter)
        }
        return stretches
    }

    private static func parts(of meters: [JSONValue]) -> [[JSONValue]] {
        stride(from: 0, to: meters.count, by: subjectsMax).map {
            Array(meters[$0..<min($0 + subjectsMax, meters.count)])
        }
    }

    private static func id(_ reading: JSONValue) -> String {
        (reading.text("meterType") ?? "") + "~" + (reading.text("subject") ?? "")
    }

    /// All readings of a stretch, page by page; nil where they are not to be had, as while a meter
    /// type's history is counted.
    private func readings(
        of meters: [JSONValue],
        in stretch: Stretch
    ) async throws -> [JSONValue]? {
        var parameters = [
            ("meterType", stretch.meterType), ("groupBy", "subject"), ("limit", Self.readingsMax),
        ]
        if let from = stretch.from { parameters.append(("from", from)) }
        if let to = stretch.to { parameters.append(("to", to)) }
        if let zone = stretch.zone {
            parameters += [("window", "day"), ("timezone", zone)]
        }
        parameters += meters.compactMap { $0.text("subject") }.map { ("subject", $0) }
        var readings: [JSONValue] = []
        var cursor: String?
        repeat {
            let asked = parameters + [cursor].compactMap { $0.map { ("cursor", $0) } }
            let found = try await visit.api.find(address: Address.link("/v1/usage", asked))
            guard found.problem == nil else { return nil }
            readings += found.json["readings"]?.arrayValue ?? []
            cursor = found.next
        } while cursor != nil
        return readings
    }
}
