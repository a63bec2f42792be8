import HTTPTypes
import UsageModel
import WireFormat

/// Meter types: what is counted.
extension Operation {
    static let key = Parameter.path("key", .meterTypeKey, "The key of the meter type.")

    static let listMeterTypes = Operation(
        method: .get,
        id: "listMeterTypes",
        topic: .meterTypes,
        summary: "Lists all meter types in the order of their keys, the retired ones included.",
        parameters: Parameter.paging,
        outcomes: [.ok("A page of meter types.", .json(.page(of: .meterType)))]
    )

    static let createMeterType = Operation(
        method: .post,
        id: "createMeterType",
        topic: .meterTypes,
        summary: "Makes a meter type; events that are stored already are counted for it too.",
        details: "Making the same meter type again succeeds with 200. Another definition under a "
            + "known key is refused: `PATCH` makes another version of it.",
        parameters: [.contentEncoding, .idempotencyKey],
        body: Body(
            what: "The definition, of at most \(FrontDesk.definitionBytesMax) bytes.",
            contents: [.json(.meterTypeDefinition, example: example)]
        ),
        outcomes: [
            Outcome(
                status: 201,
                what: "It was made.",
                contents: [.json(.meterType)],
                headers: [location]
            ).tagged,
            Outcome(
                status: 200,
                what: "It stands already.",
                contents: [.json(.meterType)],
                headers: [location]
            ).tagged,
        ],
        problems: [.unknownField, .alreadyExists, .retired]
    )

    static let readMeterType = Operation(
        method: .get,
        id: "readMeterType",
        topic: .meterTypes,
        summary: "One meter type, with the progress of its backfill.",
        parameters: [key, .version("The newest where left out.")],
        outcomes: [.ok("The meter type.", .json(.meterType)).tagged],
        problems: [.notFound]
    )

    static let retireMeterType = Operation(
        method: .delete,
        id: "retireMeterType",
        topic: .meterTypes,
        summary:
            "Retires a meter type: it counts no further events, what it counted stays readable.",
        parameters: [key],
        outcomes: [.ok("The meter type, and what uses it.", .json(.retiredMeterType))],
        problems: [.notFound, .storageFull]
    )

    private static let location = Header(
        name: "Location",
        schema: .text,
        what: "The path of the meter type."
    )

    private static let example: JSONValue = [
        "key": "tokens-in", "name": "Input tokens", "unit": "token",
        "eventTypes": ["llm.request"], "aggregation": "sum",
        "filter": "$.data.status != \"error\"", "value": "$.data.tokens.input",
        "dimensions": ["model": "$.data.model"], "timezone": "Europe/Berlin",
        "resetSchedule": "monthly", "capacity": "1000000",
    ]
}

extension Schema {
    private typealias Document = MeterTypeDocument

    static let resetSchedule = either([
        words(ResetSchedule.words.map(\.word)),
        request([
            .required("every", words(ResetSchedule.Unit.self)),
            .optional("interval", whole(in: 1...Limits.resetIntervalMax), "1 where left out."),
            .optional("anchor", instant, "An instant from which periods are counted."),
        ]),
        request([.required("cron", text(atMost: Limits.cronBytesMax), "Five fields, or `L`.")]),
    ])
    .named("ResetSchedule", "What cuts a meter's time into periods.")

    private static let rounding = request([
        .required("mode", words(Rounding.Mode.self)),
        .required("places", whole(in: Rounding.placesRange)),
    ])
    .named("Rounding")

    private static let threshold = request([
        .optional("name", text(atLeast: 1, atMost: Limits.thresholdNameBytesMax)),
        .optional("percent", givenQuantity, "Of the capacity; more than 0."),
        .optional("amount", givenQuantity),
    ])
    .named("Threshold", "A reading of the running period that somebody wants to know of.")

    private static let carriedField = request([
        .required("name", text(atLeast: 1, atMost: Limits.carriedFieldNameBytesMax)),
        .required("of", words(CarriedField.Edge.self), "Of which event, by its time."),
        .required("value", text, "A path."),
    ])
    .named("CarriedField", "What records carry of the first or last event of the period.")

    static let length = text(pattern: "^[0-9]{1,6}[smhd]$")

    static let metadata = map(
        of: text(atMost: Document.metadataValueBytesMax),
        names: text(atLeast: 1, atMost: Document.metadataNameBytesMax),
        atMost: Document.metadataMembersMax
    )
    .named("Metadata", "Free text of the caller's, by name.")

    static let definitionFields: [Field] = [
        .required("key", meterTypeKey, "The name it is known by, for ever."),
        .optional("name", text(atMost: Document.nameBytesMax), "For people; the key if left out."),
        .optional("description", text(atMost: Document.descriptionBytesMax)),
        .optional("unit", text(atMost: Document.unitBytesMax), "What one of it is called."),
        .required(
            "eventTypes",
            list(of: eventType, atLeast: 1, atMost: Document.eventTypesMax),
            "Event types, or prefixes that end in `*`."
        ),
        .required("aggregation", words(Aggregation.self)),
        .optional("filter", text, "An expression that must hold."),
        .optional(
            "value",
            either([text, list(of: text, atLeast: 2, atMost: 2)]),
            "A path or an expression, of `unique-pairs` two; required unless events are counted."
        ),
        .optional("percentile", givenQuantity, "Of `percentile`, and required there: 0 to 100."),
        .optional(
            "method",
            words(Percentile.Method.self),
            "Of `percentile`; `nearest-rank` where left out."
        ),
        .optional("timeUnit", words(TimeUnit.self), "Of `time-weighted`, and required there."),
        .optional(
            "carryMax",
            length,
            "Of `time-weighted`: for how long a value holds; until the next one where left out."
        ),
        .optional(
            "dimensions",
            map(
                of: text,
                names: text(
                    atMost: Document.dimensionNameBytesMax,
                    pattern: "^[A-Za-z0-9._-]+$"
                ),
                atMost: Limits.dimensionsMax
            ),
            "Paths or expressions by the names of dimensions."
        ),
        .optional("rounding", rounding, "Of readings; none where left out."),
        .optional(
            "excessDigits",
            words(Quantity.ExcessDigits.self),
            "What to do past the 18th place."
        ),
        .optional("enrolment", words(EnrolmentRule.self), "`auto` where left out."),
        .optional(
            "timezone",
            text(atMost: Document.timezoneBytesMax),
            "An IANA name, or `customer`; UTC where left out."
        ),
        .optional("resetSchedule", resetSchedule, "`never` where left out."),
        .optional("capacity", givenQuantity, "What a meter holds in one period; 0 or more."),
        .optional("gracePeriod", length, "How long after its end a period closes; `1h`."),
        .optional("zeroUsageRecords", flag, "Of periods without an event; `true`."),
        .optional(
            "latePolicy",
            words(RecordRules.LatePolicy.self),
            "What becomes of usage that comes after the close; `adjust`."
        ),
        .optional(
            "lateAdjustments",
            words(RecordRules.LateAdjustments.self),
            "When adjustments are told; `immediate`."
        ),
        .optional("lateUntil", length, "How long after the close events count; for ever."),
        .optional("thresholds", list(of: threshold, atMost: Limits.thresholdsMax)),
        .optional("recordEvidence", flag, "Whether records tell of the events behind them."),
        .optional("recordFields", list(of: carriedField, atMost: Limits.carriedFieldsMax)),
        .optional("category", text(atMost: Document.categoryBytesMax)),
        .optional("externalRef", text(atMost: Document.externalRefBytesMax)),
        .optional("activeFrom", instant, "Only events from this time on are counted."),
        .optional("activeTo", instant, "Only events before this time are counted."),
        .optional("metadata", metadata),
    ]

    static let meterTypeDefinition = request(definitionFields)
        .named("MeterTypeDefinition", "What is to be counted.")

    static let meterType = answer(meterTypeFields)
        .named("MeterType", "The definition as it was given, and what the server says of it.")

    static let retiredMeterType = answer(meterTypeFields + [.required("usedBy", users)])
        .named("RetiredMeterType")

    static let progressFields: [Field] = [
        .required("state", words(["waiting", "running", "done", "cancelled"])),
        .required("eventsDone", count), .required("eventsTotal", count),
    ]

    static let meterTypeFields: [Field] =
        definitionFields.requiring(
            "key",
            "name",
            "eventTypes",
            "aggregation",
            "excessDigits",
            "timezone",
            "resetSchedule"
        ) + [
            .required("version", whole), .required("createdAt", instant),
            .optional("retiredAt", instant),
            .optional("effectiveFrom", instant, "Since ever where left out."),
            .required(
                "backfill",
                answer(progressFields),
                "How far the events before its creation are counted."
            ),
            .optional(
                "period",
                period,
                "The one that runs now. Left out by `versions`, and where each customer's zone "
                    + "cuts another one."
            ), .optional("nextResets", list(of: instant, atMost: 3), "With `period`."),
        ]
}
