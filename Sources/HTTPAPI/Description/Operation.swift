import HTTPTypes
import UsageModel
import WireFormat

/// One call of the API, described: what it takes, what it answers, and what can go wrong.
///
/// `Route.operations` lists them; methods, the document at `/openapi.json` and `docs/api` all
/// follow from there, and the tests hold every answer against it.
struct Operation: Sendable {
    var method: HTTPRequest.Method
    /// Stable, for generated clients.
    var id: String
    var topic: Topic
    var summary: String
    /// What the summary leaves out, in Markdown.
    var details = ""
    var parameters: [Parameter] = []
    var body: Body?
    var outcomes: [Outcome]
    /// Those of this call; what every call of its kind can answer is added by ``allProblems``.
    var problems: [ProblemType] = []
    /// Whether parameters that are not known are refused; `pretty` is known everywhere then.
    var judgesQuery = true
    var asksLedger = true
    /// Whether something asks it that only wants to know if the server is there.
    var isProbe = false
    /// Whether a call that is no `GET` changes what the audit trail speaks of.
    var changesThings = true

    /// What the pages are divided by.
    enum Topic: String, CaseIterable, Sendable {
        case events = "Events"
        case meterTypes = "Meter types"
        case meters = "Meters"
        case customers = "Customers"
        case readings = "Readings"
        case records = "Usage records"
        case destinations = "Destinations"
        case corrections = "Corrections"
        case backfillSets = "Backfill sets"
        case quarantine = "Quarantine"
        case validation = "Validation"
        case books = "Books"
        case audit = "Audit"
        case operating = "Operation"

        /// The name of its page.
        var page: String { rawValue.lowercased().replacing(" ", with: "-") }
    }

    struct Parameter: Sendable {
        enum Place: String, Sendable { case path, query, header }

        var name: String
        var place: Place
        var schema: Schema
        var what: String
        var isRequired = false
        /// Whether it means something without a value.
        var mayBeEmpty = false
    }

    struct Body: Sendable {
        var what: String
        var contents: [Content]
    }

    struct Content: Sendable {
        var type: String
        var schema: Schema
        var example: JSONValue?

        static func json(_ schema: Schema, example: JSONValue? = nil) -> Content {
            Content(type: "application/json", schema: schema, example: example)
        }

        static func text(_ type: String = "text/plain") -> Content {
            Content(type: type, schema: .text)
        }
    }

    struct Outcome: Sendable {
        var status: Int
        var what: String
        var contents: [Content] = []
        var headers: [Header] = []

        static func ok(_ what: String, _ contents: Content...) -> Outcome {
            Outcome(status: 200, what: what, contents: contents)
        }
    }

    struct Header: Sendable {
        var name: String
        var schema: Schema
        var what: String
    }

    /// All parameters, in the order in which they are described.
    var allParameters: [Parameter] {
        parameters + (isAudited ? [.actor, .reason] : []) + (judgesQuery ? [.pretty] : [])
    }

    /// Whether it leaves an entry in the audit trail, where it changes something.
    var isAudited: Bool { method != .get && changesThings }

    /// All that can go wrong, each type once.
    var allProblems: [ProblemType] {
        var problems = problems
        if judgesQuery { problems += [.unknownParameter, .invalidField, .limitExceeded] }
        if parameters.contains(where: { $0.name == "cursor" }) { problems.append(.invalidCursor) }
        if asksLedger { problems += [.busy, .storageUnavailable, .storageCorrupt] }
        if body != nil {
            problems += [.bodyTooLarge, .unsupportedMediaType, .unsupportedEncoding]
            problems += [.malformedJSON, .storageFull]
        }
        if isAudited { problems.append(.storageFull) }
        if !isProbe { problems.append(.hostUnknown) }
        if method != .get { problems.append(.pageForeign) }
        return ProblemType.allCases.filter(problems.contains)
    }
}

extension Operation.Outcome {
    /// With the tag that `If-Match` takes.
    var tagged: Self {
        var outcome = self
        let what = "What stands now, for `If-Match`."
        outcome.headers.append(Operation.Header(name: "ETag", schema: .text, what: what))
        return outcome
    }
}

extension Operation.Parameter {
    static func path(_ name: String, _ schema: Schema, _ what: String) -> Self {
        Self(name: name, place: .path, schema: schema, what: what, isRequired: true)
    }

    static func query(
        _ name: String,
        _ schema: Schema,
        _ what: String,
        isRequired: Bool = false
    ) -> Self {
        Self(name: name, place: .query, schema: schema, what: what, isRequired: isRequired)
    }

    /// Set by its name alone, `=true` or `=1`.
    static func flag(_ name: String, _ what: String) -> Self {
        let words = Schema.words(["", "true", "1", "false", "0"])
        return Self(name: name, place: .query, schema: words, what: what, mayBeEmpty: true)
    }

    static func header(_ name: String, _ schema: Schema, _ what: String) -> Self {
        Self(name: name, place: .header, schema: schema, what: what)
    }

    static let pretty = flag("pretty", "Indents the answer.")
    static let range = [
        query("from", .instant, "From this time on; all time before `to` where left out."),
        query("to", .instant, "Before this time; all time from `from` on where left out."),
    ]
    static let asOf = query(
        "asOf",
        .knowledge,
        "What was known then: at this position, or by this instant."
    )
    static let at = query("at", .instant, "The time asked about; now where left out.")
    static let paging = [
        query(
            "limit",
            .whole(in: 1...Query.limitMax),
            "The most items of the page; 100 unless said."
        ),
        query(
            "cursor",
            .text,
            "The `next` of the page before; the other parameters stay the same."
        ),
    ]
    /// For calls that make something and are idempotent by what they are given.
    static let idempotencyKey = header(
        "Idempotency-Key",
        .text,
        "Accepted. What is sent makes the call idempotent by itself, so the key adds nothing."
    )
    static let actor = header(
        AuthorHeaders.actor.rawName,
        .text(atMost: Limits.authorBytesMax),
        "Who makes the change, for the audit trail: unverified, for there is no sign-in yet."
    )
    static let reason = header(
        AuthorHeaders.reason.rawName,
        .text(atMost: Limits.reasonBytesMax),
        "Why, for the audit trail."
    )
    /// For what is changed as a whole.
    static let conditions = [
        header(
            "If-Match",
            .text,
            "The `ETag` that was read: the change is made to that alone, otherwise 412. A change "
                + "that changes nothing succeeds."
        ),
        header("If-None-Match", .text, "`*`: make it, and replace nothing."),
    ]
    static let contentEncoding = header(
        "Content-Encoding",
        .words(["", "identity", "gzip", "x-gzip", "zstd"]),
        "How the body is packed."
    )
}
