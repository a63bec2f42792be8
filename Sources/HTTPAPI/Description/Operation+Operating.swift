import HTTPTypes
import MeteringEngine
import UsageModel
import WireFormat

/// The books, what waits, and what operators and their machines ask.
extension Operation {
    static let readBooks = Operation(
        method: .get,
        id: "readBooks",
        topic: .books,
        summary: "Every event received, and what became of it; it balances at every moment.",
        details: """
            received = counted + unmatched + duplicate + conflict + quarantined. Beside that: what \
            became of what was rejected or in conflict; over all time, open + released + \
            discarded = quarantined + conflict. A release is one more receipt.
            """,
        parameters: [
            .query(
                "groupBy",
                .list(of: .words(BooksQuery.Group.self)),
                "Lines by these; `hour` is that of arrival. May repeat, or commas."
            ),
            .query("source", .text, "Only from this source."),
            .query("type", .text, "Only of this event type."),
        ] + Parameter.range,
        outcomes: [.ok("The books.", .json(.books))]
    )

    static let readStatus = Operation(
        method: .get,
        id: "readStatus",
        topic: .operating,
        summary: "Position, storage, memory, queue, and counts since the start.",
        outcomes: [.ok("How the server is.", .json(.status))]
    )

    static let readHealth = Operation(
        method: .get,
        id: "readHealth",
        topic: .operating,
        summary: "200 while the process runs.",
        outcomes: [.ok("It runs.", .text())],
        judgesQuery: false,
        asksLedger: false,
        isProbe: true
    )

    static let readReadiness = Operation(
        method: .get,
        id: "readReadiness",
        topic: .operating,
        summary: "200 when it takes events and answers questions.",
        outcomes: [.ok("It is ready.", .text())],
        problems: [.busy, .storageUnavailable],
        judgesQuery: false,
        asksLedger: false,
        isProbe: true
    )

    static let readMetrics = Operation(
        method: .get,
        id: "readMetrics",
        topic: .operating,
        summary: "Figures for Prometheus.",
        outcomes: [.ok("The figures.", .text())],
        judgesQuery: false,
        asksLedger: false
    )

    static let readProblem = Operation(
        method: .get,
        id: "readProblem",
        topic: .operating,
        summary: "What a type of problem means, and what to do.",
        parameters: [.path("type", .words(ProblemType.self), "As a problem's `type` ends.")],
        outcomes: [.ok("It in words.", .text())],
        problems: [.notFound],
        judgesQuery: false,
        asksLedger: false
    )

    static let readDescription = Operation(
        method: .get,
        id: "readDescription",
        topic: .operating,
        summary: "This description of the API, as OpenAPI 3.1.",
        outcomes: [.ok("The document.", .json(Schema(["type": "object"])))],
        asksLedger: false
    )
}

extension Schema {
    private static let sums: [Field] = [
        .required("received", count), .required("counted", count), .required("unmatched", count),
        .required("duplicate", count), .required("conflict", count),
        .required("quarantined", count),
        .required("unreadable", count, "Beside the sum: values that could not be read."),
        .required("voided", count, "Beside the sum: accepted events that corrections voided."),
        .required("balances", flag),
    ]

    static let books = answer([
        .required("position", position), .required("total", booksLine),
        .required("lines", list(of: booksLine), "One per group; one in all without `groupBy`."),
        .required(
            "quarantine",
            answer([
                .required("total", standing), .required("lines", list(of: standing)),
            ]),
            "What became of them; by source and type, where that was asked."
        ),
    ])
    .named("Books")

    private static let standing = answer([
        .optional("source", text), .optional("type", text), .required("open", count),
        .required("released", count), .required("discarded", count),
    ])

    private static let booksLine = answer(
        [
            .optional("source", text), .optional("type", text), .optional("hour", instant),
        ] + sums
    )
    .named("BooksLine")

    static let status = answer([
        .required("position", position), .required("checkpoint", position),
        .required("blocks", count), .required("subjects", count), .required("quarantined", count),
        .required("enrolments", count), .required("isRecounting", flag),
        .required(
            "derived",
            answer([
                .required("keyRuns", whole), .required("cellRuns", whole),
                .required("isMerging", flag), .required("isChecked", flag),
                .required("memoryBytes", count),
            ])
        ),
        .required(
            "disk",
            answer([
                .required("truthBytes", count), .required("derivedBytes", count),
                .required("freeBytes", count),
            ])
        ),
        .required(
            "queue",
            answer([
                .required("events", whole), .required("bytes", whole),
                .required("bodyBytesInFlight", whole),
            ])
        ),
        .required("residentBytes", count),
        .required(
            "sinceStart",
            answer([
                .required("accepted", count), .required("duplicate", count),
                .required("conflict", count), .required("rejected", count),
                .required("commits", count), .required("commitMicroseconds", count),
                .required("refusedBusy", count),
            ])
        ),
    ])
    .named("Status")
}
