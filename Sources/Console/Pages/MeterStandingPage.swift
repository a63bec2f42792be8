import UsageModel
import WireFormat

/// `/console/meters/{id}/standing`: what was said of a meter, and saying more: it is suspended,
/// resumed or closed from a time on. What that does is shown before it is done.
enum MeterStandingPage {
    private enum Word: String, CaseIterable {
        case suspend, resume, close

        var label: String {
            switch self {
            case .suspend: "Suspend"
            case .resume: "Resume"
            case .close: "Close"
            }
        }

        /// What the meter is from then on.
        var done: String {
            switch self {
            case .suspend: "suspended"
            case .resume: "active again"
            case .close: "closed"
            }
        }

        var hint: String {
            switch self {
            case .suspend: "What it uses in that time does not count."
            case .resume: "What it uses from then on counts again."
            case .close: "What it uses from then on does not count. It can be resumed."
            }
        }
    }

    static func show(_ visit: Visit) async throws -> Reply {
        .page(try await page(visit, plan: nil))
    }

    static func change(_ visit: Visit) async throws -> Reply {
        let word = word(visit)
        let meter = try await visit.api.get(Address.path("/v1/meters", visit["id"]))
        let clock = clock(of: meter, visit)
        let planned = Planned(visit)
        // Now is when the plan was shown.
        let typed = visit.form?.text("from").map(clock.instant(typed:))
        let isNow = typed == nil
        let from = typed ?? planned.now ?? visit.now.rfc3339
        let to = visit.form?.text("to").map(clock.instant(typed:))
        guard to == nil || word == .suspend else {
            throw Problem.field(
                "to",
                "only a suspension has an end",
                remedy: "leave it out; what is said later is in force from then on"
            )
        }
        var shown: JSONObject = ["word": .string(word.rawValue)]
        shown[isNow ? "now" : "from"] = .string(from)
        shown["to"] = to.map { .string($0) }
        guard planned.confirms(shown) else {
            let plan = try await plan(word, of: meter, from, to, clock, visit)
            return .page(try await page(visit, plan: plan.with(planned.values(shown))))
        }
        var body: JSONObject = ["from": .string(from)]
        body["to"] = shown["to"]
        body["reason"] = visit.form?.text("reason").map { .string($0) }
        let path = Address.path("/v1/meters", visit["id"]) + "/" + word.rawValue
        _ = try await visit.api.post(path, .object(body))
        let until = to.map { "until " + clock.words(for: $0) } ?? "on"
        return .redirect(
            visit.path,
            saying: "It is \(word.done) from \(clock.words(for: from)) \(until)."
        )
    }

    private static func word(_ visit: Visit) -> Word {
        let said = visit.form?.text("word") ?? visit.query.text("word")
        return said.flatMap(Word.init) ?? .suspend
    }

    private static func clock(of meter: JSONValue, _ visit: Visit) -> ZoneClock {
        ZoneClock(meter.text("period", "timezone") ?? "UTC", visit)
    }

    private static func page(_ visit: Visit, plan: Values?) async throws -> Page {
        let id = visit["id"]
        let meter = try await visit.api.get(Address.path("/v1/meters", id))
        let clock = clock(of: meter, visit)
        let word = word(visit)
        let state = meter.text("state") ?? ""
        let subject = meter.text("subject") ?? ""
        return Page(
            "meter-standing",
            title: "\(subject) · state and dates",
            [
                "subject": subject, "type": meter.text("meterType"),
                "meterHref": Address.path(Console.root + "/meters", id),
                "state": state, "tag": MeterRows.tag(state), "zone": clock.zone,
                "start": meter.time("start", zone: clock.zone),
                "end": meter.time("end", zone: clock.zone),
                "enrolledAt": meter.time("enrolledAt"),
                "history": (meter["states"]?.arrayValue ?? []).reversed().map { said -> Values in
                    [
                        "word": said.text("state"), "tag": MeterRows.tag(said.text("state") ?? ""),
                        "from": said.time("from", zone: clock.zone),
                        "to": said.time("to", zone: clock.zone),
                        "why": said.text("reason"), "saidAt": said.time("saidAt"),
                        "position": said.count("position"),
                    ]
                },
                "auditHref": Address.link(Console.root + "/audit", ["kind": "meter", "key": id]),
                "words": Word.allCases.map { one -> Values in
                    [
                        "label": one.label, "word": one.rawValue, "hint": one.hint,
                        "checked": one == word,
                    ]
                },
                "label": word.label,
                "fromText": visit.typed("from"), "toText": visit.typed("to"),
                "plan": plan,
                "isDanger": word != .resume,
                "call": Curl(visit).send(
                    "POST",
                    Address.path("/v1/meters", id) + "/" + word.rawValue,
                    ["from": .string(visit.now.rfc3339), "reason": "why"]
                ),
            ]
        )
    }

    /// What would be, said before it is.
    private static func plan(
        _ word: Word,
        of meter: JSONValue,
        _ from: String,
        _ to: String?,
        _ clock: ZoneClock,
        _ visit: Visit
    ) async throws -> Values {
        guard let first = Instant(rfc3339: from) else { throw unreadable("from") }
        if let to {
            guard Instant(rfc3339: to) != nil else { throw unreadable("to") }
        }
        // What it counts of that time now is what stops, or goes on, to count.
        let found = try await visit.api.find(
            "/v1/usage",
            [
                "meterType": meter.text("meterType"), "subject": meter.text("subject"),
                "from": from, "to": to,
            ]
        )
        if let problem = found.problem { throw problem }
        let reading = found.json["readings"]?.arrayValue?.first
        let events = reading?.text("events") ?? "0"
        let period = meter.text("period", "start").flatMap { Instant(rfc3339: $0) }
        let reachesBack = period.map { first < $0 } ?? false
        return [
            "from": clock.words(for: from), "to": to.map(clock.words(for:)),
            "done": word.done,
            "events": Spelled.some(events, "event"), "hasEvents": events != "0",
            "value": reading?.quantity("value"), "unit": meter.text("unit"),
            "isResumed": word == .resume,
            "reachesBack": reachesBack,
        ]
    }

    private static func unreadable(_ name: String) -> Problem {
        .field(name, "it is not a time", remedy: "give a day, or 2026-11-01 12:00")
    }
}
