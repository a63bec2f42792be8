import HTTPTypes
import UsageModel
import WireFormat

/// Meters, and readings of them.
extension Operation {
    private static let id = Parameter.path("id", .meterID, "The id of the meter.")

    static let listMeters = Operation(
        method: .get,
        id: "listMeters",
        topic: .meters,
        summary: "Lists meters: subjects that a type counted an event of, or that are enrolled.",
        details: "A page may hold fewer items than `limit`, or none, while `next` is there.",
        parameters: [
            .query("meterType", .list(of: .meterTypeKey), "Only of these; may repeat, or commas."),
            .query("subject", .list(of: .subject), "Only of these; may repeat."),
            .query("customer", .list(of: .customerKey), "Who owns the subject now; may repeat."),
            .query("state", .list(of: .words(MeterStanding.self)), "Only in these; may repeat."),
            .query("q", .text, "What the subject begins with."), .asOf,
        ] + Parameter.paging,
        outcomes: [.ok("A page of meters.", .json(.page(of: .listedMeter)))],
        problems: [.notFound, .positionUnknown]
    )

    static let readMeter = Operation(
        method: .get,
        id: "readMeter",
        topic: .meters,
        summary: "One meter in its period: value, dimensions, next resets.",
        parameters: [id, .at, .asOf],
        outcomes: [.ok("The meter.", .json(.meter))],
        problems: [
            .notFound, .backfillRunning, .backfillCancelled, .valueOverflow, .positionUnknown,
        ]
    )

    static let listPeriods = Operation(
        method: .get,
        id: "listPeriods",
        topic: .meters,
        summary: "The periods of a meter that ended, newest first, back to its earliest event.",
        parameters: [id, .at, .asOf] + Parameter.paging,
        outcomes: [
            .ok(
                "A page of periods.",
                .json(
                    .page(
                        of: .pastPeriod,
                        [.required("position", .position), .required("timezone", .text)]
                    )
                )
            )
        ],
        problems: [
            .notFound, .backfillRunning, .backfillCancelled, .valueOverflow, .positionUnknown,
        ]
    )

    static let readUsage = Operation(
        method: .get,
        id: "readUsage",
        topic: .readings,
        summary: "Readings: the value of meter types over a range, by window and group.",
        details:
            "Order: `from`, then `meterType`, then customer, subject and dimensions, byte-wise; a "
            + "missing value comes first. With `Accept: text/csv` the same rows as CSV.",
        parameters: [
            .query(
                "meterType",
                .list(of: .meterTypeKey, atLeast: 1),
                "May repeat, or commas.",
                isRequired: true
            ),
            .query(
                "subject",
                .list(of: .subject),
                "May repeat; over all subjects together where left out."
            ),
            .query(
                "customer",
                .list(of: .customerKey),
                "Only events whose subject one of them owned at the time; may repeat."
            ),
        ] + Parameter.range + [
            .query(
                "window",
                .text(pattern: "^(minute|hour|day|week|month|quarter|year|period|[0-9]+[smh])$"),
                "What the range is cut into; it needs `from` and `to`. One reading without it."
            ),
            .query(
                "timezone",
                .text,
                "IANA name: whose midnights the windows have. UTC unless said."
            ),
            .query(
                "groupBy",
                .list(of: .text),
                "A dimension, `subject` or `customer`; may repeat, or commas."
            ), .asOf,
            .query("fill", .words(["zero"]), "Windows without an event appear too."),
            .version("All events under that one alone, of one meter type."),
        ] + Parameter.paging,
        outcomes: [
            Outcome(
                status: 200,
                what: "The readings.",
                contents: [.json(.usage), .text("text/csv")],
                headers: [
                    Header(
                        name: "Odometer-Position",
                        schema: .position,
                        what: "With CSV: what the readings know."
                    ), Header(name: "Link", schema: .text, what: "With CSV: the next page."),
                ]
            )
        ],
        problems: [
            .notFound, .backfillRunning, .backfillCancelled, .valueOverflow, .positionUnknown,
        ]
    )
}

extension Operation {
    static let explainDifference = Operation(
        method: .get,
        id: "explainDifference",
        topic: .readings,
        summary: "Why a reading is another one than it was: step by step, to the last digit.",
        details: """
            Between two states of knowledge lie events that came, corrections, and versions of the \
            definition. Each step says what the reading was before and after; the amounts add up \
            to the difference, for every aggregation. At most \(Limits.differenceStepsMax) \
            corrections and versions may lie in between.
            """,
        parameters: [
            .query("meterType", .meterTypeKey, "Of this one.", isRequired: true),
            .query("subject", .subject, "Over all subjects together where left out."),
            .query(
                "customer",
                .list(of: .customerKey),
                "Only events whose subject one of them owned at the time; may repeat."
            ),
        ] + Parameter.range + [
            .query("asOf", .knowledge, "The earlier state of knowledge.", isRequired: true),
            .query("until", .knowledge, "The later one; now where left out."),
            .version("All events under that one alone."),
        ],
        outcomes: [.ok("The steps.", .json(.usageDifference))],
        problems: [
            .notFound, .backfillRunning, .backfillCancelled, .valueOverflow, .positionUnknown,
            .limitExceeded,
        ]
    )
}

extension Schema {
    private static let knownUsage = answer([
        .required("position", position), .required("value", quantity.orNull),
        .required("events", count),
    ])
    .named("KnownUsage")

    private static let differenceStep = answer([
        .required("cause", words(["events", "correction", "version"])),
        .optional("correction", correctionID), .optional("kind", words(CorrectionKind.self)),
        .optional("author", text), .optional("reason", text), .optional("at", instant),
        .optional("version", whole, "Of the definition, in force since."),
        .required("after", position, "What was known before the step."),
        .required("upTo", position, "And with it."),
        .required("amount", quantity.orNull, "null where it does not fit a quantity."),
        .required("value", quantity.orNull, "The reading after the step."),
        .required("events", text, "How many more events the reading has; may be negative."),
    ])
    .named("DifferenceStep")

    static let usageDifference = answer([
        .required("meterType", meterTypeKey), .required("before", knownUsage),
        .required("after", knownUsage), .required("amount", quantity.orNull),
        .required("steps", list(of: differenceStep)),
    ])
    .named("UsageDifference")

    static let period = answer([
        .optional("start", instant, "Left out where no reset came before."),
        .optional("end", instant, "Left out where none comes any more."),
        .required("timezone", text),
    ])
    .named("Period")

    static let listedMeterFields: [Field] = [
        .required("id", meterID), .required("meterType", meterTypeKey),
        .required("subject", subject),
        .optional("customer", customerKey, "Who owns the subject."),
        .required("state", words(MeterStanding.self)), .required("unit", text),
    ]

    static let listedMeter = answer(
        listedMeterFields + datedFields + [
            .optional("period", period, "Left out where this machine lacks the zone that cuts it.")
        ]
    )
    .named("ListedMeter")

    static let meter = answer(
        listedMeterFields + enrolmentFields + [
            .required("period", period),
            .required("value", quantity.orNull, "Over the whole period."),
            .required("events", count, "In the period."),
            .optional("firstEventAt", instant, "The time of its earliest event of all time."),
            .optional("lastEventAt", instant, "The time of its latest event of all time."),
            .optional("dimensions", list(of: dimensionRow), "The value by dimensions."),
            .optional("moreDimensions", flag, "There when the rest is left out."),
            .optional("capacity", quantity, "What it holds in one period."),
            .required("nextResets", list(of: instant, atMost: 3)),
            .required("position", position, "What is known."),
        ]
    )
    .named("Meter")

    private static let dimensionRow = Schema(
        [
            "type": "object",
            "properties": [
                "value": .object(quantity.orNull.reference), "events": .object(count.reference),
            ], "required": ["value", "events"],
            "additionalProperties": ["type": ["string", "null"]],
        ],
        parts: [quantity, count]
    )
    .named("DimensionRow", "Dimensions by name beside `value` and `events`.")

    static let pastPeriod = answer([
        .optional("start", instant), .required("end", instant),
        .required("value", quantity.orNull), .required("events", count),
    ])
    .named("PastPeriod")

    static let reading = answer([
        .required("meterType", meterTypeKey),
        .optional("customer", text, "Where the question names customers, or groups by them."),
        .optional("subject", text, "Where the question names subjects, or groups by them."),
        .required("from", instant), .required("to", instant), .optional("dimensions", dimensions),
        .required("value", quantity.orNull), .required("events", count),
    ])
    .named("Reading")

    static let usage = answer([
        .required("position", position, "What the readings know: everything up to here."),
        .required("readings", list(of: reading)),
        .optional("next", text, "Goes into `cursor`; there while more follows."),
    ])
    .named("Usage")
}
