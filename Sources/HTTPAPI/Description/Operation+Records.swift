import HTTPTypes
import UsageModel
import WireFormat

/// Usage records.
extension Operation {
    static let listRecords = Operation(
        method: .get,
        id: "listUsageRecords",
        topic: .records,
        summary: "Lists usage records in the order in which they were made.",
        details: "Their sequence has no gaps: who reads on from the last one misses none. With "
            + "`Accept: text/csv` the same as CSV.",
        parameters: [
            .query("meterType", .list(of: .meterTypeKey), "Only of these; may repeat, or commas."),
            .query("subject", .list(of: .subject), "Only of these; may repeat."),
            .query("customer", .list(of: .customerKey), "Who owned the subject; may repeat."),
            .query("kind", .list(of: .words(UsageRecord.Kind.self)), "Only these; may repeat."),
            .query("from", .instant, "Only of periods that end after this."),
            .query("to", .instant, "Only of periods that start before this."),
            .query("after", .count, "Only of later sequences."), .asOf,
            .query("order", order, "Of sequences; `asc` unless said."),
        ] + Parameter.paging,
        outcomes: [
            .ok("A page of records.", .json(.page(of: .usageRecord)), .text("text/csv"))
        ],
        problems: [.notFound]
    )

    static let makeRecords = Operation(
        method: .post,
        id: "makeUsageRecords",
        topic: .records,
        summary: "Closes running periods at once, or tells where they stand.",
        details: """
            `final` closes all that began, grace or not, and the next period begins now: for who \
            leaves. `interim` bills nothing. Of a customer, the meters of all subjects that it \
            owns now, at most \(Limits.closedTogetherMax). A meter whose period began just now \
            makes none.
            """,
        parameters: [.contentEncoding, .idempotencyKey],
        body: Body(
            what: "Whose, and which kind.",
            contents: [
                .json(.recordRequest, example: ["meter": "kwh~house-7", "kind": "interim"])
            ]
        ),
        outcomes: [
            Outcome(
                status: 201,
                what: "The records that were made.",
                contents: [.json(.answer([.required("items", .list(of: .usageRecord))]))]
            ),
            .ok(
                "There was nothing to make.",
                .json(.answer([.required("items", .list(of: .usageRecord))]))
            ),
        ],
        problems: [.notFound, .unknownField, .backfillRunning]
    )

    static let listRecordEvents = Operation(
        method: .get,
        id: "listUsageRecordEvents",
        topic: .records,
        summary: "Lists the events behind a record, as known when it was made.",
        parameters: [.path("id", .usageRecordID, "The id of the record.")] + Parameter.paging,
        outcomes: [
            .ok(
                "A page of events.",
                .json(.page(of: .storedEvent, [.required("position", .position)]))
            )
        ],
        problems: [.notFound, .positionUnknown, .backfillRunning]
    )

    static let readRecord = Operation(
        method: .get,
        id: "readUsageRecord",
        topic: .records,
        summary: "One usage record.",
        parameters: [.path("id", .usageRecordID, "The id of the record.")],
        outcomes: [.ok("The record.", .json(.usageRecord))],
        problems: [.notFound]
    )

    static let readRecordSchema = Operation(
        method: .get,
        id: "readUsageRecordSchema",
        topic: .records,
        summary: "What a usage record looks like, as JSON Schema 2020-12.",
        details: "It refers to nothing outside it. Records may get further members.",
        outcomes: [
            .ok(
                "The schema.",
                Content(type: "application/schema+json", schema: Schema(["type": "object"]))
            )
        ],
        asksLedger: false
    )
}

extension Schema {
    static let usageRecordID = text(pattern: "^ur_[0-9a-f]{32}$")
        .named("UsageRecordId", "Made of the meter, the period and the revision.")

    static let recordRequest = request([
        .optional("meter", meterID), .optional("customer", customerKey),
        .required("kind", words(["final", "interim"])),
    ])
    .named("RecordRequest", "Which records are made now; of a meter or of a customer.")

    private static let recordPeriod = answer([
        .required("start", instant), .required("end", instant),
        .required("localStart", text, "As the zone's clocks showed it, with their offset."),
        .required("localEnd", text), .required("timezone", text),
    ])
    .named("RecordPeriod")

    private static let recordPart = answer([
        .required("dimensions", dimensions), .required("value", quantity.orNull),
        .required("events", count),
    ])
    .named("RecordPart")

    private static let latePart = answer([
        .required("id", usageRecordID), .required("start", instant), .required("end", instant),
        .required("delta", quantity), .required("events", signedCount),
    ])
    .named("LatePart", "What an earlier period was short of.")

    private static let crossing = answer([
        .required("name", text), .optional("percent", quantity, "Of the capacity."),
        .required("amount", quantity, "What the reading reached."),
    ])
    .named("Crossing", "A threshold.")

    private static let signedCount = text(pattern: "^-?[0-9]+$")

    static let usageRecord = answer([
        .required("sequence", count, "Dense from 1 over all records."),
        .required("id", usageRecordID, "Serves as idempotency key."),
        .required("kind", words(UsageRecord.Kind.self)),
        .required("cause", words(UsageRecord.Cause.self)), .required("meter", meterID),
        .required("meterType", meterTypeKey), .required("version", whole),
        .required("subject", subject),
        .optional("customer", customerKey, "Who owned the subject at the period's end."),
        .required("period", recordPeriod),
        .required("revision", whole, "0 for the final record, then 1, 2, … for adjustments."),
        .optional("previous", usageRecordID, "The record that this one adjusts."),
        .required("value", quantity.orNull, "The reading of the period."),
        .optional("exact", quantity, "The same before it was rounded."),
        .required("delta", quantity, "What it differs by from the record before."),
        .required("amount", quantity.orNull, "What it adds to all that was told before."),
        .required("events", count), .required("eventsDelta", signedCount),
        .optional("dimensions", list(of: recordPart), "The value by dimensions."),
        .optional("moreDimensions", flag, "There when the rest is left out."),
        .optional("late", list(of: latePart), "What is told here of earlier periods."),
        .optional("toldIn", usageRecordID, "The record that tells of this adjustment."),
        .optional("threshold", crossing, "What an interim record is about."),
        .optional("firstEventAt", instant), .optional("lastEventAt", instant),
        .optional(
            "keysHash",
            text(pattern: "^[0-9a-f]{32}$"),
            "The sum of the hashes of the events' keys."
        ),
        .optional("fields", metadata, "Of the first and last event, as the type says."),
        .optional("name", text), .optional("unit", text), .optional("category", text),
        .optional("externalRef", text), .optional("metadata", metadata),
        .optional("meterCategory", text, "Of the enrolment."),
        .optional("meterExternalRef", text), .optional("meterMetadata", metadata),
        .optional("customerName", text), .optional("customerExternalRef", text),
        .optional("capacity", quantity),
        .optional("capacityUsed", quantity, "In percent."),
        .required("position", position, "All that it knows."),
        .required("createdAt", instant),
    ])
    .named("UsageRecord", "What one meter used in one of its periods, told once.")
}
