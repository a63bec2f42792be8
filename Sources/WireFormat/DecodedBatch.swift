public import UsageModel

/// How the events of a body are laid out.
public enum EventFraming: Hashable, Sendable {
    /// `application/cloudevents+json`: one object, `specversion` required.
    case cloudEvent
    /// `application/cloudevents-batch+json`: an array of objects, `specversion` required.
    case cloudEventBatch
    /// `application/json`: an object or an array of objects.
    case plain
    /// `application/x-ndjson`: an object per line.
    case ndjson
}

/// One event that keeps every rule of the wire; its slices point into ``DecodedBatch/bytes``.
public struct DecodedEvent: Hashable, Sendable {
    /// The place in the call, counted from 0; rejected events have a place too.
    public var index: UInt32
    /// The event's JSON object as received.
    public var whole: ByteSlice
    /// The text, without quotes and escapes.
    public var source: ByteSlice
    public var id: ByteSlice
    public var type: ByteSlice
    public var subject: ByteSlice
    /// The JSON value as received; empty where the event has no `data`.
    public var data: ByteSlice
    /// Meaningless unless ``hasTime``.
    public var time: Instant
    /// False where the event has no `time`: it took place when it arrived.
    public var hasTime: Bool

    public init(
        index: UInt32,
        whole: ByteSlice,
        source: ByteSlice,
        id: ByteSlice,
        type: ByteSlice,
        subject: ByteSlice,
        data: ByteSlice,
        time: Instant?
    ) {
        (self.index, self.whole, self.source, self.id) = (index, whole, source, id)
        (self.type, self.subject, self.data) = (type, subject, data)
        self.time = time ?? Instant(microseconds: 0)
        hasTime = time != nil
    }
}

/// One event that breaks a rule of the wire.
public struct RejectedEvent: Hashable, Sendable {
    /// The place in the call, counted from 0.
    public var index: UInt32
    public var reason: RejectionReason
    /// The member at fault as a JSON pointer (RFC 6901) into the event; empty for the event as
    /// such. Where a name on the way is longer than 256 bytes, the pointer ends before it.
    public var pointer: String
    /// The reason in words, with nothing from the event.
    public var detail: String
    /// The event as received; for an NDJSON line that is not JSON, the line.
    public var whole: ByteSlice
    /// The text, where it is known and sound; else empty.
    public var source: ByteSlice
    public var id: ByteSlice
    public var type: ByteSlice
    /// The line in an NDJSON body, counted from 1; 0 in other framings.
    public var line: UInt32
    /// The byte of the body that shows the fault.
    public var offset: UInt32

    public init(
        index: UInt32,
        reason: RejectionReason,
        pointer: String,
        detail: String,
        whole: ByteSlice,
        source: ByteSlice = .empty,
        id: ByteSlice = .empty,
        type: ByteSlice = .empty,
        line: UInt32 = 0,
        offset: UInt32 = 0
    ) {
        (self.index, self.reason, self.pointer, self.detail) = (index, reason, pointer, detail)
        (self.whole, self.source, self.id, self.type) = (whole, source, id, type)
        (self.line, self.offset) = (line, offset)
    }
}

/// What a body holds. `received == events.count + rejected.count`.
public struct DecodedBatch: Sendable {
    /// The body as it came (the spaces at its end may be gone); behind it, perhaps past a zero
    /// byte, the text of attributes that were spelled with escapes.
    public var bytes: [UInt8]
    public var events: [DecodedEvent]
    public var rejected: [RejectedEvent]

    public var received: Int { events.count + rejected.count }

    public init(bytes: [UInt8], events: [DecodedEvent], rejected: [RejectedEvent]) {
        (self.bytes, self.events, self.rejected) = (bytes, events, rejected)
    }
}

/// A body of which nothing was taken.
public struct MalformedBody: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Fault: String, Hashable, Sendable {
        /// Not JSON, or not the JSON the content type promises.
        case syntax
        /// More than ``Limits/batchEventsMax`` events.
        case tooManyEvents
        /// More than 2 GiB: past what a slice can name. (The edge refuses bodies long before.)
        case tooLarge
    }

    public var fault: Fault
    /// The byte at fault, from the start of the body; its length if the body ends too early.
    public var offset: Int
    /// What was expected, with nothing from the body.
    public var reason: String

    public init(fault: Fault = .syntax, offset: Int, reason: String) {
        (self.fault, self.offset, self.reason) = (fault, offset, reason)
    }

    public var description: String { "at byte \(offset): \(reason)" }
}
