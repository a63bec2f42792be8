import HTTPTypes
import MeteringEngine
import UsageModel
import WireFormat

/// What sources say that they sent.
extension Operation {
    static let registerManifest = Operation(
        method: .post,
        id: "registerManifest",
        topic: .books,
        summary: "Registers what a source says that it sent.",
        details: """
            So many events of a stretch of time, and perhaps the sum of one of their fields. The \
            time is that of the events. Under the same `Idempotency-Key` the same manifest is \
            registered once.
            """,
        parameters: [
            .contentEncoding,
            .header("Idempotency-Key", .text, "The caller's own name for the manifest."),
        ],
        body: Body(
            what: "What was sent.",
            contents: [
                .json(
                    .manifestClaim,
                    example: [
                        "source": "gateway-eu", "type": "llm.request",
                        "from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z",
                        "rows": 1200, "sum": ["path": "$.data.tokens", "value": "98213.5"],
                    ]
                )
            ]
        ),
        outcomes: [
            .ok("It was registered before.", .json(.manifest)),
            Outcome(
                status: 201,
                what: "The manifest.",
                contents: [.json(.manifest)],
                headers: [Header(name: "Location", schema: .text, what: "Where it is compared.")]
            ),
        ],
        problems: [.notFound, .unknownField, .alreadyExists]
    )

    static let listManifests = Operation(
        method: .get,
        id: "listManifests",
        topic: .books,
        summary: "Manifests, the newest first.",
        details:
            "With `compare`, each is held against the ledger: it costs what reading each does.",
        parameters: [
            .query("source", .text, "Only of this source."),
            .flag("compare", "Shows how each stands."),
        ] + Parameter.paging,
        outcomes: [.ok("A page of them.", .json(.page(of: .manifest)))],
        problems: [.notFound, .valueOverflow]
    )

    static let readManifest = Operation(
        method: .get,
        id: "readManifest",
        topic: .books,
        summary: "A manifest, and how it stands against what the ledger holds now.",
        details: """
            The events of the time are read from the log: some 0.5 ms for each of its blocks, and \
            with a sum 1 µs an event.
            """,
        parameters: [.path("id", .text, "The id of the manifest.")],
        outcomes: [.ok("The manifest.", .json(.manifest))],
        problems: [.notFound, .valueOverflow]
    )
}

extension Schema {
    static let manifestClaim = request([
        .required("source", source),
        .optional("type", eventType, "One event type, or a prefix such as `llm.*`."),
        .required("from", instant, "Of the events' times; they begin here"),
        .required("to", instant, "and lie before this."),
        .required("rows", whole, "How many events were sent."),
        .optional(
            "sum",
            request([
                .required("path", text, "Of the field, such as `$.data.tokens`."),
                .required("value", givenQuantity),
            ]),
            "Of one field, over all of them."
        ),
    ])
    .named("ManifestClaim")

    static let manifest = answer([
        .required("id", text), .required("source", source), .optional("type", eventType),
        .required("from", instant), .required("to", instant), .required("rows", count),
        .optional("sum", answer([.required("path", text), .required("value", quantity)])),
        .required("at", instant, "When it was registered."),
        .optional("author", text, "By whom."),
        .optional("standing", manifestStanding, "What the ledger has of it."),
    ])
    .named("Manifest")

    private static let difference = text(pattern: "^-?[0-9]+$")

    private static let manifestStanding = answer([
        .required("status", words(ManifestStanding.Status.self)),
        .required("position", position, "All up to here was looked at."),
        .required("received", count, "Events in the log, each key once."),
        .required("rowsDifference", difference, "`received` less `rows`."),
        .required("voided", count, "Of those received, what corrections took out."),
        .required(
            "quarantined",
            count,
            "Open items of the source with a time among these, or with none to be read."
        ),
        .optional("sum", quantity, "Over the events that count."),
        .optional("sumDifference", quantity, "`standing.sum` less `sum.value`."),
        .optional("unreadable", count, "Events that count and have no number there."),
    ])
    .named("ManifestStanding")
}
