import NIOCore
import ServiceLifecycle
import WireFormat

/// A stream of server-sent events: a question, asked again after each pause.
struct LiveFeed: AsyncSequence, Sendable {
    /// What one asking brought.
    struct Turn: Sendable {
        struct Event: Sendable {
            var name: String
            var data: JSONValue
            /// Where a browser that lost the stream goes on after it.
            var id: String?
        }

        var events: [Event]
        /// Handed to the next turn; where it is not empty, the browser is told.
        var seen: String
    }

    /// A stream that nobody closed ends after so many turns; the browser asks again.
    private static let turnsMax = 900

    private let seat: LiveSeat
    private let pause: Duration
    private let rest: @Sendable (Duration) async throws -> Void
    private let start: String
    private let ask: @Sendable (_ seen: String) async throws -> Turn

    /// - Parameter start: What the first turn is handed.
    init(
        seat: LiveSeat,
        start: String = "",
        pause: Duration,
        rest: @escaping @Sendable (Duration) async throws -> Void,
        ask: @escaping @Sendable (_ seen: String) async throws -> Turn
    ) {
        (self.seat, self.pause) = (seat, pause)
        (self.rest, self.start, self.ask) = (rest, start, ask)
    }

    func makeAsyncIterator() -> Iterator { Iterator(feed: self, seen: start) }

    struct Iterator: AsyncIteratorProtocol {
        let feed: LiveFeed
        var turns = 0
        var seen: String

        /// nil where the server shuts down, nobody listens any more, or the API does not answer.
        mutating func next() async throws -> ByteBuffer? {
            turns += 1
            guard turns <= LiveFeed.turnsMax else { return nil }
            if turns > 1 {
                let (rest, pause) = (feed.rest, feed.pause)
                do { try await cancelWhenGracefulShutdown { try await rest(pause) } } catch {
                    return nil
                }
            }
            guard let turn = try? await feed.ask(seen) else { return nil }
            seen = turn.seen
            var text = turns == 1 ? "retry: 3000\n" : ""
            for event in turn.events {
                let data = String(decoding: event.data.serialized(), as: UTF8.self)
                if let id = event.id { text += "id: \(id)\n" }
                text += "event: \(event.name)\ndata: \(data)\n\n"
            }
            // Something is written each turn, if only a comment: who has gone is noticed by
            // writing.
            if !seen.isEmpty {
                text += "id: \(seen)\n\n"
            } else if turn.events.isEmpty {
                text += ":\n\n"
            }
            return ByteBuffer(string: text)
        }
    }
}

/// A place among the open streams; it is given back when nothing holds it any more.
final class LiveSeat: Sendable {
    private let streams: StreamCount

    /// nil where no place is free.
    init?(_ streams: StreamCount) {
        guard streams.enter() else { return nil }
        self.streams = streams
    }

    deinit { streams.leave() }
}
