import HTTPTypes
import UsageModel
import WireFormat

/// Backfill sets.
extension Operation {
    private static let id = Parameter.path("id", .backfillSetID, "The id of the set.")

    static let listBackfillSets = Operation(
        method: .get,
        id: "listBackfillSets",
        topic: .backfillSets,
        summary: "Lists backfill sets, the newest first.",
        parameters: [
            .query("state", .words(BackfillSet.State.self), "Only sets in this state."), .asOf,
        ] + Parameter.paging,
        outcomes: [.ok("A page of sets.", .json(.page(of: .backfillSet)))],
        problems: [.positionUnknown]
    )

    static let openBackfillSet = Operation(
        method: .post,
        id: "openBackfillSet",
        topic: .backfillSets,
        summary: "Opens a set of events that are to count together, or not at all.",
        details: """
            With `replaceExisting`, the events that it selects count no more once the set is \
            closed, but for those whose keys were sent to the set again. Under the same \
            `Idempotency-Key` the same set is opened once.
            """,
        parameters: [.contentEncoding, .idempotencyKey],
        body: Body(
            what: "What the set is for, who opens it, and why.",
            contents: [
                .json(
                    .backfillSetRequest,
                    example: [
                        "name": "outage of 3 November",
                        "replaceExisting": ["source": "gateway-eu", "type": "llm.*"],
                        "author": "Ada", "reason": "the queue came back from a backup",
                    ]
                )
            ]
        ),
        outcomes: [
            Outcome(status: 201, what: "The set.", contents: [.json(.backfillSet)])
        ],
        problems: [.unknownField, .alreadyExists, .limitExceeded]
    )

    static let readBackfillSet = Operation(
        method: .get,
        id: "readBackfillSet",
        topic: .backfillSets,
        summary: "One backfill set.",
        parameters: [id],
        outcomes: [.ok("The set.", .json(.backfillSet))],
        problems: [.notFound]
    )

    static let recordIntoBackfillSet = Operation(
        method: .post,
        id: "recordIntoBackfillSet",
        topic: .backfillSets,
        summary: "Takes events into an open set: their keys are taken, and none counts yet.",
        details: """
            As `POST /v1/events`, in every form. An event whose key is known is a duplicate or in \
            conflict, and no part of the set.
            """,
        parameters: [id] + eventsParameters,
        body: eventsBody,
        outcomes: eventsOutcomes,
        problems: [.notFound, .setNotOpen, .atomicRefused, .tooManyEvents, .limitExceeded],
        changesThings: false
    )

    static let closeBackfillSet = change(
        "closeBackfillSet",
        "Lets all events of a set count, at once; or says what that would do.",
        """
        One correction: readings from its position on know it. A set that was reverted can be \
        closed again. With `dryRun` nothing happens, and the answer compares readings with and \
        without the set.
        """
    )

    static let revertBackfillSet = change(
        "revertBackfillSet",
        "Lets no event of a set count any more, at once; or says what that would do.",
        """
        Whether it was closed or still is open, and however long ago. What made room for it counts \
        again, unless somebody corrected it since.
        """
    )

    private static func change(_ id: String, _ summary: String, _ details: String) -> Operation {
        Operation(
            method: .post,
            id: id,
            topic: .backfillSets,
            summary: summary,
            details: details,
            parameters: [self.id, .contentEncoding, .idempotencyKey],
            body: Body(
                what: "Who asks for it, and why.",
                contents: [
                    .json(
                        .backfillSetChange,
                        example: ["author": "Ada", "reason": "checked against the gateway's log"]
                    )
                ]
            ),
            outcomes: correctionOutcomes,
            problems: [
                .notFound, .unknownField, .alreadyExists, .selectionChanged, .limitExceeded,
                .valueOverflow, .backfillRunning,
            ]
        )
    }
}

extension Schema {
    static let backfillSetID = text(pattern: "^bs-[1-9][0-9]*$").named("BackfillSetId")

    static let backfillSetRequest = request([
        .required("name", text, "What it is for, on one line."),
        .optional("replaceExisting", eventSelection, "What makes room for it."),
        .optional("author", text, "Who opens it; required without `Odometer-Actor`."),
        .optional("reason", text, "Why; required without `Odometer-Reason`."),
    ])
    .named("BackfillSetRequest")

    static let backfillSetChange = request([
        .optional("author", text, "Who asks; required without `Odometer-Actor`."),
        .optional("reason", text, "Why; required without `Odometer-Reason`."),
        .optional("dryRun", flag, "Only says what would happen."),
        .optional("expected", whole, "How many events it is to change, as a dry run told."),
    ])
    .named("BackfillSetChange")

    static let backfillSet = answer([
        .required("id", backfillSetID), .required("name", text),
        .required("state", words(BackfillSet.State.self)),
        .required("events", whole, "How many it has."),
        .required("at", instant, "When it was opened."), .required("author", text),
        .optional("replaceExisting", eventSelection),
        .optional("correction", correctionID, "What closed or reverted it last."),
    ])
    .named("BackfillSet")
}
