import HTTPTypes
import UsageModel
import WireFormat

/// Destinations and deliveries.
extension Operation {
    private static let named = Parameter.path(
        "key",
        .destinationKey,
        "The key of the destination."
    )
    private static let periods = [
        Parameter.query("from", .instant, "Only of periods that end after this."),
        .query("to", .instant, "Only of periods that start before this."),
    ]

    static let listDestinations = Operation(
        method: .get,
        id: "listDestinations",
        topic: .destinations,
        summary: "Lists destinations in the order of their keys, the retired ones included.",
        outcomes: [
            .ok("All of them.", .json(.answer([.required("items", .list(of: .destination))])))
        ],
        problems: [.notFound]
    )

    static let readDestination = Operation(
        method: .get,
        id: "readDestination",
        topic: .destinations,
        summary: "One destination, and how it stands.",
        parameters: [named],
        outcomes: [.ok("The destination.", .json(.destinationWithStanding)).tagged],
        problems: [.notFound]
    )

    static let putDestination = Operation(
        method: .put,
        id: "putDestination",
        topic: .destinations,
        summary: "Makes or replaces a destination: what is left out is as by default.",
        details: """
            All fields: [destinations](../reference/destinations.md). Answers show `(hidden)` in \
            the place of secrets; sent back so, a secret stays as it is.
            """,
        parameters: [named, .contentEncoding] + Parameter.conditions,
        body: Body(
            what: "The destination.",
            contents: [
                .json(
                    .destinationDefinition,
                    example: [
                        "webhook": [
                            "url": "http://127.0.0.1:9/usage",
                            "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
                        ],
                        "filter": ["kinds": ["final", "adjustment"]],
                    ]
                )
            ]
        ),
        outcomes: [
            Outcome(status: 201, what: "There was none.", contents: [.json(.destination)]).tagged,
            Outcome(status: 200, what: "It was replaced.", contents: [.json(.destination)]).tagged,
        ],
        problems: [.notFound, .unknownField, .retired, .preconditionFailed]
    )

    static let retireDestination = Operation(
        method: .delete,
        id: "retireDestination",
        topic: .destinations,
        summary: "Retires a destination: nothing is sent from now on.",
        parameters: [named] + Parameter.conditions,
        outcomes: [.ok("The destination.", .json(.destination)).tagged],
        problems: [.notFound, .storageFull, .preconditionFailed]
    )

    static let pauseDestination = turning("pause", "Nothing is sent until it is resumed.")
    static let resumeDestination = turning("resume", "What waited is sent.")

    private static func turning(_ word: String, _ summary: String) -> Operation {
        Operation(
            method: .post,
            id: word + "Destination",
            topic: .destinations,
            summary: summary,
            parameters: [named] + Parameter.conditions,
            outcomes: [.ok("The destination.", .json(.destination)).tagged],
            problems: [.notFound, .retired, .storageFull, .preconditionFailed]
        )
    }

    static let testDestination = Operation(
        method: .post,
        id: "testDestination",
        topic: .destinations,
        summary: "Sends a record that is none, once, and tells what came back.",
        parameters: [named],
        outcomes: [.ok("What came back.", .json(.testOutcome))],
        problems: [.notFound, .retired]
    )

    static let readDestinationBooks = Operation(
        method: .get,
        id: "reconcileDestination",
        topic: .destinations,
        summary: "What was made, sent and acknowledged, by meter type and period.",
        parameters: [
            named,
            .query("meterType", .list(of: .meterTypeKey), "Only of these; may repeat, or commas."),
            .query("customer", .list(of: .customerKey), "Who owned the subject; may repeat."),
        ] + periods,
        outcomes: [.ok("Both sides.", .json(.destinationBooks))],
        problems: [.notFound]
    )

    static let listDeliveries = Operation(
        method: .get,
        id: "listDeliveries",
        topic: .destinations,
        summary: "Lists the deliveries of a destination in the order of their numbers.",
        parameters: [
            .query("destination", .destinationKey, "Of this one.", isRequired: true),
            .query("state", .list(of: .words(Delivery.State.self)), "Only these; may repeat."),
            .query("meterType", .list(of: .meterTypeKey), "Only of these; may repeat, or commas."),
            .query("subject", .list(of: .subject), "Only of these; may repeat."),
            .query("customer", .list(of: .customerKey), "Who owned the subject; may repeat."),
            .query("after", .count, "Only of later numbers."),
            .query("order", order, "Of numbers; `asc` unless said."),
        ] + periods + Parameter.paging,
        outcomes: [.ok("A page of deliveries.", .json(.page(of: .delivery)))],
        problems: [.notFound]
    )

    static let readDelivery = Operation(
        method: .get,
        id: "readDelivery",
        topic: .destinations,
        summary: "One delivery.",
        parameters: [
            .path("destination", .destinationKey, "The key of the destination."),
            .path("number", .count, "The number of the delivery."),
        ],
        outcomes: [.ok("The delivery.", .json(.deliveryWithTries))],
        problems: [.notFound]
    )

    static let resendDeliveries = Operation(
        method: .post,
        id: "resendDeliveries",
        topic: .destinations,
        summary: "Sends deliveries again: one, a range, or all that failed.",
        details: """
            Under the same idempotency keys as before. What is sent together with them goes again \
            too.
            """,
        parameters: [.contentEncoding],
        body: Body(
            what: "Which: one of `state`, `from` with `to`, and `records`.",
            contents: [
                .json(.resending, example: ["destination": "billing", "state": "failed"])
            ]
        ),
        outcomes: [
            .ok("How many.", .json(.answer([.required("resent", .count)])))
        ],
        problems: [.notFound, .unknownField, .retired]
    )
}

extension Schema {
    static let destinationKey = text(
        atLeast: 1,
        atMost: MeterTypeKey.bytesMax,
        pattern: "^[a-z0-9][a-z0-9._-]*$"
    )
    .named("DestinationKey", "The key of a destination.")

    private static let outlet = open([])
        .named("Outlet", "What the kind needs: see the reference of destinations.")

    private static let recordFilter = request([
        .optional("meterTypes", list(of: meterTypeKey)),
        .optional("categories", list(of: text), "Of the meter type."),
        .optional("customers", list(of: customerKey)),
        .optional("kinds", list(of: words(UsageRecord.Kind.self))),
    ])
    .named("RecordFilter", "Which records are sent; what is left out takes all.")

    private static let destinationFields: [Field] = [
        .optional("key", destinationKey, "As in the address."),
        .optional("name", text(atMost: MeterTypeDocument.nameBytesMax)),
        .optional("filter", recordFilter),
        .optional("batchSize", whole(in: 1...Limits.deliveryBatchMax)),
        .optional("batchDelay", length), .optional("timeout", length),
        .optional("concurrency", whole(in: 1...Limits.deliveryConcurrencyMax)),
        .optional("ratePerSecond", whole(in: 1...Limits.deliveryRateMax)),
        .optional("attemptsMax", whole(in: 1...Limits.deliveryAttemptsMax)),
        .optional("retryDelay", length), .optional("retryDelayMax", length),
        .optional("paused", flag), .optional("start", words(["now", "first"])),
        .optional("webhook", outlet), .optional("http", outlet), .optional("files", outlet),
        .optional("stripe", outlet), .optional("cloudEvents", outlet), .optional("stdout", outlet),
    ]

    static let destinationDefinition = request(destinationFields).named("DestinationDefinition")

    private static let keptDestination: [Field] =
        destinationFields.requiring("key") + [
            .required("revision", whole), .required("createdAt", instant),
            .required("changedAt", instant), .optional("retiredAt", instant),
        ]

    static let destination = answer(keptDestination).named("Destination")

    private static let standing = answer([
        .required("pending", count), .required("delivered", count), .required("failed", count),
        .required("waiting", count, "Records that were not looked at for it yet."),
        .required("missing", count, "Numbers that should be there, and are not."),
        .optional("oldestPendingAt", instant),
    ])
    .named("DestinationStanding", "How many deliveries are in which state.")

    static let destinationWithStanding =
        answer(keptDestination + [.required("standing", standing)])
        .named("DestinationWithStanding")

    static let testOutcome = answer([
        .required("outcome", words(["delivered", "retry", "refused"])),
        .optional("status", whole), .required("answer", text),
    ])
    .named("TestOutcome", "What a destination said to a test.")

    private static let side = answer([
        .required("records", count), .required("amount", quantity.orNull, "The sum of amounts."),
    ])
    .named("DeliverySide", "Some of the records of a period.")

    private static let book = answer([
        .required("meterType", meterTypeKey), .required("start", instant),
        .required("end", instant), .required("made", side), .required("sent", side),
        .required("acknowledged", side), .required("failed", side), .required("pending", side),
    ])
    .named("DeliveryBook", "Both sides of one meter type's period.")

    static let destinationBooks = answer([
        .required("destination", destinationKey), .required("standing", standing),
        .required("items", list(of: book)),
    ])
    .named("DestinationBooks")

    static let delivery = answer(deliveryFields)
        .named("Delivery", "The sending of one record to one destination.")

    private static let deliveryFields: [Field] = [
        .required("destination", destinationKey),
        .required("number", count, "Dense from 1 over all of the destination."),
        .required("batch", count, "The number of the first that is sent with it."),
        .required("state", words(Delivery.State.self)), .required("attempts", whole),
        .optional("nextAttemptAt", instant), .optional("lastAttemptAt", instant),
        .optional("deliveredAt", instant), .optional("status", whole, "Of the last answer."),
        .optional("answer", text, "What the other side calls it, or why not."),
        .required("record", usageRecord),
    ]

    static let deliveryWithTries = answer(
        deliveryFields + [
            .required("tries", list(of: deliveryTry), "How they went, the newest first.")
        ]
    )
    .named("DeliveryWithTries", "A delivery, and how each try of it went.")

    private static let deliveryTry = answer([
        .required("at", instant),
        .required("state", words(Delivery.State.self), "What became of it; pending: tried again."),
        .optional("status", whole), .optional("answer", text),
        .required("requestCount", whole, "How many requests it sent; 0 where that is not known."),
        .required("requests", list(of: sentRequest), "The last of them, of the newest tries."),
    ])
    .named("DeliveryTry", "One try of a sending; of all that is sent together.")

    private static let sentRequest = answer([
        .required("at", instant),
        .required("milliseconds", whole, "Until the answer was there, or none came."),
        .required("method", text, "`WRITE` of a file, and of the standard output."),
        .required("address", text, "Without the values of its query."),
        .required(
            "headers",
            list(of: answer([.required("name", text), .required("value", text)])),
            "`[secret]` stands for values that could be one."
        ),
        .required("bodyBytes", whole), .required("bodyDigest", text, "SHA-256, in hexadecimal."),
        .optional("status", whole), .optional("answer", text, "How it begins."),
    ])
    .named("SentRequest", "What was sent, and what was answered.")

    static let resending = request([
        .required("destination", destinationKey), .optional("state", words(["failed"])),
        .optional("from", count), .optional("to", count),
        .optional("records", list(of: usageRecordID, atMost: Limits.resendRecordsMax)),
    ])
    .named("Resending", "Which deliveries are sent again.")
}
