import HTTPTypes
import UsageModel
import WireFormat

/// The audit trail.
extension Operation {
    static let listAudit = Operation(
        method: .get,
        id: "listAudit",
        topic: .audit,
        summary: "Lists who changed what, when, from where and why; newest first.",
        details: """
            Every change of a meter type, a meter, a customer or a destination is one entry, made \
            in the transaction of the change, and so is what was asked for by hand: periods \
            closed, deliveries sent again, tests. With `format=ndjson` or \
            `Accept: application/x-ndjson` an entry a line, oldest first, for export; `Link` \
            leads to the next page. Names are what callers say of themselves, in \
            `Odometer-Actor`.
            """,
        parameters: [
            .query("kind", .list(of: .words(AuditKind.self)), "Only of these; may repeat."),
            .query("key", .list(of: .text), "Only of things with these keys; may repeat."),
            .query("actor", .list(of: .text), "Only by these; may repeat."),
            .query("action", .list(of: .words(AuditAction.self)), "Only these; may repeat."),
            .query("from", .instant, "Only from this time on."),
            .query("to", .instant, "Only before this time."),
            .query("after", .count, "Only of later numbers."),
            .query(
                "format",
                .words(FrontDesk.AuditForm.self),
                "`json` unless `Accept` says otherwise."
            ),
        ] + Parameter.paging,
        outcomes: [
            Outcome(
                status: 200,
                what: "A page of entries.",
                contents: [
                    .json(.page(of: .auditEntry, [.required("head", .auditHead)])),
                    .text("application/x-ndjson"),
                ],
                headers: [
                    Header(
                        name: "Odometer-Audit-Head",
                        schema: .auditHead,
                        what: "With NDJSON: where the whole trail ends."
                    ),
                    Header(
                        name: "Link",
                        schema: .text,
                        what: "With NDJSON: the next page, while more follows."
                    ),
                ]
            )
        ],
        problems: [.notFound]
    )
}

extension Schema {
    static let auditHead = text(pattern: "^[0-9]+:[0-9a-f]{64}$")
        .named(
            "AuditHead",
            "Number and hash of the last entry; `0:` and zeros before the first. Who notes it "
                + "elsewhere can tell later whether entries are missing at the end."
        )

    private static let auditHash = text(pattern: "^[0-9a-f]{64}$")
    private static let auditThing = Schema(["type": "object"])

    static let auditEntry = answer([
        .required("number", count, "Dense from 1 over all entries."),
        .required("at", instant),
        .optional("actor", text, "Who, as the caller said; unverified."),
        .optional("address", text, "The peer of the connection, which may be a proxy."),
        .optional("client", text, "`User-Agent` of the call."),
        .required("action", words(AuditAction.self)),
        .required("kind", words(AuditKind.self), "What sort of thing."),
        .required("key", text, "Which one: a key, or the id of a meter."),
        .optional("before", auditThing, "The thing as it was, secrets hidden."),
        .optional("after", auditThing, "The thing as it is from then on, secrets hidden."),
        .optional("reason", text),
        .required("previous", auditHash, "The hash of the entry before; zeros for the first."),
        .required("hash", auditHash, "SHA-256 over all other fields."),
    ])
    .named("AuditEntry", "One change: who, when, from where, what, and why.")
}
