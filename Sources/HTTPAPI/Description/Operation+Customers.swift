import HTTPTypes
import UsageModel
import WireFormat

/// Customers, and the subjects they own.
extension Operation {
    private static let customer = Parameter.path("key", .customerKey, "The key of the customer.")

    static let listCustomers = Operation(
        method: .get,
        id: "listCustomers",
        topic: .customers,
        summary: "Lists customers in the order of their keys, the retired ones included.",
        details: "A page may hold fewer items than `limit`, or none, while `next` is there.",
        parameters: [
            .query(
                "q",
                .text,
                "What the key, the name, the external reference or a subject holds; large letters "
                    + "and small ones are one."
            )
        ] + Parameter.paging,
        outcomes: [.ok("A page of customers.", .json(.page(of: .customer)))]
    )

    static let readCustomer = Operation(
        method: .get,
        id: "readCustomer",
        topic: .customers,
        summary: "One customer.",
        parameters: [customer],
        outcomes: [.ok("The customer.", .json(.customer)).tagged],
        problems: [.notFound]
    )

    static let putCustomer = Operation(
        method: .put,
        id: "putCustomer",
        topic: .customers,
        summary: "Makes or replaces a customer: what is left out is gone, subjects too.",
        details: "Each event goes to who owned its subject at its time.",
        parameters: [customer, .contentEncoding] + Parameter.conditions,
        body: Body(
            what: "The customer, of at most \(FrontDesk.customerBytesMax) bytes.",
            contents: [
                .json(
                    .customerDefinition,
                    example: [
                        "name": "Acme GmbH", "timezone": "Europe/Berlin",
                        "subjects": [
                            "acme",
                            ["subject": "van-12", "from": "2026-03-01T00:00:00Z"],
                        ],
                    ]
                )
            ]
        ),
        outcomes: [
            Outcome(status: 201, what: "There was none.", contents: [.json(.customer)]).tagged,
            Outcome(status: 200, what: "It was replaced.", contents: [.json(.customer)]).tagged,
        ],
        problems: [.notFound, .unknownField, .subjectOwned, .retired, .preconditionFailed]
    )

    static let retireCustomer = Operation(
        method: .delete,
        id: "retireCustomer",
        topic: .customers,
        summary: "Retires a customer: it owns nothing from now on.",
        parameters: [customer] + Parameter.conditions,
        outcomes: [.ok("The customer, and what used it.", .json(.retiredCustomer))],
        problems: [.notFound, .storageFull, .preconditionFailed]
    )

    static let readStatement = Operation(
        method: .get,
        id: "readStatement",
        topic: .customers,
        summary: "What a customer used in a stretch of time, as a page to print.",
        details: """
            One HTML document that needs nothing else, without scripts. It shows the final usage \
            records and adjustments of the periods that end after `from` and not after `to`, and \
            their sums by meter type; no prices. At most \(Limits.statementRecordsMax) records are \
            read for it, those of periods that reach past `to` included.
            """,
        parameters: [
            customer,
            .query("from", .instant, "Periods that end after this.", isRequired: true),
            .query("to", .instant, "Periods that end at this or before.", isRequired: true), .asOf,
        ],
        outcomes: [.ok("The statement.", .text("text/html"))],
        problems: [.notFound, .positionUnknown]
    )

    static let listSubjects = Operation(
        method: .get,
        id: "listSubjects",
        topic: .customers,
        summary: "Lists subjects that used something, are enrolled, or are owned.",
        details: "A page may hold fewer items than `limit`, or none, while `next` is there.",
        parameters: [
            .query("q", .text, "What the subject begins with."),
            .flag("unowned", "Only those that nobody owns."), .at, .asOf,
        ] + Parameter.paging,
        outcomes: [
            .ok(
                "A page of subjects.",
                .json(
                    .page(
                        of: .answer([
                            .required("subject", .subject), .optional("customer", .customerKey),
                        ])
                    )
                )
            )
        ],
        problems: [.positionUnknown]
    )
}

extension Schema {
    static let customerKey = text(
        atLeast: 1,
        atMost: Limits.customerKeyBytesMax,
        pattern: "^[A-Za-z0-9._-]+$"
    )
    .named("CustomerKey", "The key of a customer.")

    private static let ownership = either([
        subject,
        request([
            .required("subject", subject), .optional("from", instant), .optional("to", instant),
        ]),
    ])
    .named("Ownership", "A subject; of all time, or between two times.")

    private static let customerFields: [Field] = [
        .optional("key", customerKey, "As in the address."),
        .optional(
            "name",
            text(atMost: MeterTypeDocument.nameBytesMax),
            "For people; the key if left out."
        ),
        .optional(
            "timezone",
            text(atMost: MeterTypeDocument.timezoneBytesMax),
            "An IANA name; UTC where left out."
        ),
        .optional("category", text(atMost: MeterTypeDocument.categoryBytesMax)),
        .optional("externalRef", text(atMost: MeterTypeDocument.externalRefBytesMax)),
        .optional("metadata", metadata),
        .optional("subjects", list(of: ownership, atMost: Limits.customerSubjectsMax)),
    ]

    static let customerDefinition = request(customerFields).named("CustomerDefinition")

    private static let keptFields: [Field] =
        customerFields.requiring("key", "name", "timezone", "subjects") + [
            .required("createdAt", instant), .required("changedAt", instant),
            .optional("retiredAt", instant),
        ]

    static let customer = answer(keptFields).named("Customer")

    static let retiredCustomer = answer(keptFields + [.required("usedBy", users)])
        .named("RetiredCustomer")

    /// What uses what was retired.
    static let users = answer([
        .optional("meters", list(of: meterID)), .optional("customers", list(of: customerKey)),
        .optional("more", flag, "There when there are more meters than are listed."),
    ])
    .named("Users", "What used it.")
}
