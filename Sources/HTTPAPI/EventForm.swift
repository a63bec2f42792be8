import HTTPTypes
import WireFormat

/// How a call spells its events: by content type, or in CloudEvents' binary mode.
enum EventForm {
    case framed(EventFraming)
    /// The attributes are headers, the body is the data.
    case binary(contentType: String?)

    /// - Throws: `unsupported-media-type`.
    init(_ headers: HTTPFields) throws(Refusal) {
        let whole = headers[.contentType]
        // What most callers send, without a second look.
        if whole == "application/json", !Self.hasAttributes(headers) {
            self = .framed(.plain)
            return
        }
        let media = whole.map { MediaType($0) }
        // The specification of the HTTP binding asks in this order.
        if let media, media.name.hasPrefix("application/cloudevents") {
            switch media.name {
            case "application/cloudevents+json": self = .framed(.cloudEvent)
            case "application/cloudevents-batch+json": self = .framed(.cloudEventBatch)
            default: throw Self.refusal(media.name)
            }
        } else if Self.hasAttributes(headers) {
            self = .binary(contentType: whole)
            return
        } else {
            switch media?.name {
            case "application/json": self = .framed(.plain)
            case "application/x-ndjson", "application/jsonl", "application/ndjson":
                self = .framed(.ndjson)
            default: throw Self.refusal(media?.name)
            }
        }
        if let charset = media?.charset, charset != "utf-8", charset != "utf8" {
            throw Refusal(.unsupportedMediaType, "events are UTF-8, not \(charset)")
        }
    }

    private static func hasAttributes(_ headers: HTTPFields) -> Bool {
        headers.contains { $0.name.canonicalName.hasPrefix("ce-") }
    }

    private static func refusal(_ name: String?) -> Refusal {
        let what = name.map { "\($0) is not" } ?? "a call without a content type is not"
        return Refusal(.unsupportedMediaType, "\(what) read here")
    }
}

/// A content type: its name in small letters, and its charset.
struct MediaType {
    var name: String
    var charset: String?

    init(_ text: String) {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        name = Self.trimmed(parts[0]).lowercased()
        for part in parts.dropFirst() {
            let halves = part.split(separator: "=", maxSplits: 1)
            guard halves.count == 2, Self.trimmed(halves[0]).lowercased() == "charset" else {
                continue
            }
            charset = Self.trimmed(halves[1]).filter { $0 != "\"" }.lowercased()
        }
    }

    static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
