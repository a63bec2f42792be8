import UsageModel
import WireFormat

/// `/console/meters/{id}`: how much one subject used of one thing, and why.
///
/// With `asOf` the whole page tells what was known then. Where that cannot be told, it tells no
/// number, rather than that of now.
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
        let known = try await api.find(path, ["asOf": asOf(visit)])
        let meter = known.problem == nil ? known.json : try await api.get(path)
        let key = meter.text("meterType") ?? ""
        let type = try await api.get(Address.path("/v1/meter-types", key))
        let past = try await api.find(path + "/periods", ["limit": "1", "asOf": asOf(visit)])
        let range = MeterRange(visit, meter, previous: past.items.first)
        let tab = visit.query.text("tab").flatMap(Tab.init) ?? .usage
        var values = head(meter, type).with(address(range, tab, visit))
        if known.problem == nil { values = values.with(figures(meter, past.items.first, visit)) }
        if let customer = meter.text("customer") {
            let known = try await api.read(Address.path("/v1/customers", customer))
            values["customer"] = known?.text("name") ?? customer
        }
        var problem = known.problem
        if problem == nil {
            switch tab {
            case .usage: (values["usage"], problem) = try await usage(meter, type, range, visit)
            case .records: (values["records"], problem) = try await records(meter, visit)
            case .changes: (values["changes"], problem) = try await changes(meter, range, visit)
            }
        }
        let subject = meter.text("subject") ?? ""
        let title = "\(subject) · \(type.text("name") ?? key)"
        return .page("meter", title: title, values, problem: problem)
    }

    /// The state of knowledge that is asked for; nil: as of now.
    static func asOf(_ visit: Visit) -> String? { visit.query.text("asOf") }

    /// What the address says, for the form and the tabs.
    private static func address(_ range: MeterRange, _ tab: Tab, _ visit: Visit) -> Values {
        [
            "tabs": Tab.allCases.map { one -> Values in
                [
                    "label": one.label, "current": one == tab,
                    "href": visit.link(["tab": one == .usage ? nil : one.rawValue]),
                ]
            },
            "isRanged": tab != .records, "isChanges": tab == .changes,
            "tab": tab == .usage ? nil : tab.rawValue,
            "from": range.typed.from, "to": range.typed.to, "timezone": range.zone,
            "asOf": asOf(visit), "asOfNow": visit.link(["asOf": nil]),
            "since": visit.query.text("since"),
            "window": range.window, "askedWindow": visit.query.text("window"),
            "standing": Address.path(Console.root + "/meters", visit["id"]) + "/standing",
        ]
    }

    /// What the meter is, whatever it is worth.
    private static func head(_ meter: JSONValue, _ type: JSONValue) -> Values {
        let key = meter.text("meterType") ?? ""
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
            "reset": ResetWords(type["resetSchedule"]).sentence,
            "periodZone": meter.text("period", "timezone"),
            "customer": meter.text("customer"),
            "customerHref": meter.text("customer").map {
                Address.path(Console.root + "/customers", $0)
            },
            "state": state, "tag": MeterRows.tag(state), "stateReason": meter.text("reason"),
        ]
    }

    /// What it is worth in its period.
    private static func figures(_ meter: JSONValue, _ past: JSONValue?, _ visit: Visit) -> Values {
        let zone = meter.text("period", "timezone")
        let percent = Shown.percent(meter.text("value"), of: meter.text("capacity"))
        return [
            "value": meter.quantity("value"),
            "events": meter.text("events").map { Spelled.some($0, "event") },
            "periodEnd": Shown.time(meter.text("period", "end"), zone: zone),
            "capacity": meter.quantity("capacity"), "percent": percent,
            "bar": percent.map { min($0, 100) },
            "past": past?.quantity("value"),
            "pastEnd": Shown.time(past?.text("end"), zone: zone),
            "lastEventAt": meter.time("lastEventAt", zone: zone),
            "position": meter.count("position"),
            "isAsOf": asOf(visit) != nil,
            "isAsOfTime": asOf(visit).map { Int64($0) == nil } ?? false,
        ]
    }

    /// What a meter type reads of an event; nil where events are counted.
    static func path(of type: JSONValue) -> String? {
        type.text("value")
            ?? type["value"]?.arrayValue.map {
                $0.compactMap(\.stringValue).joined(separator: ", ")
            }
    }

    // MARK: Records and changes

    private static func records(
        _ meter: JSONValue,
        _ visit: Visit
    ) async throws -> (Values, Problem?) {
        let (type, subject) = (meter.text("meterType"), meter.text("subject"))
        let found = try await visit.api.find(
            "/v1/usage-records",
            [
                "meterType": type, "subject": subject, "order": "desc", "limit": "100",
                "asOf": asOf(visit),
            ]
        )
        return (
            [
                "rows": found.items.map { RecordRow($0).values },
                "all": Address.link(
                    Console.root + "/records",
                    ["meterType": type, "subject": subject, "asOf": asOf(visit)]
                ),
                "hasMore": found.next != nil,
            ], found.problem
        )
    }

    /// What came and what was corrected, step by step: from `since`, or the beginning, up to
    /// `asOf`, or now.
    private static func changes(
        _ meter: JSONValue,
        _ range: MeterRange,
        _ visit: Visit
    ) async throws -> (Values, Problem?) {
        let found = try await visit.api.find(
            "/v1/usage/diff",
            [
                "meterType": meter.text("meterType"), "subject": meter.text("subject"),
                "from": range.from, "to": range.to,
                "asOf": visit.query.text("since") ?? "0", "until": asOf(visit),
            ]
        )
        let steps = found.json["steps"]?.arrayValue ?? []
        return (
            [
                "before": found.json["before"]?.quantity("value"),
                "after": found.json["after"]?.quantity("value"),
                "first": found.json["before"]?.count("position"),
                "last": found.json["after"]?.count("position"),
                "steps": steps.map { step -> Values in
                    let correction = step.text("correction")
                    return [
                        "cause": cause(step), "author": step.text("author"),
                        "why": step.text("reason"), "at": step.time("at"),
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
