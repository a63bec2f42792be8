import UsageModel
import WireFormat

/// `/console/meters/new`: a subject is enrolled for a meter type. What that does is shown before it
/// is done.
enum MeterEnrolPage {
    static func show(_ visit: Visit) async throws -> Reply {
        .page(try await page(visit, plan: nil))
    }

    static func enrol(_ visit: Visit) async throws -> Reply {
        let key = visit.form?.text("meterType") ?? ""
        let subject = visit.form?.text("subject") ?? ""
        guard !key.isEmpty, !subject.isEmpty else {
            let name = key.isEmpty ? "meterType" : "subject"
            throw Problem.field(name, "it is missing", remedy: "say whose use of what is counted")
        }
        let standing = try await visit.api.read(
            Address.path("/v1/meters", key + "~" + subject)
        )
        let type = try await visit.api.get(Address.path("/v1/meter-types", key))
        let clock = try await clock(of: type, standing, subject, visit)
        var body: JSONObject = ["meterType": .string(key), "subject": .string(subject)]
        for name in ["start", "end"] {
            let typed = visit.form?.text(name)
            body[name] = typed.map { .string(clock.instant(typed: $0)) }
        }
        for name in ["category", "externalRef"] {
            body[name] = visit.form?.text(name).map { .string($0) }
        }
        let planned = Planned(visit)
        guard planned.confirms(body) else {
            let plan = try plan(.object(body), of: type, standing, clock)
            return .page(try await page(visit, plan: plan.with(planned.values(body))))
        }
        let meter = try await visit.api.post("/v1/meters", .object(body))
        let path = Address.path(Console.root + "/meters", meter.text("id") ?? "")
        return .redirect(path, saying: "\(subject) is enrolled for \(type.text("name") ?? key).")
    }

    /// The clocks that cut the meter's periods: the type's, or those of who owns the subject now.
    /// There is no meter to ask yet.
    private static func clock(
        of type: JSONValue,
        _ standing: JSONValue?,
        _ subject: String,
        _ visit: Visit
    ) async throws -> ZoneClock {
        if let zone = standing?.text("period", "timezone") { return ZoneClock(zone, visit) }
        let zone = type.text("timezone") ?? "UTC"
        guard zone == "customer" else { return ZoneClock(zone, visit) }
        // In the order of the subjects: none that begins so comes before the subject itself.
        let found = try await visit.api.get("/v1/subjects", ["q": subject, "limit": "1"])
        guard let first = found["items"]?.arrayValue?.first, first.text("subject") == subject,
            let key = first.text("customer")
        else { return ZoneClock("UTC", visit) }
        let customer = try await visit.api.read(Address.path("/v1/customers", key))
        return ZoneClock(customer?.text("timezone") ?? "UTC", visit)
    }

    private static func page(_ visit: Visit, plan: Values?) async throws -> Page {
        let types = try await MeterTypesPage.standing(visit.api)
        let chosen = visit.typed("meterType")
        return Page(
            "meter-enrol",
            title: "Enrol a meter",
            [
                "types": types.map { type -> Values in
                    let key = type.text("key") ?? ""
                    let isExplicit = type.text("enrolment") == "explicit"
                    return [
                        "value": key,
                        "label": (type.text("name") ?? key)
                            + (isExplicit ? "" : " (opens by itself, too)"),
                        "selected": key == chosen,
                    ]
                },
                "hasTypes": !types.isEmpty,
                "subjectText": visit.typed("subject"),
                "startText": visit.typed("start"), "endText": visit.typed("end"),
                "categoryText": visit.typed("category"),
                "referenceText": visit.typed("externalRef"),
                "plan": plan,
                "call": Curl(visit).send(
                    "POST",
                    "/v1/meters",
                    [
                        "meterType": .string(chosen ?? types.first?.text("key") ?? "prints"),
                        "subject": .string(visit.typed("subject") ?? "printer-7"),
                    ]
                ),
            ]
        )
    }

    /// What would be, said before it is.
    private static func plan(
        _ body: JSONValue,
        of type: JSONValue,
        _ standing: JSONValue?,
        _ clock: ZoneClock
    ) throws -> Values {
        for name in ["start", "end"] {
            guard let text = body.text(name), Instant(rfc3339: text) == nil else { continue }
            throw Problem.field(
                name,
                "it is not a time",
                remedy: "give a day, or 2026-11-01 12:00"
            )
        }
        let isEnrolled = standing?["enrolledAt"] != nil
        return [
            "subject": body.text("subject"), "type": type.text("name") ?? type.text("key"),
            "start": body.text("start").map(clock.words(for:)),
            "end": body.text("end").map(clock.words(for:)),
            "isExplicit": type.text("enrolment") == "explicit",
            "isEnrolled": isEnrolled,
            "events": standing?.text("events").map { Spelled.some($0, "event") },
        ]
    }
}
