/// Every kind of problem this API answers with: the one place that spells them.
///
/// On the wire `type` is `/problems/` and the raw value; `docs/problems` has a page for each.
enum ProblemType: String, CaseIterable, Sendable {
    case notFound = "not-found"
    case methodNotAllowed = "method-not-allowed"
    case unknownParameter = "unknown-parameter"
    case unknownField = "unknown-field"
    case invalidField = "invalid-field"
    case malformedJSON = "malformed-json"
    case unsupportedMediaType = "unsupported-media-type"
    case unsupportedEncoding = "unsupported-encoding"
    case bodyTooLarge = "body-too-large"
    case tooManyEvents = "too-many-events"
    case atomicRefused = "atomic-refused"
    case busy = "busy"
    case storageFull = "storage-full"
    case storageUnavailable = "storage-unavailable"
    case storageCorrupt = "storage-corrupt"
    case internalFault = "internal-fault"
    case alreadyExists = "already-exists"
    case retired = "retired"
    case subjectOwned = "subject-owned"
    case backfillRunning = "backfill-running"
    case backfillCancelled = "backfill-cancelled"
    case valueOverflow = "value-overflow"
    case invalidCursor = "invalid-cursor"
    case positionUnknown = "position-unknown"
    case limitExceeded = "limit-exceeded"
    case itemChanged = "item-changed"
    case itemSettled = "item-settled"
    case selectionChanged = "selection-changed"
    case setNotOpen = "set-not-open"
    case periodsClosed = "periods-closed"
    case ruleChanged = "rule-changed"
    case repairRuleChanged = "repair-rule-changed"
    case hostUnknown = "host-unknown"
    case pageForeign = "page-foreign"
    case preconditionFailed = "precondition-failed"

    var status: Int {
        switch self {
        case .unknownParameter, .unknownField, .malformedJSON, .invalidCursor: 400
        case .pageForeign: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .alreadyExists, .retired, .subjectOwned, .backfillRunning, .backfillCancelled,
            .itemChanged, .itemSettled, .selectionChanged, .setNotOpen, .periodsClosed,
            .ruleChanged,
            .repairRuleChanged:
            409
        case .preconditionFailed: 412
        case .bodyTooLarge, .tooManyEvents: 413
        case .unsupportedMediaType, .unsupportedEncoding: 415
        case .hostUnknown: 421
        case .invalidField, .atomicRefused, .valueOverflow, .positionUnknown, .limitExceeded: 422
        case .internalFault, .storageCorrupt: 500
        case .busy, .storageUnavailable: 503
        case .storageFull: 507
        }
    }

    /// The same for every problem of the type; what differs stands in `detail`.
    var title: String {
        switch self {
        case .notFound: "There is nothing here"
        case .methodNotAllowed: "This address does not take this method"
        case .unknownParameter: "The query has a parameter that this address does not know"
        case .unknownField: "The body has a field that is not known"
        case .invalidField: "A field or parameter has a value it cannot have"
        case .malformedJSON: "The body is not JSON"
        case .unsupportedMediaType: "The content type is not one this address reads"
        case .unsupportedEncoding: "The content encoding cannot be unpacked"
        case .bodyTooLarge: "The body is too large"
        case .tooManyEvents: "The body holds too many events"
        case .atomicRefused: "An atomic call held an event that cannot be counted"
        case .busy: "Too much is under way"
        case .storageFull: "The storage is full"
        case .storageUnavailable: "The storage cannot be used now"
        case .storageCorrupt: "Stored bytes contradict their checksum"
        case .internalFault: "Something broke on our side"
        case .alreadyExists: "The name is taken by another definition"
        case .retired: "The meter type or customer is retired"
        case .subjectOwned: "Another customer owns the subject at that time"
        case .backfillRunning: "The history is still being counted"
        case .backfillCancelled: "The history was never counted"
        case .valueOverflow: "A sum does not fit a quantity"
        case .invalidCursor: "The cursor is not one of this query's"
        case .positionUnknown: "The position lies in the future"
        case .limitExceeded: "A limit is exceeded"
        case .itemChanged: "Another change of the item came before"
        case .itemSettled: "The state of the item does not allow it"
        case .selectionChanged: "What would be changed is no longer what was expected"
        case .setNotOpen: "The backfill set takes no events"
        case .periodsClosed: "The change reaches into closed periods"
        case .ruleChanged: "Another change of the rule came before"
        case .repairRuleChanged: "Another change of the repair rule came before"
        case .hostUnknown: "This server does not go by that name"
        case .pageForeign: "A page of another site sent the call"
        case .preconditionFailed: "Another change came before"
        }
    }

    /// What the caller can do; the text of `GET /problems/…`.
    var remedy: String {
        switch self {
        case .notFound: "Check the address; names in it are percent-encoded."
        case .methodNotAllowed: "Use one of the methods that the Allow header lists."
        case .unknownParameter:
            "Take the parameter out, or correct its name: `errors` lists those that are known."
        case .unknownField:
            "Take the field out, or correct its name. Some fields are not supported yet."
        case .invalidField: "Correct what `errors` lists: where, why, and what to do."
        case .malformedJSON:
            "Correct the body at the byte `offset`. Nothing of the call was recorded. "
                + "(In NDJSON a broken line is rejected alone.)"
        case .unsupportedMediaType:
            "Send events as application/json, application/x-ndjson, application/cloudevents+json "
                + "or application/cloudevents-batch+json, or in CloudEvents' binary mode."
        case .unsupportedEncoding: "Send the body plain, or packed whole with gzip or zstd."
        case .bodyTooLarge:
            "Send less in one call. The limit holds for the body as sent and as unpacked."
        case .tooManyEvents: "Send fewer events in one call."
        case .atomicRefused:
            "Nothing was recorded. Correct or take out the events in `items` and send again, "
                + "or send without `atomic`."
        case .busy: "Send the same call again after the seconds in the Retry-After header."
        case .storageFull:
            "Nothing of the call was recorded, and what was acknowledged is safe. "
                + "An operator must make space; then send the call again."
        case .storageUnavailable: "Send the same call again; sending twice counts nothing twice."
        case .storageCorrupt:
            "An operator must look at the log and run `odometer verify`. "
                + "Sending again counts nothing twice."
        case .internalFault:
            "Send again; if it stays, tell the operator the time of the call."
        case .alreadyExists:
            "PATCH makes another version of a meter type, and changes an enrolled meter. Or use "
                + "another key, or send the same definition."
        case .retired: "What is retired counts nothing, and owns nothing, further. Use another key."
        case .subjectOwned:
            "End the one ownership where the other begins: each event has one owner at most."
        case .backfillRunning: "Wait until `backfill.state` of the meter type is `done`."
        case .backfillCancelled:
            "PATCH the meter type: a new version counts the history anew."
        case .valueOverflow:
            "Ask for a shorter range or fewer subjects, so that the sum fits 1.7·10^20."
        case .invalidCursor:
            "Pass the cursor as it was given, with the same parameters; or begin without one."
        case .positionUnknown: "Ask as of a position that an answer of this server has named."
        case .limitExceeded: "Ask for less at once; `detail` names the limit."
        case .itemChanged:
            "Look at `current`, the item as it stands, decide anew, and send its version."
        case .itemSettled:
            "Only open items are edited, released and discarded; a discarded one can be reopened."
        case .periodsClosed:
            "Preview the change; then let it begin later, or consent with `restate`."
        case .selectionChanged: "Look at a dry run again, and send the number that it tells."
        case .setNotOpen: "Open another set for them; several can be closed one after the other."
        case .hostUnknown, .pageForeign, .preconditionFailed: remedyByHeaders
        case .ruleChanged, .repairRuleChanged:
            "Look at `current`, the rule as it stands, decide anew, and send its version."
        }
    }

    /// Of what the headers of a call were refused for.
    private var remedyByHeaders: String {
        switch self {
        case .hostUnknown:
            "Ask localhost or 127.0.0.1. Start the server with `--allow-host NAME` where a proxy "
                + "or a container leads to it by another name."
        case .pageForeign:
            "Nothing was changed. Send it from a program, or through a proxy of your own; start "
                + "the server with `--allow-host NAME` for pages under that name."
        default:
            "Nothing was changed. Look at `current`, what stands now, decide anew, and send with "
                + "the ETag of this answer."
        }
    }
}
