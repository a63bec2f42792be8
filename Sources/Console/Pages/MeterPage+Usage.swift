import UsageModel
import WireFormat

extension MeterPage {
    /// Readings of a type and subject that are asked for at once.
    private static let readingsMax = "1000"
    private static let dimensionRowsMax = 100

    /// The tab of the readings: windows, the stretch before, and the dimensions, all of one range.
    static func usage(
        _ meter: JSONValue,
        _ type: JSONValue,
        _ range: MeterRange,
        _ visit: Visit
    ) async throws -> (Values, Problem?) {
        let (key, subject) = (meter.text("meterType"), meter.text("subject"))
        func ask(_ from: String, _ to: String) async throws -> API.Found {
            try await visit.api.find(
                "/v1/usage",
                [
                    "meterType": key, "subject": subject, "window": range.window,
                    "timezone": range.zone, "from": from, "to": to, "asOf": asOf(visit),
                    "fill": "zero", "limit": readingsMax,
                ]
            )
        }
        let found = try await ask(range.from, range.to)
        var ghost: [JSONValue] = []
        if let before = range.before {
            ghost = (try await ask(before.from, before.to)).json["readings"]?.arrayValue ?? []
        }
        let readings = found.json["readings"]?.arrayValue ?? []
        let rows = readings.enumerated().map { place, reading in
            row(reading, before: place < ghost.count ? ghost[place] : nil, meter, range, visit)
        }
        let whole = try await visit.api.find(
            "/v1/usage",
            [
                "meterType": key, "subject": subject, "from": range.from, "to": range.to,
                "asOf": asOf(visit),
            ]
        )
        let total = whole.json["readings"]?.arrayValue?.first
        let values: Values = [
            "rows": rows, "hasRows": !rows.isEmpty, "hasGhost": !ghost.isEmpty,
            "hasMore": found.next != nil,
            "isPeriod": range.isPeriod, "total": total?.quantity("value"),
            "totalEvents": Spelled.some(total?.text("events") ?? "0", "event"),
            "windows": MeterRange.windows.map { word -> Values in
                [
                    "label": word.prefix(1).uppercased() + word.dropFirst(),
                    "href": visit.link(["window": word]), "current": word == range.window,
                ]
            },
            "dimensions": try await dimensions(meter, type, range, total, visit),
            "call": Curl(visit).get(
                "/v1/usage",
                [
                    "meterType": key, "subject": subject, "window": range.window,
                    "timezone": range.zone, "from": range.from, "to": range.to,
                    "asOf": asOf(visit),
                ]
            ),
        ]
        return (values, found.problem)
    }

    /// A window as a row of the chart's table; one that is ahead has no value yet.
    private static func row(
        _ reading: JSONValue,
        before: JSONValue?,
        _ meter: JSONValue,
        _ range: MeterRange,
        _ visit: Visit
    ) -> Values {
        let from = reading.text("from")
        let isAhead = from.flatMap { Instant(rfc3339: $0) }.map { $0 > visit.now } ?? false
        return [
            "label": range.label(from ?? "", visit),
            "href": events(meter, from: from, to: reading.text("to"), [], visit),
            "value": isAhead ? nil : reading.quantity("value"),
            "events": isAhead ? nil : reading.count("events"),
            "before": before?.quantity("value"),
            "isOpen": MeterRange.holds(reading, visit.now),
        ]
    }

    /// The events behind a number: of its time, as known when it was.
    private static func events(
        _ meter: JSONValue,
        from: String?,
        to: String?,
        _ others: [(name: String, value: String)],
        _ visit: Visit
    ) -> String {
        let question: [(name: String, value: String?)] = [
            ("subject", meter.text("subject")), ("meterType", meter.text("meterType")),
            ("from", from), ("to", to), ("asOf", asOf(visit)),
        ]
        let asked = question.compactMap { name, value in value.map { (name: name, value: $0) } }
        return Address.link(Console.root + "/events", asked + others)
    }

    /// The value of the range by dimensions, the largest first; nil where the type has none.
    private static func dimensions(
        _ meter: JSONValue,
        _ type: JSONValue,
        _ range: MeterRange,
        _ total: JSONValue?,
        _ visit: Visit
    ) async throws -> Values? {
        let names = type["dimensions"]?.objectValue?.names ?? []
        guard !names.isEmpty else { return nil }
        let found = try await visit.api.find(
            "/v1/usage",
            [
                "meterType": meter.text("meterType"), "subject": meter.text("subject"),
                "from": range.from, "to": range.to, "asOf": asOf(visit),
                "groupBy": names.joined(separator: ","), "limit": readingsMax,
            ]
        )
        let readings = (found.json["readings"]?.arrayValue ?? []).map { reading in
            (reading, reading.text("value").flatMap { try? Quantity($0) }?.mantissa ?? .min)
        }
        guard !readings.isEmpty else { return nil }
        let isSum = ["sum", "count"].contains(type.text("aggregation") ?? "")
        let largest = readings.sorted { $0.1 > $1.1 }.prefix(dimensionRowsMax).map(\.0)
        return [
            "names": names,
            "hasShare": isSum,
            "more": found.next != nil || readings.count > dimensionRowsMax,
            "rows": largest.map { reading -> Values in
                let cells = names.map { reading["dimensions"]?.text($0) }
                let asked = zip(names, cells).map { name, value in
                    value.map { (name: "dimension." + name, value: $0) }
                        ?? (name: "without", value: name)
                }
                return [
                    "href": events(meter, from: range.from, to: range.to, asked, visit),
                    "cells": cells.map { ["text": $0 ?? "none"] as Values },
                    "value": reading.quantity("value"), "events": reading.count("events"),
                    "share": isSum
                        ? Shown.percent(reading.text("value"), of: total?.text("value")) : nil,
                ]
            },
        ]
    }
}
