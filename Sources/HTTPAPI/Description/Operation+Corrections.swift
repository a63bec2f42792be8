import HTTPTypes
import UsageModel
import WireFormat

/// Corrections of counted events.
extension Operation {
    private static let id = Parameter.path("id", .correctionID, "The id of the correction.")

    static let correctionOutcomes: [Outcome] = [
        Outcome(
            status: 201,
            what: "The correction that was made.",
            contents: [.json(.answer([.required("correction", .correction)]))]
        ),
        .ok(
            "Nothing was to change, or it was a dry run.",
            .json(
                .answer([
                    .optional("correction", .correction.orNull),
                    .optional("preview", .correctionPreview),
                ])
            )
        ),
    ]

    static let correct = Operation(
        method: .post,
        id: "correctEvents",
        topic: .corrections,
        summary: "Voids, replaces or restores events, of any age; or says what that would do.",
        details: """
            One entry of the log, visible at once and as a whole. Readings as of a position before \
            it stay what they were, and closed periods are told as adjustments. `events` and \
            `filter` say which; a restore may name the `correction` that it takes back; \
            `replacements` are whole events under the keys of those that they stand for. With \
            `dryRun`, nothing happens. Under the same `Idempotency-Key` the same request is made \
            once.
            """,
        parameters: [
            .contentEncoding,
            .header("Idempotency-Key", .text, "The caller's own name for the request."),
        ],
        body: Body(
            what: "Which events, what is to become of them, who asks for it, and why.",
            contents: [
                .json(
                    .correctionRequest,
                    example: [
                        "kind": "void", "events": [["source": "gateway-eu", "id": "req-1"]],
                        "author": "Ada", "reason": "sent by a load test",
                    ]
                )
            ]
        ),
        outcomes: correctionOutcomes,
        problems: [
            .notFound, .unknownField, .alreadyExists, .selectionChanged, .limitExceeded,
            .valueOverflow, .backfillRunning,
        ]
    )

    static let listCorrections = Operation(
        method: .get,
        id: "listCorrections",
        topic: .corrections,
        summary: "Lists corrections, the newest first.",
        parameters: [.asOf] + Parameter.paging,
        outcomes: [.ok("A page of corrections.", .json(.page(of: .correction)))],
        problems: [.positionUnknown]
    )

    static let readCorrection = Operation(
        method: .get,
        id: "readCorrection",
        topic: .corrections,
        summary: "One correction.",
        parameters: [id],
        outcomes: [.ok("The correction.", .json(.correction))],
        problems: [.notFound]
    )

    static let listCorrected = Operation(
        method: .get,
        id: "listCorrectedEvents",
        topic: .corrections,
        summary: "Lists the events that a correction changed, in the order of their positions.",
        parameters: [id] + Parameter.paging,
        outcomes: [.ok("A page of events.", .json(.page(of: .correctedEvent)))],
        problems: [.notFound]
    )
}

extension Schema {
    static let correctionID = text(pattern: "^c-[1-9][0-9]*$").named("CorrectionId")

    private static let eventKey = request([.required("source", source), .required("id", eventID)])
        .named("EventKey")

    static let eventSelection = request([
        .optional("subject", subject), .optional("source", source),
        .optional("type", text, "An event type, or a prefix that ends in `*`."),
        .optional("from", instant), .optional("to", instant),
        .optional("expression", text, "What must hold of the event: `$.data.tokens < 0`."),
    ])
    .named("EventSelection", "Some of them; an event has to fit all that are given.")

    static let correctionRequest = request([
        .required("kind", words(CorrectionKind.ofEvents.map(\.rawValue))),
        .optional("events", list(of: eventKey, atMost: Limits.correctionKeysMax)),
        .optional("filter", eventSelection), .optional("correction", correctionID),
        .optional("replacements", list(of: event, atMost: Limits.correctionKeysMax)),
        .optional("author", text, "Who makes it; required without `Odometer-Actor`."),
        .optional("reason", text, "Why; required without `Odometer-Reason`."),
        .optional("dryRun", flag, "Only says what would happen."),
        .optional("expected", whole, "How many events it is to change, as a dry run told."),
    ])
    .named("CorrectionRequest")

    static let correction = answer([
        .required("id", correctionID), .required("kind", words(CorrectionKind.self)),
        .required("position", position, "Its place in the log: readings from there on know it."),
        .required("at", instant), .required("author", text), .required("reason", text),
        .required("events", whole, "How many it changed."),
        .optional("backfillSet", backfillSetID, "The backfill set that it closed or reverted."),
    ])
    .named("Correction")

    static let eventCorrection = answer([
        .required("id", correctionID), .required("kind", words(CorrectionKind.self)),
        .required("position", position), .required("at", instant), .required("author", text),
        .required("reason", text), .required("counts", flag, "Whether the event counts since."),
        .optional("replacement", position, "Of the event that stands for it since."),
    ])
    .named("EventCorrection")

    static let correctedEvent = answer([
        .required("source", source), .required("id", eventID), .required("position", position),
        .required("subject", subject), .required("time", instant),
        .required("counts", flag, "Whether it counts since."),
        .optional("replacement", position, "Of the event that stands for it since."),
    ])
    .named("CorrectedEvent")

    private static let adjustedRecord = answer([
        .required("record", usageRecordID), .required("start", instant), .required("end", instant),
        .required("before", quantity.orNull), .required("after", quantity.orNull),
    ])
    .named("AdjustedRecord")

    static let correctionPreview = answer([
        .required("position", position), .required("events", whole),
        .required("sample", list(of: storedEvent)),
        .required(
            "meters",
            list(
                of: answer([
                    .required("meter", meterID), .required("before", quantity.orNull),
                    .required("after", quantity.orNull),
                    .required("records", list(of: adjustedRecord)),
                ])
            ),
            "Values over all time, and the closed periods that would be adjusted."
        ),
        .required("hasMoreMeters", flag),
    ])
    .named("CorrectionPreview")
}
