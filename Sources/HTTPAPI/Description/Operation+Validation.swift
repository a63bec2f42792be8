import HTTPTypes
import MeteringEngine
import UsageModel
import WireFormat

/// What is asked of events before they count.
extension Operation {
    private static let named = Parameter.path("key", .meterTypeKey, "The key of the rule.")
    private static let location = Header(
        name: "Location",
        schema: .text,
        what: "Where the rule is."
    )
    private static let example: JSONObject = [
        "key": "calls-sane", "eventType": "call", "action": "reject",
        "range": ["path": "$.data.seconds", "min": "0"], "message": "a call takes time",
    ]

    static let listValidationRules = Operation(
        method: .get,
        id: "listValidationRules",
        topic: .validation,
        summary: "Validation rules by key, the newest version of each, the retired ones included.",
        parameters: Parameter.paging,
        outcomes: [.ok("A page of them.", .json(.page(of: .validationRule)))],
        problems: [.notFound]
    )

    static let createValidationRule = Operation(
        method: .post,
        id: "createValidationRule",
        topic: .validation,
        summary: "Makes a validation rule.",
        details: """
            It looks at every event that is decided after it, also at those that are released from \
            the quarantine; what was accepted before stays. With `dryRun` nothing is made: the \
            answer is that of a trial. [All fields](../concepts/validation.md).
            """,
        parameters: [.contentEncoding, .idempotencyKey],
        body: Body(
            what: "The rule, with one check.",
            contents: [.json(.validationRuleDefinition, example: .object(example))]
        ),
        outcomes: [
            Outcome(
                status: 201,
                what: "It was made.",
                contents: [.json(.validationRule)],
                headers: [location]
            ),
            .ok(
                "It stands already; or, with `dryRun`, what it would say.",
                .json(.either([.validationRule, .ruleTrialAnswer]))
            ),
        ],
        problems: [.notFound, .unknownField, .alreadyExists]
    )

    static let readValidationRule = Operation(
        method: .get,
        id: "readValidationRule",
        topic: .validation,
        summary: "One validation rule, and how many events it warned of.",
        parameters: [named, .version("The newest where left out.")],
        outcomes: [.ok("The rule.", .json(.validationRule))],
        problems: [.notFound]
    )

    static let listRuleVersions = Operation(
        method: .get,
        id: "listRuleVersions",
        topic: .validation,
        summary: "All versions of a validation rule, the first one first.",
        parameters: [named],
        outcomes: [
            .ok("The versions.", .json(.answer([.required("items", .list(of: .validationRule))])))
        ],
        problems: [.notFound]
    )

    static let reviseValidationRule = Operation(
        method: .put,
        id: "reviseValidationRule",
        topic: .validation,
        summary: "Makes a new version of a validation rule: the body says all there is.",
        details: """
            `version` is that of the rule as it was read: where another change came before, \
            nothing is done, and the answer has both sides. With `dryRun` nothing is changed: the \
            answer is that of a trial.
            """,
        parameters: [named, .contentEncoding],
        body: Body(
            what: "The rule, and the version it was made from.",
            contents: [
                .json(
                    .validationRuleRevision,
                    example: [
                        "version": 1, "eventType": "call", "action": "warn",
                        "required": ["$.data.seconds"],
                    ]
                )
            ]
        ),
        outcomes: [
            .ok(
                "The newest version; or, with `dryRun`, what it would say.",
                .json(.either([.validationRule, .ruleTrialAnswer]))
            )
        ],
        problems: [.notFound, .unknownField, .retired, .ruleChanged]
    )

    static let retireValidationRule = Operation(
        method: .delete,
        id: "retireValidationRule",
        topic: .validation,
        summary: "Retires a validation rule: it looks at nothing further; its versions stay.",
        parameters: [named],
        outcomes: [.ok("The rule.", .json(.validationRule))],
        problems: [.notFound]
    )

    static let tryValidationRule = Operation(
        method: .post,
        id: "tryValidationRule",
        topic: .validation,
        summary: "Holds stored events against a rule, and changes nothing.",
        details: """
            It looks at the newest events of the rule's type, \(RuleTrial.eventsDefault) unless \
            said; bounds of time are compared with when each came.
            """,
        parameters: [.contentEncoding],
        body: Body(
            what: "The rule, as it is or is to be, and on how many events to try it.",
            contents: [
                .json(.ruleTrial, example: ["rule": .object(example), "events": 1000])
            ]
        ),
        outcomes: [.ok("How many would fail, and some of them.", .json(.ruleTrialAnswer))],
        problems: [.notFound, .unknownField],
        changesThings: false
    )

    static let listEventTypes = Operation(
        method: .get,
        id: "listEventTypes",
        topic: .validation,
        summary: "The event types that came, by name.",
        parameters: Parameter.paging,
        outcomes: [.ok("A page of them.", .json(.page(of: .eventTypeLine)))],
        problems: [.notFound]
    )

    static let readEventType = Operation(
        method: .get,
        id: "readEventType",
        topic: .validation,
        summary: "One event type, and the fields of its newest events.",
        parameters: [
            .path("type", .eventType, "The event type, percent-encoded."),
            .query(
                "events",
                .whole(in: 1...Limits.catalogueEventsMax),
                "How many of the newest are read; \(EventTypeSample.eventsDefault) unless said."
            ),
        ],
        outcomes: [.ok("The type.", .json(.eventTypePage))],
        problems: [.notFound]
    )
}

extension Schema {
    private static let path = text(pattern: #"^\$"#)
    private static let subjects = Schema.either([
        list(of: subject, atLeast: 1, atMost: Limits.ruleSubjectsMax), text,
    ])

    private static func ruleFields(_ bound: Schema, _ object: ([Field]) -> Schema) -> [Field] {
        [
            .optional("key", meterTypeKey, "The key of the rule: spelled as that of meter types."),
            .optional("eventType", eventType, "The one type that it looks at; `*`: all."),
            .optional("description", text(atMost: MeterTypeDocument.descriptionBytesMax)),
            .optional("action", words(ValidationRuleDefinition.Action.self)),
            .optional(
                "schema",
                Schema(["type": ["object", "boolean"]]),
                "A JSON Schema over `data`; see the page of its keywords."
            ),
            .optional(
                "required",
                list(of: path, atLeast: 1, atMost: Limits.rulePathsMax),
                "Places that must be there, and not be null."
            ),
            .optional(
                "range",
                object([
                    .required("path", path), .optional("min", bound), .optional("max", bound),
                ]),
                "A number between bounds, both included."
            ),
            .optional(
                "time",
                object([.optional("maxAge", text), .optional("maxAhead", text)]),
                "How far the time may be from when the event came: `30d`, `5m`."
            ),
            .optional("subjects", subjects, "The subjects, or a pattern (RE2) of them."),
            .optional("expression", text(atMost: Limits.expressionBytesMax), "It must be true."),
            .optional("message", text(atMost: Limits.ruleMessageBytesMax), "Told of who fails."),
        ]
    }

    private static let dryRun = Field.optional(
        "dryRun",
        flag,
        "Says what it would have said, and changes nothing."
    )
    private static let given = ruleFields(givenQuantity, request)

    static let validationRuleDefinition = request(
        given.requiring("key", "eventType", "action") + [dryRun]
    )
    .named("ValidationRuleDefinition", "What is asked of events; one of the six checks.")

    static let validationRuleRevision = request(
        given.requiring("eventType", "action") + [
            .required("version", whole(in: 1...Int.max), "The version that was read."), dryRun,
        ]
    )
    .named("ValidationRuleRevision", "What is asked of events from now on.")

    static let validationRule = answer(
        ruleFields(quantity, answer).requiring("key", "eventType", "action") + [
            .required("version", whole, "1, and one more with every change."),
            .required("createdAt", instant, "When this version was made."),
            .optional("retiredAt", instant),
            .optional(
                "warnings",
                answer([
                    .required("events", count, "Events that counted and failed, over all time."),
                    .required("firstSeenAt", instant), .required("lastSeenAt", instant),
                    .required("sample", position, "The last of them."),
                ])
            ),
        ]
    )
    .named("ValidationRule", "A version of a rule.")

    static let ruleTrial = request([
        .required("rule", open([]), "The rule, as it is shown or as it is to be."),
        .optional("events", whole(in: 1...Limits.ruleTrialEventsMax)),
        .optional("samples", whole(in: 0...Limits.ruleTrialSamplesMax)),
    ])
    .named("RuleTrial")

    static let ruleTrialAnswer = answer([
        .required("events", whole, "Looked at: all there are, where fewer than were asked for."),
        .required("failed", whole),
        .optional("oldest", position, "Of the events that were looked at."),
        .required(
            "samples",
            list(
                of: answer([
                    .required("source", text), .required("id", text), .required("subject", text),
                    .required("position", position), .required("pointer", text),
                    .required("detail", text),
                ])
            ),
            "Events that would fail, the newest first."
        ),
    ])
    .named("RuleTrialAnswer")

    private static let eventTypeFields: [Field] = [
        .required("type", text), .required("received", count, "Whatever became of them."),
        .required("accepted", count, "In the log."), .required("quarantined", count),
        .required("firstSeenHour", instant, "The start of the first hour in which one came."),
        .required("lastSeenHour", instant, "The start of the last hour in which one came."),
    ]

    static let eventTypeLine = answer(eventTypeFields).named("EventType")

    static let eventTypePage = answer(
        eventTypeFields + [
            .required(
                "sampled",
                answer([
                    .required("events", whole), .optional("oldest", position),
                    .optional("newest", position),
                ]),
                "The events of which the fields are told."
            ),
            .required(
                "fields",
                list(
                    of: answer([
                        .required("path", text),
                        .required("kinds", list(of: text), "Of JSON values that stand there."),
                        .optional("example", Schema([:])),
                        .required("events", whole, "In how many of the events it is."),
                        .required("share", text, "Of the events, cut after four places."),
                        .required("firstSeenAt", instant), .required("lastSeenAt", instant),
                    ])
                )
            ),
            .optional("moreFields", flag, "There while there are further fields."),
        ]
    )
    .named("EventTypePage")
}
