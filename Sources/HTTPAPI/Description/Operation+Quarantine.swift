import HTTPTypes
import MeteringEngine
import UsageModel
import WireFormat

/// What waits in quarantine, and what people make of it.
extension Operation {
    private static let filters: [Parameter] = [
        .query("reason", .text, "Only for this reason."),
        .query("source", .text, "Only from this source, as it was received; empty: from none."),
        .query("type", .text, "Only of this event type, as it was received; empty: of none."),
        .query("eventId", .text, "Only of events with this id, as it was received."),
        .query("rule", .text, "Only of those that this validation rule rejected."),
        .query("state", .words(QuarantineState.self), "Only in this state; all where left out."),
        .query(
            "text",
            .text(atMost: Limits.quarantineTextBytesMax),
            "Only with this text in the bytes as they stand."
        ),
        .query("seenFrom", .instant, "Only of those that came at this time or later, too."),
        .query("seenTo", .instant, "Only of those that came before this time, too."),
    ]
    private static let named = Parameter.path("id", .text, "The id of the item.")

    static let listQuarantine = Operation(
        method: .get,
        id: "listQuarantine",
        topic: .quarantine,
        summary: "Events that were rejected or are in conflict, newest first.",
        parameters: filters + Parameter.paging,
        outcomes: [.ok("A page of them.", .json(.page(of: .quarantined)))]
    )

    static let listQuarantineGroups = Operation(
        method: .get,
        id: "listQuarantineGroups",
        topic: .quarantine,
        summary: "Items by reason, source, type and validation rule, the largest group first.",
        parameters: filters + Parameter.paging,
        outcomes: [.ok("A page of groups.", .json(.page(of: .quarantineGroup)))],
        problems: [.notFound]
    )

    static let readQuarantined = Operation(
        method: .get,
        id: "readQuarantined",
        topic: .quarantine,
        summary: "One item.",
        parameters: [named],
        outcomes: [.ok("The item.", .json(.quarantined))],
        problems: [.notFound]
    )

    static let editQuarantined = Operation(
        method: .patch,
        id: "editQuarantined",
        topic: .quarantine,
        summary: "Changes what a release would count: another event, or a merge patch of it.",
        details: """
            The bytes as received stay. `version` is that of the item as it was read: where \
            another change came before, nothing is done, and the answer has both sides. An item \
            that is no JSON object is replaced by `event` whole. The event need not be sound yet.
            """,
        parameters: [named, .contentEncoding],
        body: Body(
            what: "The edit: one of `event` and `patch` (RFC 7396).",
            contents: [
                .json(
                    .quarantineEdit,
                    example: ["version": 1, "patch": ["time": "2026-11-01T12:00:00Z"]]
                )
            ]
        ),
        outcomes: [.ok("The item as it stands now.", .json(.quarantined))],
        problems: [.notFound, .unknownField, .itemChanged, .itemSettled]
    )

    static let releaseQuarantined = Operation(
        method: .post,
        id: "releaseQuarantined",
        topic: .quarantine,
        summary: "Judges an open item's event again, and counts it under its own key and time.",
        details: """
            It is judged like an event of `POST /v1/events` in `application/json`. `accepted` and \
            `duplicate` release the item; `rejected` and `conflict` leave it open, with that \
            reason. One commit counts the event and marks the item.
            """,
        parameters: [named, .contentEncoding],
        body: changeBody,
        outcomes: [
            .ok(
                "What became of it.",
                .json(
                    .answer([
                        .required("verdict", .words(Verdict.self)),
                        .optional("position", .position), .required("item", .quarantined),
                    ])
                )
            )
        ],
        problems: [.notFound, .unknownField, .itemChanged, .itemSettled]
    )

    static let discardQuarantined = change(
        "discardQuarantined",
        "An open item shall not count; `reason` says why."
    )

    static let reopenQuarantined = change(
        "reopenQuarantined",
        "Makes a discarded item open again."
    )

    private static func change(_ id: String, _ summary: String) -> Operation {
        Operation(
            method: .post,
            id: id,
            topic: .quarantine,
            summary: summary,
            parameters: [named, .contentEncoding],
            body: changeBody,
            outcomes: [.ok("The item as it stands now.", .json(.quarantined))],
            problems: [.notFound, .unknownField, .itemChanged, .itemSettled]
        )
    }

    private static let changeBody = Body(
        what: "Of which version, who and why. Without `version` it is of whichever stands.",
        contents: [
            .json(.quarantineChange, example: ["version": 2, "reason": "load test of 3 November"])
        ]
    )
}

/// Actions on many items.
extension Operation {
    private static let namedAction = Parameter.path("id", .text, "The id of the action.")

    static let startQuarantineAction = Operation(
        method: .post,
        id: "startQuarantineAction",
        topic: .quarantine,
        summary: "Repairs, releases or discards all open items that a filter finds.",
        details: """
            With `dryRun` nothing is changed: the answer shows item by item what would be, in \
            pages. Without it the action is written down and runs in the background, a page of \
            items to a commit; after a crash it goes on where it was. Expressions are those of \
            [the language](../reference/expressions.md), and read the event as it stands.
            """,
        parameters: Parameter.paging + [.contentEncoding],
        body: Body(
            what: "What to do with which items.",
            contents: [
                .json(
                    .quarantineActionRequest,
                    example: [
                        "action": "repair-and-release",
                        "filter": ["reason": "time-missing-offset"],
                        "repair": [
                            "set": ["/time": "concat($.time, \"Z\")"], "remove": ["/data/x"],
                        ],
                        "dryRun": true,
                    ]
                )
            ]
        ),
        outcomes: [
            .ok("What it would do.", .json(.quarantinePreview)),
            Outcome(
                status: 202,
                what: "It is written down.",
                contents: [.json(.quarantineAction)],
                headers: [
                    Header(name: "Location", schema: .text, what: "Where its progress is.")
                ]
            ),
        ],
        problems: [.notFound, .unknownField, .selectionChanged, .limitExceeded]
    )

    static let readQuarantineAction = Operation(
        method: .get,
        id: "readQuarantineAction",
        topic: .quarantine,
        summary: "How far an action is.",
        parameters: [namedAction],
        outcomes: [.ok("The action.", .json(.quarantineAction))],
        problems: [.notFound]
    )

    static let cancelQuarantineAction = Operation(
        method: .post,
        id: "cancelQuarantineAction",
        topic: .quarantine,
        summary: "Ends an action where it is; what it did stays.",
        parameters: [namedAction],
        outcomes: [.ok("The action.", .json(.quarantineAction))],
        problems: [.notFound]
    )
}
