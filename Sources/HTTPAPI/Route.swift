/// The addresses of this API. What goes at each is described in `Route+Operations.swift`.
enum Route: String, CaseIterable {
    case events = "/v1/events"
    case event = "/v1/events/{source}/{id}"
    case meterTypes = "/v1/meter-types"
    case meterType = "/v1/meter-types/{key}"
    case meters = "/v1/meters"
    case meter = "/v1/meters/{id}"
    case periods = "/v1/meters/{id}/periods"
    case usage = "/v1/usage"
    case difference = "/v1/usage/diff"
    case unreadable = "/v1/unreadable"
    case quarantine = "/v1/quarantine"
    case reconciliation = "/v1/reconciliation"
    case quarantineGroups = "/v1/quarantine/groups"
    case quarantineItem = "/v1/quarantine/{id}"
    case quarantineRelease = "/v1/quarantine/{id}/release"
    case quarantineDiscard = "/v1/quarantine/{id}/discard"
    case quarantineReopening = "/v1/quarantine/{id}/reopen"
    case quarantineActions = "/v1/quarantine/actions"
    case quarantineAction = "/v1/quarantine/actions/{id}"
    case quarantineCancelling = "/v1/quarantine/actions/{id}/cancel"
    case versions = "/v1/meter-types/{key}/versions"
    case backfill = "/v1/meter-types/{key}/backfill"
    case backfills = "/v1/backfills"
    case preview = "/v1/meter-types/preview"
    case suspension = "/v1/meters/{id}/suspend"
    case resumption = "/v1/meters/{id}/resume"
    case closure = "/v1/meters/{id}/close"
    case customers = "/v1/customers"
    case customer = "/v1/customers/{key}"
    case statement = "/v1/customers/{key}/statement"
    case subjects = "/v1/subjects"
    case records = "/v1/usage-records"
    case record = "/v1/usage-records/{id}"
    case recordEvents = "/v1/usage-records/{id}/events"
    case recordSchema = "/v1/usage-records/schema"
    case destinations = "/v1/destinations"
    case destination = "/v1/destinations/{key}"
    case destinationPause = "/v1/destinations/{key}/pause"
    case destinationResumption = "/v1/destinations/{key}/resume"
    case destinationTest = "/v1/destinations/{key}/test"
    case destinationBooks = "/v1/destinations/{key}/reconciliation"
    case deliveries = "/v1/deliveries"
    case delivery = "/v1/deliveries/{destination}/{number}"
    case resending = "/v1/deliveries/resend"
    case corrections = "/v1/corrections"
    case correction = "/v1/corrections/{id}"
    case correctedEvents = "/v1/corrections/{id}/events"
    case backfillSets = "/v1/backfill-sets"
    case backfillSet = "/v1/backfill-sets/{id}"
    case backfillSetEvents = "/v1/backfill-sets/{id}/events"
    case backfillSetClose = "/v1/backfill-sets/{id}/close"
    case backfillSetRevert = "/v1/backfill-sets/{id}/revert"
    case validationRules = "/v1/validation-rules"
    case validationRule = "/v1/validation-rules/{key}"
    case ruleVersions = "/v1/validation-rules/{key}/versions"
    case ruleTrial = "/v1/validation-rules/try"
    case eventTypes = "/v1/event-types"
    case eventType = "/v1/event-types/{type}"
    case repairRules = "/v1/repair-rules"
    case repairRule = "/v1/repair-rules/{key}"
    case manifests = "/v1/manifests"
    case manifest = "/v1/manifests/{id}"
    case audit = "/v1/audit"
    case status = "/v1/status"
    case health = "/healthz"
    case readiness = "/readyz"
    case metrics = "/metrics"
    case problem = "/problems/{type}"
    case description = "/openapi.json"
    /// No address of ours.
    case none

    /// What no meter type is called, for it stands in the place of a key.
    static let previewSegment = "preview"

    /// What no validation rule is called.
    static let trialSegment = "try"

    /// The address with its names left open: bounded, fit for a metric label.
    var pattern: String { rawValue }

    /// Finds the route of a path that was split at its slashes; a slash within a name is `%2F`.
    init(_ segments: [Substring]) {
        let shapes = segments.count < Self.shapes.count ? Self.shapes[segments.count] : []
        self = shapes.first { $0.fits(segments) }?.route ?? .none
    }

    /// A pattern, taken apart; a name that is left open is nil.
    private struct Shape {
        var route: Route
        var steps: [Substring?]

        func fits(_ segments: [Substring]) -> Bool {
            for (step, segment) in zip(steps, segments) {
                if let step, step != segment { return false }
            }
            return true
        }
    }

    /// By the number of their segments; what leaves fewer names open is tried first.
    private static let shapes: [[Shape]] = {
        let shapes = allCases.filter { $0 != .none }.map { route in
            let steps = route.pattern.dropFirst().split(separator: "/")
            return Shape(route: route, steps: steps.map { $0.hasPrefix("{") ? nil : $0 })
        }
        let longest = shapes.map(\.steps.count).max() ?? 0
        return (0...longest).map { count in
            shapes.filter { $0.steps.count == count }
                .sorted { $0.steps.count { $0 == nil } < $1.steps.count { $0 == nil } }
        }
    }()
}
