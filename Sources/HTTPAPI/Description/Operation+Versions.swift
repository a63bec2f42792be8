import HTTPTypes
import MeteringEngine
import UsageModel
import WireFormat

/// Versions of a meter type, their backfills, and what a draft would say.
extension Operation {
    static let reviseMeterType = Operation(
        method: .patch,
        id: "reviseMeterType",
        topic: .meterTypes,
        summary:
            "Changes a meter type from a time on: a new version; the newest where nothing changes.",
        details: "The fields that are sent replace those of the newest version, and null takes one "
            + "away. `key`, `aggregation` (with `percentile`, `method` and `timeUnit`) and `unit` "
            + "are the same in all versions. Readings follow the new version once its history is "
            + "counted.",
        parameters: [key, .contentEncoding] + Parameter.conditions,
        body: Body(
            what: "The changed fields.",
            contents: [
                .json(
                    .meterTypeChange,
                    example: [
                        "filter": "$.data.status != \"error\"",
                        "effectiveFrom": "2026-12-01T00:00:00Z",
                    ]
                )
            ]
        ),
        outcomes: [.ok("The version.", .json(.meterType)).tagged],
        problems: [.notFound, .unknownField, .retired, .periodsClosed, .preconditionFailed]
    )

    static let listVersions = Operation(
        method: .get,
        id: "listVersions",
        topic: .meterTypes,
        summary: "All versions of a meter type, the first one first, with the times they rule.",
        parameters: [key],
        outcomes: [.ok("All of them.", .json(.page(of: .version)))],
        problems: [.notFound]
    )

    static let listBackfills = Operation(
        method: .get,
        id: "listBackfills",
        topic: .meterTypes,
        summary: "The versions whose history is being counted, or waits for it, by their turns.",
        outcomes: [.ok("All of them.", .json(.page(of: .backfill)))]
    )

    static let cancelBackfill = Operation(
        method: .delete,
        id: "cancelBackfill",
        topic: .meterTypes,
        summary: "Gives up counting the history of a version: it never comes into force.",
        parameters: [key, .version("The newest that is being counted where left out.")],
        outcomes: [.ok("The version.", .json(.meterType)).tagged],
        problems: [.notFound, .storageFull]
    )

    static let previewMeterType = Operation(
        method: .post,
        id: "previewMeterType",
        topic: .meterTypes,
        summary: "What a draft would say of stored events, beside the live meter type.",
        details: "Nothing is saved.",
        parameters: [.contentEncoding],
        body: Body(what: "The draft and the range.", contents: [.json(.previewRequest)]),
        outcomes: [.ok("Readings, and where they differ.", .json(.preview))],
        problems: [.notFound, .unknownField, .valueOverflow],
        changesThings: false
    )
}

extension Operation.Parameter {
    static func version(_ what: String) -> Self {
        query("version", .whole(in: 1...Int(Int32.max)), "The number of a version. " + what)
    }
}

extension Schema {
    static let meterTypeChange = request(
        definitionFields.requiring() + [
            .optional("effectiveFrom", instant, "Now where left out; null is since ever."),
            .optional("restate", flag, "Consents to adjustments of closed periods."),
        ]
    )
    .named("MeterTypeChange", "Changed fields of a meter type.")

    static let version = answer(
        meterTypeFields + [
            .optional("effectiveTo", instant, "Where a later version takes over."),
            .required("state", words(["pending", "in-force", "superseded", "cancelled"])),
        ]
    )
    .named("Version", "A version of a meter type, and the times it rules.")

    static let backfill = answer(
        [.required("meterType", meterTypeKey), .required("version", whole)] + progressFields
    )
    .named("Backfill")

    static let previewRequest = request([
        .required("meterType", meterTypeDefinition, "The draft."),
        .optional("from", instant, "The range; needed unless there is `newest`."),
        .optional("to", instant),
        .optional(
            "newest",
            whole(in: 1...Limits.previewNewestMax),
            "Instead of a range so many events of the draft's event types that came last."
        ),
        .optional("window", text, "As in readings; `period` cuts by the draft's calendar."),
        .optional("timezone", text, "Whose midnights the windows have; UTC unless said."),
        .optional("groupBy", list(of: text), "Dimensions of the draft, and `subject`."),
        .optional("limit", whole(in: 1...UsageQuery.rowsMax), "The most readings."),
    ])
    .named("PreviewRequest")

    private static let difference = answer([
        .required("subject", subject),
        .required("live", quantity.orNull), .required("draft", quantity.orNull),
        .required("difference", quantity, "What the draft says more."),
    ])
    .named("Difference")

    static let preview = answer([
        .required("position", position), .required("readings", list(of: reading)),
        .optional(
            "newest",
            answer([
                .required("events", count), .optional("from", instant), .optional("to", instant),
            ]),
            "How many events came last, and between which times they took place."
        ),
        .optional("moreReadings", flag, "There when the rest is left out."),
        .required("differences", list(of: difference), "The largest first."),
        .optional("moreDifferences", count, "How many are left out."),
        .required(
            "period",
            period,
            "That which runs now, by the draft's schedule; in UTC where its zone is the customer's."
        ),
        .required("nextResets", list(of: instant, atMost: 3)),
    ])
    .named("Preview")
}
