import HTTPTypes
import UsageModel
import WireFormat

/// Events: taken in, listed, explained.
extension Operation {
    static let order = Schema.words(["asc", "desc"])

    static let listEvents = Operation(
        method: .get,
        id: "listEvents",
        topic: .events,
        summary: "Lists stored events, in the order of their positions.",
        details:
            "With `meterType`, the events behind a reading. With `after`, a piece of the log: what "
            + "fits among the positions after that one. One call looks at "
            + "\(Limits.eventsFollowedMax) positions at most, and tells in `lookedUpTo` where the "
            + "next one goes on, whether or not anything fitted.",
        parameters: [
            .query("subject", .text, "Exactly this subject."),
            .query("source", .text, "Exactly this source."),
            .query("type", .text, "This event type, or a prefix that ends in `*`."),
            .query("meterType", .meterTypeKey, "Only events that this meter type counts."),
            .query(
                "dimension.NAME",
                .map(of: .text, names: .text(pattern: "^dimension[.].+$")),
                "With `meterType`: only events with this value of its dimension; without `=`, "
                    + "events that have none. May repeat."
            ),
        ] + Parameter.range + [
            .asOf,
            .query("status", .words(["counted", "unmatched"]), "Only events that are so."),
            .query("order", order, "Of positions; `asc` unless said."),
            .query(
                "after",
                .position,
                "Only events after this position, oldest first; without `cursor` and `order=desc`."
            ),
        ] + Parameter.paging,
        outcomes: [
            .ok(
                "A page of events.",
                .json(
                    .page(
                        of: .storedEvent,
                        [
                            .required("position", .position),
                            .optional("lookedUpTo", .position, "With `after`: goes into the next."),
                        ]
                    )
                )
            )
        ],
        problems: [.notFound, .positionUnknown]
    )

    /// What takes events in, wherever.
    static let eventsBody = Body(
        what: "One event or several. What cannot be read as an event is rejected, not refused.",
        contents: [
            Content(type: "application/json", schema: .events, example: .array([example])),
            Content(type: "application/x-ndjson", schema: .text),
            Content(type: "application/cloudevents+json", schema: .event, example: example),
            Content(
                type: "application/cloudevents-batch+json",
                schema: .list(of: .event),
                example: .array([example])
            ),
        ]
    )

    static let eventsParameters: [Parameter] = [
        .flag("verbose", "Lists accepted events too."),
        .flag("atomic", "One rejected or conflicting event refuses the whole call."),
        .header("Prefer", .text, "`return=minimal`: 204 where all is plain."),
        .contentEncoding, .idempotencyKey,
    ]

    static let eventsOutcomes: [Outcome] = [
        .ok("What became of the events.", .json(.intakeReport)),
        Outcome(
            status: 204,
            what: "All were accepted or known, and the caller prefers few words.",
            headers: [
                Header(
                    name: "Odometer-Position",
                    schema: .position,
                    what: "The position after which all of it is visible."
                ),
                Header(
                    name: "Preference-Applied",
                    schema: .text,
                    what: "`return=minimal`."
                ),
            ]
        ),
    ]

    static let recordEvents = Operation(
        method: .post,
        id: "recordEvents",
        topic: .events,
        summary: "Takes events in; each is counted exactly once, whatever is sent again.",
        details:
            "The answer comes when everything in it is on stable storage and visible. An event "
            + "that breaks a rule is rejected with its reason, and its neighbours stand. With "
            + "`ce-*` headers the call is one CloudEvent in binary mode: attributes in headers, "
            + "the body, of any content type, is `data`.",
        parameters: eventsParameters,
        body: eventsBody,
        outcomes: eventsOutcomes,
        problems: [.atomicRefused, .tooManyEvents],
        changesThings: false
    )

    static let readEvent = Operation(
        method: .get,
        id: "readEvent",
        topic: .events,
        summary: "One event, and for every meter type whether it counted, what, and why not.",
        parameters: [
            .path("source", .source, "The event's source, percent-encoded."),
            .path("id", .eventID, "The event's id, percent-encoded."),
        ],
        outcomes: [.ok("The event.", .json(.storedEvent))],
        problems: [.notFound]
    )

    static let listUnreadable = Operation(
        method: .get,
        id: "listUnreadable",
        topic: .events,
        summary: "Values that a meter type matched and could not read.",
        parameters: [.query("meterType", .meterTypeKey, "Only of this meter type."), .asOf]
            + Parameter.paging,
        outcomes: [.ok("A page of them.", .json(.page(of: .unreadable)))],
        problems: [.notFound, .positionUnknown]
    )

    private static let example: JSONValue = [
        "specversion": "1.0", "id": "req-1", "source": "gateway-eu", "type": "llm.request",
        "subject": "acme", "time": "2026-11-01T12:00:00.250Z",
        "data": ["model": "large", "tokens": ["input": 812, "output": 104]],
    ]
}

extension Schema {
    static let event = open([
        .required("id", eventID, "With `source`, the key: two events with one key are one fact."),
        .required("source", source, "Who reports."),
        .required("type", eventType, "What kind of thing happened."),
        .required("subject", subject),
        .optional(
            "specversion",
            words(["1.0"]),
            "Required where the content type says CloudEvents."
        ),
        .optional("time", instant, "When the use took place; the arrival where it is left out."),
        .optional("data", Schema([:]), "Any JSON."),
    ])
    .named("Event", "A CloudEvents 1.0 event; any other members are extension attributes.")

    static let events = either([event, list(of: event, atMost: Limits.batchEventsMax)])

    static let intakeFields: [Field] = [
        .required("received", whole), .required("accepted", whole), .required("duplicates", whole),
        .required("conflicts", whole), .required("rejected", whole),
        .required("position", position, "The position after which all of it is visible."),
        .optional(
            "warnings",
            answer([
                .required("unreadable", whole, "Values that meter types could not read."),
                .optional("see", text, "Where these are listed."),
                .optional(
                    "rules",
                    list(of: ruleWarning),
                    "Of each validation rule that warned of events that count."
                ),
            ])
        ),
        .required("items", list(of: intakeItem), "Each event that was not plainly accepted."),
    ]

    private static let ruleWarning = answer([
        .required("rule", text), .required("version", whole),
        .required("events", whole, "How many of the call's events failed it."),
        .required("index", whole, "The place of the first of them in the call, from 0."),
        .required("pointer", text), .required("detail", text, "What it found in that one."),
    ])
    .named("RuleWarning")

    private static let intakeItem = answer([
        .required("index", whole, "Its place in the call, from 0."),
        .optional("source", text), .optional("id", text),
        .required("verdict", words(["accepted", "duplicate", "conflict", "rejected"])),
        .optional("position", position, "Of the event, or of the first with its key."),
        .optional("reason", words(RejectionReason.self)),
        .optional("pointer", text), .optional("detail", text),
        .optional("line", whole, "In NDJSON, from 1."),
        .optional("offset", whole, "The byte of the body."),
        .optional("quarantineId", text),
    ])
    .named("IntakeItem")

    static let intakeReport = answer(intakeFields).named("IntakeReport")

    static let explanation = answer([
        .required("meterType", meterTypeKey), .required("version", whole),
        .required("matched", flag, "Whether the meter type counted the event."),
        .optional("meter", meterID, "Which meter counted it."),
        .optional("value", quantity, "What it added; left out where that is no number."),
        .optional("dimensions", dimensions),
        .optional("period", period, "The period of the meter that the event's time lies in."),
        .optional("because", text, "Why it was not counted."),
    ])
    .named("Explanation")

    static let storedEvent = answer([
        .required("event", event, "As it was received."),
        .required("position", position), .required("receivedAt", instant),
        .required("time", instant, "The instant the event counts at."),
        .required("status", words(["counted", "unmatched", "void"])),
        .required("explanation", list(of: explanation), "One entry per meter type."),
        .optional("repairedBy", repairedBy, "The repair rule that mended and released it."),
        .optional("corrections", list(of: eventCorrection), "What was said of it, in order."),
        .optional("backfillSet", backfillSetID, "The backfill set that it came in."),
    ])
    .named("StoredEvent")

    static let unreadable = answer([
        .required("meterType", meterTypeKey), .required("reason", text),
        .required("source", text), .required("id", text), .required("position", position),
    ])
    .named("UnreadableValue")
}
