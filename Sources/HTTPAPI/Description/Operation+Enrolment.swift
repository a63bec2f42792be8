import HTTPTypes
import UsageModel
import WireFormat

/// What is said of meters: enrolled, altered, suspended, resumed, closed.
extension Operation {
    private static let id = Parameter.path("id", .meterID, "The id of the meter.")
    private static let wordProblems: [ProblemType] = [.notFound, .unknownField, .retired]

    static let enrolMeters = Operation(
        method: .post,
        id: "enrolMeters",
        topic: .meters,
        summary: "Enrols one meter, or many in one call, all of them or none.",
        details: "Enrolling again in the same words changes nothing; in other words it is refused. "
            + "At most \(Limits.enrolmentsPerCallMax) meters go in one call.",
        parameters: [.contentEncoding, .idempotencyKey],
        body: Body(
            what: "A meter, or `{\"meters\":[…]}`.",
            contents: [
                .json(
                    .either([.enrolment, .enrolments]),
                    example: [
                        "meterType": "prints", "subject": "printer-7",
                        "start": "2026-11-01T00:00:00Z", "metadata": ["floor": "3"],
                    ]
                )
            ]
        ),
        outcomes: [
            Outcome(
                status: 201,
                what: "Something was new: the meter, or the counts of many.",
                contents: [.json(.either([.standingMeter, .enrolmentCounts]))],
                headers: [
                    Header(name: "Location", schema: .text, what: "Of one meter: its path.")
                ]
            ),
            Outcome(
                status: 200,
                what: "All of it stood already.",
                contents: [.json(.either([.standingMeter, .enrolmentCounts]))],
                headers: [
                    Header(name: "Location", schema: .text, what: "Of one meter: its path.")
                ]
            ),
        ],
        problems: wordProblems + [.alreadyExists]
    )

    static let alterMeter = Operation(
        method: .patch,
        id: "alterMeter",
        topic: .meters,
        summary: "Alters the dates and notes of a meter.",
        details: "The fields that are sent replace those that stand; null takes one away.",
        parameters: [id, .contentEncoding],
        body: Body(what: "The changed fields.", contents: [.json(.meterAlteration)]),
        outcomes: [.ok("The meter as it stands now.", .json(.standingMeter))],
        problems: wordProblems
    )

    static let suspendMeter = word(
        "suspend",
        "Suspends a meter from a time on, or between two: what it uses then does not count.",
        .suspension
    )
    static let resumeMeter = word("resume", "Resumes a meter from a time on.", .resumption)
    static let closeMeter = word("close", "Closes a meter from a time on.", .closure)

    private static func word(_ verb: String, _ summary: String, _ body: Schema) -> Operation {
        Operation(
            method: .post,
            id: verb + "Meter",
            topic: .meters,
            summary: summary,
            parameters: [id, .contentEncoding, .idempotencyKey],
            body: Body(what: "When, and why.", contents: [.json(body)]),
            outcomes: [.ok("The meter as it stands now.", .json(.standingMeter))],
            problems: wordProblems
        )
    }
}

extension Schema {
    private static let notes: [Field] = [
        .optional("start", instant, "From this time on; since ever where left out."),
        .optional("end", instant, "Before this time; for ever where left out."),
        .optional("category", text(atMost: MeterTypeDocument.categoryBytesMax)),
        .optional("externalRef", text(atMost: MeterTypeDocument.externalRefBytesMax)),
        .optional("metadata", metadata),
    ]

    static let enrolment = request(
        [.required("meterType", meterTypeKey), .required("subject", subject)] + notes
    )
    .named("Enrolment", "A meter that is to count.")

    static let enrolments = request([
        .required(
            "meters",
            list(of: enrolment, atLeast: 1, atMost: Limits.enrolmentsPerCallMax)
        )
    ])
    .named("Enrolments")

    static let enrolmentCounts = answer([
        .required("enrolled", count), .required("unchanged", count),
        .required("position", position),
    ])
    .named("EnrolmentCounts", "What became of many meters.")

    static let meterAlteration = request(notes).named("MeterAlteration")

    private static let reason = text(atLeast: 1, atMost: Limits.reasonBytesMax)
    private static let wordStart = Field.optional("from", instant, "Now where left out.")

    static let suspension = request([
        wordStart, .optional("to", instant, "Until resumed where left out."),
        .required("reason", reason),
    ])
    .named("Suspension")

    static let resumption = request([
        wordStart, .optional("reason", text(atMost: Limits.reasonBytesMax)),
    ])
    .named("Resumption")

    static let closure = request([wordStart, .required("reason", reason)]).named("Closure")

    /// What was said of a meter, beside what every listed meter says.
    static let datedFields: [Field] =
        notes + [.optional("enrolledAt", instant, "When it was said, where it is enrolled.")]

    static let enrolmentFields: [Field] =
        datedFields + [
            .optional("reason", text, "Of the state it is in."),
            .optional("states", list(of: stateWord), "All that was said of its state."),
        ]

    private static let stateWord = answer([
        .required("state", words(MeterStanding.self)), .required("from", instant),
        .optional("to", instant), .required("reason", text), .required("saidAt", instant),
        .required("position", position),
    ])
    .named("StateWord", "A word about the state of a meter.")

    static let standingMeter = answer(listedMeterFields + enrolmentFields)
        .named("StandingMeter", "A meter as it stands, without its value.")
}
