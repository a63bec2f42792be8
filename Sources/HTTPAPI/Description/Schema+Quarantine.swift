import MeteringEngine
import UsageModel
import WireFormat

extension Schema {
    static let quarantined = answer([
        .required("id", text), .required("state", words(QuarantineState.self)),
        .required("version", whole, "1, and one more with every change."),
        .required("reason", text), .required("pointer", text), .required("detail", text),
        .optional("rule", text, "The key of the validation rule that rejected it."),
        .optional("backfillSet", backfillSetID, "The set that it was on its way to."),
        .optional("source", text), .optional("eventId", text), .optional("type", text),
        .required("firstSeenAt", instant), .required("lastSeenAt", instant),
        .required("seen", count, "How often it was sent."),
        .optional("original", text, "As it was received."),
        .optional("originalBase64", text, "The same, where it is not UTF-8."),
        .optional("edited", text, "The event of the last edit: what a release counts."),
        .optional("changedAt", instant, "The last change, and who made it and why:"),
        .optional("author", text), .optional("changeReason", text),
        .optional("position", position, "Of the released event in the log."),
        .optional("repairedBy", repairedBy, "The repair rule that released it."),
        .optional("repairTried", repairTried, "The repair rule that could not."),
        .optional("droppedAt", instant, "When its bytes were dropped; `original` is gone since."),
    ])
    .named("QuarantinedEvent")

    static let quarantineGroup = answer([
        .required("reason", text), .required("source", text), .required("type", text),
        .optional("rule", text, "The key of the validation rule that rejected them."),
        .required("items", count), .required("open", count),
        .required("seen", count, "How often they were sent, all together."),
        .required("firstSeenAt", instant), .required("lastSeenAt", instant),
        .required("sample", text, "The id of the newest."),
    ])
    .named("QuarantineGroup")

    private static let versionField = whole(in: 1...Int.max)
    private static let noteFields: [Field] = [
        .optional("author", text(atMost: Limits.authorBytesMax), "Who says so."),
        .optional("reason", text(atMost: Limits.reasonBytesMax), "Why."),
    ]

    static let quarantineEdit = request(
        [
            .required("version", versionField), .optional("event", open([]), "The whole event."),
            .optional("patch", open([]), "A JSON merge patch of the event as it stands."),
        ] + noteFields
    )
    .named("QuarantineEdit")

    static let quarantineChange = request([.optional("version", versionField)] + noteFields)
        .named("QuarantineChange")

    static let filterFields: [Field] = [
        .optional("reason", text), .optional("source", text), .optional("type", text),
        .optional("eventId", text), .optional("rule", text),
        .optional("text", text(atMost: Limits.quarantineTextBytesMax)),
        .optional("seenFrom", instant), .optional("seenTo", instant),
    ]

    static let repairFields: [Field] = [
        .optional(
            "set",
            map(of: text, atMost: Limits.repairPlacesMax),
            "Expressions by JSON pointers; all are computed before any is set."
        ),
        .optional(
            "remove",
            list(of: text, atMost: Limits.repairPlacesMax),
            "JSON pointers of what is taken out, after that."
        ),
    ]

    static let quarantineActionRequest = request(
        [
            .required("action", words(QuarantineActionRequest.Kind.self)),
            .required("filter", request(filterFields), "Which of the open items; `{}` is all."),
            .optional("repair", request(repairFields)),
        ] + noteFields + [
            .optional("dryRun", flag, "Shows what would be, and changes nothing."),
            .optional("expected", count, "How many items it is to find: the `total` of a dry run."),
        ]
    )
    .named("QuarantineActionRequest")

    static let quarantineAction = answer(
        [
            .required("id", text), .required("action", words(QuarantineActionRequest.Kind.self)),
            .required("filter", answer(filterFields)), .optional("repair", answer(repairFields)),
        ] + noteFields + [
            .required("state", words(QuarantineAction.State.self)),
            .required("createdAt", instant), .required("changedAt", instant),
            .required("total", count, "Items that it found when it was asked for."),
            .required("items", count, "Looked at so far; of these:"),
            .required("repaired", count), .required("accepted", count),
            .required("duplicate", count), .required("discarded", count),
            .required("failed", count, "Left open."),
        ]
    )
    .named("QuarantineAction")

    static let quarantinePreview = page(
        of: answer([
            .required("id", text), .required("version", whole), .required("reason", text),
            .optional("before", text), .optional("beforeBase64", text),
            .optional("after", text, "Where the repair changes it."),
            .optional("failure", text, "Why the repair does not fit the event."),
            .optional("isSound", flag, "Whether the decoder would take it."),
            .optional("fault", text, "Why not."), .optional("pointer", text),
        ]),
        [.required("total", count, "Items that the filter finds.")]
    )
    .named("QuarantinePreview")
}
