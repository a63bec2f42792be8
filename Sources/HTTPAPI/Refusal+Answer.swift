import HTTPTypes
import MeteringEngine
import UsageModel
import WireFormat

/// The one place where faults become problem documents (RFC 9457).
extension Refusal {
    init(_ error: LedgerError) {
        switch error.code {
        case .busy: self = .busy("the ledger takes nothing more at the moment")
        case .unavailable: self = .unavailable("the ledger is closed, or closing")
        case .full: self.init(.storageFull, "there is no space left to record in")
        case .corrupt: self.init(.storageCorrupt, "the ledger stopped at damaged bytes")
        case .device: self = .unavailable("the device refused to read or write")
        // These speak of what the caller asked for.
        case .notFound: self.init(.notFound, error.message)
        case .alreadyExists: self.init(.alreadyExists, error.message)
        case .retired: self.init(.retired, error.message)
        case .backfillRunning: self.init(.backfillRunning, error.message)
        case .backfillCancelled: self.init(.backfillCancelled, error.message)
        case .periodsClosed: self.init(.periodsClosed, error.message)
        case .selectionChanged: self.init(.selectionChanged, error.message)
        case .outdated: self = .busy("another change came before this one")
        case .valueOverflow: self.init(.valueOverflow, error.message)
        case .positionUnknown: self.init(.positionUnknown, error.message)
        case .limitExceeded: self.init(.limitExceeded, error.message)
        case .subjectOwned: self.init(.subjectOwned, error.message)
        case .invalidCorrection: self.init(.invalidField, error.message)
        case .setNotOpen: self.init(.setNotOpen, error.message)
        case .invalidDates: self.init(.invalidField, error.message)
        }
        faults = error.faults
    }

    init(_ fault: MalformedBody) {
        switch fault.fault {
        case .syntax: self.init(.malformedJSON, fault.description)
        case .tooManyEvents: self.init(.tooManyEvents, fault.reason)
        case .tooLarge: self.init(.bodyTooLarge, fault.reason)
        }
        offset = fault.offset
    }

    /// The document.
    ///
    /// - Parameters:
    ///   - instance: The path of the call, as it was sent.
    ///   - writeMore: Writes further members. They are not made a value first: they may tell of
    ///     what no value can hold, such as an id with the NUL character.
    func answer(
        instance: some StringProtocol,
        isPretty: Bool,
        writeMore: (inout JSONWriter) -> Void = { _ in }
    ) -> Answer {
        var extra: JSONObject = [:]
        if let offset { extra["offset"] = .number(String(offset)) }
        let problem = Problem(
            slug: type.rawValue,
            title: type.title,
            status: type.status,
            detail: detail,
            instance: String(instance),
            errors: faults.map {
                Problem.FieldFault(pointer: $0.pointer, reason: $0.reason, remedy: $0.remedy)
            },
            extra: extra
        )
        var json = JSONWriter(pretty: isPretty)
        json.object { json in
            for member in problem.document.objectValue?.members ?? [] {
                json.name(member.name)
                json.value(member.value)
            }
            writeMore(&json)
        }
        var answer = Answer(
            status: HTTPResponse.Status(code: type.status),
            headers: [.contentType: Problem.contentType],
            body: json.bytes
        )
        if let retryAfterSeconds { answer.headers[.retryAfter] = String(retryAfterSeconds) }
        if let allowed { answer.headers[.allow] = allowed }
        if type == .unsupportedEncoding { answer.headers[.acceptEncoding] = "gzip, zstd" }
        if closesConnection { answer.headers[.connection] = "close" }
        return answer
    }
}
