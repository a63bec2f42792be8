import UsageModel
import WireFormat

/// The values that the whole API spells alike.
extension Schema {
    static let quantity = text(pattern: #"^-?[0-9]+(\.[0-9]+)?$"#)
        .named("Quantity", "An exact decimal, as a text so that no reader rounds it.")

    /// A quantity as callers may give it.
    static let givenQuantity = Schema(["type": ["string", "number"]])
        .named("GivenQuantity", "An exact decimal, as a text (\"12.5\") or as a JSON number.")

    static let count = text(pattern: "^[0-9]+$")
        .named("Count", "A whole number from 0 on, as a text.")

    static let position = text(pattern: "^[0-9]{1,20}$")
        .named("Position", "A position of the log; the first event has 1, and 0 is before it.")

    static let knowledge = text(
        pattern: "^([0-9]{1,20}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt].+)$"
    )
    .named("Knowledge", "A position, or an instant: what the log held by then.")

    static let instant = Schema(["type": "string", "format": "date-time"])
        .named("Instant", "RFC 3339: any offset in requests, UTC with Z in answers.")

    static let meterTypeKey = text(
        atLeast: 1,
        atMost: MeterTypeKey.bytesMax,
        pattern: "^[a-z0-9][a-z0-9._-]*$"
    )
    .named("MeterTypeKey", "The key of a meter type.")

    static let meterID = text(atLeast: 3, pattern: "^[a-z0-9][a-z0-9._-]*~.+$")
        .named(
            "MeterId",
            "The key of the meter type, `~`, and the subject; see the page of meters."
        )

    static let subject = text(atLeast: 1, atMost: Limits.subjectBytesMax)
        .named("Subject", "Who or what used it.")

    static let source = text(atLeast: 1, atMost: Limits.keyFieldBytesMax)
    static let eventID = text(atLeast: 1, atMost: Limits.keyFieldBytesMax)
    static let eventType = text(atLeast: 1, atMost: Limits.eventTypeBytesMax)

    /// The values of dimensions by their names; null where the event had none.
    static let dimensions = map(of: text.orNull)
        .named("Dimensions", "Values of dimensions by name; null where the event had none.")

    /// A page of a list.
    static func page(of item: Schema, _ more: [Field] = []) -> Schema {
        answer(
            more + [
                .required("items", list(of: item)),
                .optional("next", text, "Goes into `cursor`; there while more follows."),
            ]
        )
    }
}

/// Problem documents (RFC 9457).
extension Schema {
    static let problemFields: [Field] = [
        .required("type", text, "The kind of problem; the path leads to what to do about it."),
        .required("title", text), .required("status", whole(in: 400...599)),
        .optional("detail", text, "This occurrence in words."),
        .optional("instance", text, "The path of the call."),
        .optional(
            "errors",
            list(
                of: answer([
                    .required("pointer", text, "A JSON pointer, or the name of a parameter."),
                    .required("reason", text), .optional("remedy", text),
                ])
            ),
            "The fields and parameters at fault."
        ),
        .optional("offset", whole, "The byte of the body at fault."),
    ]

    static let problem = answer(problemFields).named("Problem", "What went wrong (RFC 9457).")

    static let atomicProblem = answer(problemFields + intakeFields)
        .named("AtomicProblem", "Why an atomic call was refused, with its events.")

    static let ruleProblem = answer(
        problemFields + [
            .required("current", validationRule, "The rule as it stands."),
            .required("sent", open([]), "The body of the call that came too late."),
        ]
    )
    .named("RuleProblem", "Why a validation rule was not changed, with both sides.")

    static let conditionProblem = answer(
        problemFields + [
            .optional("current", open([]), "What stands now; its tag is in `ETag`.")
        ]
    )
    .named("ConditionProblem", "Why a change was not made: another one came before.")

    static let itemProblem = answer(
        problemFields + [
            .required("current", quarantined, "The item as it stands."),
            .required("sent", open([]), "The body of the call that came too late."),
        ]
    )
    .named("ItemProblem", "Why an item of the quarantine was not changed, with both sides.")
}
