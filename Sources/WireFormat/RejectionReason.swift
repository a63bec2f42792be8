import UsageModel

/// Why one event was not accepted; the raw value is the code on the wire and in quarantine.
///
/// Where an event has several faults one is reported, in this order: `event-too-large`; then the
/// fault in its bytes that comes first (encoding, names, depth, numbers); then its attributes in
/// the order `specversion`, `id`, `source`, `type`, `subject`, `time`, data and extensions.
public enum RejectionReason: String, CaseIterable, Hashable, Sendable {
    /// The line of an NDJSON body is not JSON.
    case malformedJSON = "malformed-json"
    /// The element or line is JSON, but no object.
    case notAnObject = "not-an-object"
    /// Longer than ``Limits/eventBytesMax``.
    case eventTooLarge = "event-too-large"

    // In the bytes. The structure can be followed all the same.
    case invalidUTF8 = "invalid-utf8"
    /// `\u0000` or a zero byte inside a string.
    case nulCharacter = "nul-character"
    /// A control character that is not escaped, inside a string.
    case controlCharacter = "control-character"
    case loneSurrogate = "lone-surrogate"
    case invalidEscape = "invalid-escape"
    case duplicateMember = "duplicate-member"
    case tooManyMembers = "too-many-members"
    case tooDeep = "too-deep"
    case numberTooLong = "number-too-long"
    /// The exponent is past ``Limits/numberExponentMax``.
    case numberOutOfRange = "number-out-of-range"

    // In the attributes.
    case specversionUnsupported = "specversion-unsupported"
    case idMissing = "id-missing"
    case idNotString = "id-not-string"
    case idEmpty = "id-empty"
    case idTooLong = "id-too-long"
    case sourceMissing = "source-missing"
    case sourceNotString = "source-not-string"
    case sourceEmpty = "source-empty"
    case sourceTooLong = "source-too-long"
    case typeMissing = "type-missing"
    case typeNotString = "type-not-string"
    case typeEmpty = "type-empty"
    case typeTooLong = "type-too-long"
    case subjectMissing = "subject-missing"
    case subjectNotString = "subject-not-string"
    case subjectEmpty = "subject-empty"
    case subjectTooLong = "subject-too-long"
    case timeMissingOffset = "time-missing-offset"
    case timeInvalid = "time-invalid"
    /// An extension attribute that is an object or array, `data_base64` that is no string, or both
    /// `data` and `data_base64`.
    case attributeInvalid = "attribute-invalid"

    /// Not the decoder's verdict: the same key came before with other content.
    case conflict
    /// Not the decoder's verdict: a validation rule rejects it.
    case ruleFailed = "rule-failed"
}

extension RejectionReason {
    /// What is wrong and what to do, in one sentence, without anything from the event.
    public var explanation: String {
        switch self {
        case .malformedJSON: "the line is not JSON"
        case .notAnObject: "an event is a JSON object"
        case .eventTooLarge: "an event has at most \(Limits.eventBytesMax) bytes"
        case .invalidUTF8: "a string is not valid UTF-8"
        case .nulCharacter: "a string contains the NUL character"
        case .controlCharacter: "a control character in a string must be escaped"
        case .loneSurrogate: "an escape names one half of a surrogate pair"
        case .invalidEscape: "a backslash is followed by no escape that JSON knows"
        case .duplicateMember: "an object has two members with this name"
        case .tooManyMembers: "an object has at most \(Limits.objectMembersMax) members"
        case .tooDeep: "objects and arrays are at most \(Limits.eventDepthMax) levels deep"
        case .numberTooLong: "a number has at most \(Limits.numberBytesMax) bytes"
        case .numberOutOfRange: "an exponent is at most \(Limits.numberExponentMax), either sign"
        case .timeMissingOffset:
            "the time has no offset from UTC; end it with \"Z\" or an offset such as \"+01:00\""
        case .timeInvalid: "the time is not an RFC 3339 text such as \"2026-11-01T12:00:00Z\""
        case .attributeInvalid: "the attribute has a kind of value it cannot have"
        case .ruleFailed: "a validation rule rejects the event"
        case .conflict: "an event with this source and id is known with other content"
        case .specversionUnsupported: "the specversion must be \"1.0\""
        default: attributeExplanation
        }
    }

    private var attributeExplanation: String {
        switch self {
        case .idMissing: "the event has no id"
        case .idNotString: "the id must be a string"
        case .idEmpty: "the id is empty"
        case .idTooLong: "an id has at most \(Limits.keyFieldBytesMax) bytes"
        case .sourceMissing: "the event has no source"
        case .sourceNotString: "the source must be a string"
        case .sourceEmpty: "the source is empty"
        case .sourceTooLong: "a source has at most \(Limits.keyFieldBytesMax) bytes"
        case .typeMissing: "the event has no type"
        case .typeNotString: "the type must be a string"
        case .typeEmpty: "the type is empty"
        case .typeTooLong: "a type has at most \(Limits.eventTypeBytesMax) bytes"
        case .subjectMissing: "the event has no subject"
        case .subjectNotString: "the subject must be a string"
        case .subjectEmpty: "the subject is empty"
        case .subjectTooLong: "a subject has at most \(Limits.subjectBytesMax) bytes"
        default: rawValue
        }
    }
}
