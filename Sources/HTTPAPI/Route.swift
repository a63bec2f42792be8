import HTTPTypes

/// The addresses of this API.
enum Route: Int, CaseIterable {
    case events, event, meterTypes, meterType, meters, meter, periods, usage, unreadable,
        quarantine, reconciliation
    case status, health, readiness, metrics, problem
    /// No address of ours.
    case none

    /// Finds the route of a path that was split at its slashes; a slash within a name is `%2F`.
    init(_ segments: [Substring]) {
        switch segments.count {
        case 1: self = Self.short(segments[0])
        case 2: self = Self.plain(segments)
        case 3 where segments[0] == "v1" && segments[1] == "meter-types": self = .meterType
        case 3 where segments[0] == "v1" && segments[1] == "meters": self = .meter
        case 4
        where segments[0] == "v1" && segments[1] == "meters" && segments[3] == "periods":
            self = .periods
        case 4 where segments[0] == "v1" && segments[1] == "events": self = .event
        default: self = .none
        }
    }

    private static func short(_ segment: Substring) -> Route {
        switch segment {
        case "healthz": .health
        case "readyz": .readiness
        case "metrics": .metrics
        default: .none
        }
    }

    private static func plain(_ segments: [Substring]) -> Route {
        if segments[0] == "problems" { return .problem }
        guard segments[0] == "v1" else { return .none }
        return switch segments[1] {
        case "events": .events
        case "meter-types": .meterTypes
        case "meters": .meters
        case "usage": .usage
        case "unreadable": .unreadable
        case "quarantine": .quarantine
        case "reconciliation": .reconciliation
        case "status": .status
        default: .none
        }
    }

    /// The address with its names left open: bounded, fit for a metric label.
    var pattern: String {
        switch self {
        case .events: "/v1/events"
        case .event: "/v1/events/{source}/{id}"
        case .meterTypes: "/v1/meter-types"
        case .meterType: "/v1/meter-types/{key}"
        case .meters: "/v1/meters"
        case .meter: "/v1/meters/{id}"
        case .periods: "/v1/meters/{id}/periods"
        case .usage: "/v1/usage"
        case .unreadable: "/v1/unreadable"
        case .quarantine: "/v1/quarantine"
        case .reconciliation: "/v1/reconciliation"
        case .status: "/v1/status"
        case .health: "/healthz"
        case .readiness: "/readyz"
        case .metrics: "/metrics"
        case .problem: "/problems/{type}"
        case .none: "none"
        }
    }

    /// What `Allow` lists.
    var allowed: String {
        switch self {
        case .events, .meterTypes: "GET, HEAD, POST"
        case .meterType: "GET, HEAD, DELETE"
        default: "GET, HEAD"
        }
    }

    func allows(_ method: HTTPRequest.Method) -> Bool {
        switch method {
        case .get, .head: true
        case .post: self == .events || self == .meterTypes
        case .delete: self == .meterType
        default: false
        }
    }
}
