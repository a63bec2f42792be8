import UsageModel
import WireFormat

/// `/console/meters/{id}`: how much one subject used of one thing, and why.
enum MeterPage {
    private enum Tab: String, CaseIterable {
        case usage, records, changes

        var label: String {
            switch self {
            case .usage: "Usage"
            case .records: "Usage records"
            case .changes: "Why this number"
            }
        }
    }

    static func show(_ visit: Visit) async throws -> Reply {
        let api = visit.api
        let path = Address.path("/v1/meters", visit["id"])
        let meter = try await api.get(path)
        let key = meter.text("meterType") ?? ""
        let type = try await api.get(Address.path("/v1/meter-types", key))
        let past = try await api.find(path + "/periods", ["limit": "1"])
        let range = MeterRange(visit, meter, previous: past.items.first)
        let tab = visit.query.text("tab").flatMap(Tab.init) ?? .usage
        var values = head(meter, type, past.items.first, visit)
        values["tabs"] = Tab.allCases.map { one -> Values in
            [
                "label": one.label, "current": one == tab,
                "href": visit.link(["tab": one == .usage ? nil : one.rawValue]),
            ]
        }
        values["from"] = range.from
        values["to"] = range.to
        values["timezone"] = range.zone
        values["asOf"] = visit.query.text("asOf")
        values["window"] = range.window
        values["askedWindow"] = visit.query.text("window")
        if let customer = meter.text("customer") {
            let known = try await api.read(Address.path("/v1/customers", customer))
            values["customer"] = known?.text("name") ?? customer
        }
        var problem: Problem?
        switch tab {
        case .usage: (values["usage"], problem) = try await usage(meter, type, range, visit)
        case .records: (values["records"], problem) = try await records(meter, visit)
        case .changes: (values["changes"], problem) = try await changes(meter, range, visit)
        }
        let subject = meter.text("subject") ?? ""
        let title = "\(subject) · \(type.text("name") ?? key)"
        return .page("meter", title: title, values, problem: problem)
    }

    private static func head(
        _ meter: JSONValue,
        _ type: JSONValue,
        _ past: JSONValue?,
        _ visit: Visit
    ) -> Values {
        let key = meter.text("meterType") ?? ""
        let zone = meter.text("period", "timezone")
        let percent = Shown.percent(meter.text("value"), of: meter.text("capacity"))
        let state = meter.text("state") ?? ""
        return [
            "subject": meter.text("subject"), "unit": meter.text("unit"),
            "type": type.text("name") ?? key,
            "typeHref": Address.path(Console.root + "/meter-types", key),
            "aggregation": type.text("aggregation").map {
                $0.prefix(1).uppercased() + $0.dropFirst()
            },
            "path": path(of: type),
            "eventTypes": (type["eventTypes"]?.arrayValue ?? []).compactMap(\.stringValue)
                .joined(separator: ", "),
            "reset": ResetWords(type["resetSchedule"]).sentence, "periodZone": zone,
            "customer": meter.text("customer"),
            "customerHref": meter.text("customer").map {
                Address.path(Console.root + "/customers", $0)
            },
            "state": state, "tag": MeterRows.tag(state), "stateReason": meter.text("reason"),
            "value": meter.quantity("value"), "events": meter.count("events"),
            "periodEnd": Shown.time(meter.text("period", "end"), zone: zone),
            "capacity": meter.quantity("capacity"), "percent": percent,
            "bar": percent.map { min($0, 100) },
            "past": past?.quantity("value"),
            "pastEnd": Shown.time(past?.text("end"), zone: zone),
            "lastEventAt": meter.time("lastEventAt", zone: zone),
            "position": meter.count("position"),
            "nextResets": (meter["nextResets"]?.arrayValue ?? []).compactMap {
                Shown.time($0.stringValue, zone: zone)
            },
        ]
    }

    /// What a meter type reads of an event; nil where events are counted.
    static func path(of type: JSONValue) -> String? {
        type.text("value")
            ?? type["value"]?.arrayValue.map {
                $0.compactMap(\.stringValue).joined(separator: ", ")
            }
    }

    // MARK: Usage

    private static func usage(
        _ meter: JSONValue,
        _ type: JSONValue,
        _ range: MeterRange,
        _ visit: Visit
    ) async throws -> (Values, Problem?) {
        let (key, subject) = (meter.text("meterType"), meter.text("subject"))
        let asOf = visit.query.text("asOf")
        func ask(_ from: String, _ to: String) async throws -> API.Found {
            try await visit.api.find(
                "/v1/usage",
                [
                    "meterType": key, "subject": subject, "window": range.window,
                    "timezone": range.zone, "from": from, "to": to, "asOf": asOf,
                    "fill": "zero", "limit": "1000",
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
                "asOf": asOf,
            ]
        )
        let total = whole.json["readings"]?.arrayValue?.first
        let values: Values = [
            "rows": rows, "hasRows": !rows.isEmpty, "hasGhost": !ghost.isEmpty,
            "hasMore": found.next != nil,
            "isPeriod": range.isPeriod, "total": total?.quantity("value"),
            "totalEvents": total?.count("events"),
            "known": found.json.count("position"),
            "windows": MeterRange.windows.map { word -> Values in
                [
                    "label": word.prefix(1).uppercased() + word.dropFirst(),
                    "href": visit.link(["window": word]), "current": word == range.window,
                ]
            },
            "dimensions": dimensions(meter, type, visit),
            "call": Curl(visit).get(
                "/v1/usage",
                [
                    "meterType": key, "subject": subject, "window": range.window,
                    "timezone": range.zone, "from": range.from, "to": range.to, "asOf": asOf,
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
            "href": Address.link(
                Console.root + "/events",
                [
                    "subject": meter.text("subject"), "meterType": meter.text("meterType"),
                    "from": from, "to": reading.text("to"),
                ]
            ),
            "value": isAhead ? nil : reading.quantity("value"),
            "events": isAhead ? nil : reading.count("events"),
            "before": before?.quantity("value"),
            "isOpen": MeterRange.holds(reading, visit.now),
        ]
    }

    /// The value of the running period by dimensions; nil where the type has none.
    private static func dimensions(
        _ meter: JSONValue,
        _ type: JSONValue,
        _ visit: Visit
    ) -> Values? {
        let names = type["dimensions"]?.objectValue?.names ?? []
        let rows = meter["dimensions"]?.arrayValue ?? []
        guard !names.isEmpty, !rows.isEmpty else { return nil }
        let isSum = ["sum", "count"].contains(type.text("aggregation") ?? "")
        return [
            "names": names,
            "hasShare": isSum,
            "more": meter["moreDimensions"]?.boolValue ?? false,
            "rows": rows.map { row -> Values in
                let cells = names.map { row.text($0) ?? row.text("dimension." + $0) }
                let filters = zip(names, cells).map { ("dimension." + $0, $1 ?? "") }
                let link: [(name: String, value: String)] =
                    [
                        ("subject", meter.text("subject") ?? ""),
                        ("meterType", meter.text("meterType") ?? ""),
                    ] + filters
                return [
                    "href": Address.link(Console.root + "/events", link),
                    "cells": cells.map { ["text": $0 ?? "none"] as Values },
                    "value": row.quantity("value"), "events": row.count("events"),
                    "share": isSum
                        ? Shown.percent(row.text("value"), of: meter.text("value")) : nil,
                ]
            },
        ]
    }

    // MARK: Records and changes

    private static func records(
        _ meter: JSONValue,
        _ visit: Visit
    ) async throws -> (Values, Problem?) {
        let (type, subject) = (meter.text("meterType"), meter.text("subject"))
        let found = try await visit.api.find(
            "/v1/usage-records",
            ["meterType": type, "subject": subject, "order": "desc", "limit": "100"]
        )
        return (
            [
                "rows": found.items.map { RecordRow($0).values },
                "all": Address.link(
                    Console.root + "/records",
                    ["meterType": type, "subject": subject]
                ),
            ], found.problem
        )
    }

    /// What came and what was corrected, step by step up to the number.
    private static func changes(
        _ meter: JSONValue,
        _ range: MeterRange,
        _ visit: Visit
    ) async throws -> (Values, Problem?) {
        let found = try await visit.api.find(
            "/v1/usage/diff",
            [
                "meterType": meter.text("meterType"), "subject": meter.text("subject"),
                "from": range.from, "to": range.to, "asOf": visit.query.text("asOf") ?? "0",
            ]
        )
        let steps = found.json["steps"]?.arrayValue ?? []
        return (
            [
                "before": found.json["before"]?.quantity("value"),
                "after": found.json["after"]?.quantity("value"),
                "since": found.json["before"]?.count("position"),
                "steps": steps.map { step -> Values in
                    let correction = step.text("correction")
                    return [
                        "cause": cause(step), "author": step.text("author"),
                        "reason": step.text("reason"), "at": step.time("at"),
                        "href": correction.map {
                            Address.path(Console.root + "/corrections", $0)
                        },
                        "amount": step.quantity("amount"), "value": step.quantity("value"),
                        "isMinus": step.text("amount")?.hasPrefix("-") ?? false,
                        "events": step.count("events"), "upTo": step.count("upTo"),
                    ]
                },
            ], found.problem
        )
    }

    private static func cause(_ step: JSONValue) -> String {
        switch step.text("cause") {
        case "correction": "\(step.text("kind") ?? "correction") \(step.text("correction") ?? "")"
        case "version": "version \(step.text("version") ?? "") of the definition"
        default: "events came"
        }
    }
}

/// A usage record as a row of a table.
struct RecordRow {
    private let record: JSONValue

    init(_ record: JSONValue) { self.record = record }

    var values: Values {
        let period = record["period"]
        let kind = record.text("kind") ?? ""
        return [
            "href": Address.path(Console.root + "/records", record.text("id") ?? ""),
            "type": record.text("name") ?? record.text("meterType"),
            "subject": record.text("subject"), "unit": record.text("unit"),
            "start": period?.text("localStart").map { String($0.prefix(10)) },
            "end": period?.text("localEnd").map { String($0.prefix(10)) },
            "kind": kind, "tag": kind == "final" ? "" : "tag--info",
            "value": record.quantity("value"), "amount": record.quantity("amount"),
            "isMinus": record.text("amount")?.hasPrefix("-") ?? false,
            "events": record.count("events"), "createdAt": record.time("createdAt"),
        ]
    }
}
