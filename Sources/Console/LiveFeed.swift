import NIOCore
import ServiceLifecycle
import WireFormat

/// A stream of server-sent events: a question, asked again after each pause.
struct LiveFeed: AsyncSequence, Sendable {
    /// What one asking brought.
    struct Turn: Sendable {
        var events: [(name: String, data: JSONValue)]
        /// Handed to the next turn.
        var seen: String
    }

    /// A stream that nobody closed ends after so many turns; the browser asks again.
    private static let turnsMax = 900

    private let seat: LiveSeat
    private let pause: Duration
    private let rest: @Sendable (Duration) async throws -> Void
    private let ask: @Sendable (_ seen: String) async throws -> Turn

    init(
        seat: LiveSeat,
        pause: Duration,
        rest: @escaping @Sendable (Duration) async throws -> Void,
        ask: @escaping @Sendable (_ seen: String) async throws -> Turn
    ) {
        (self.seat, self.pause) = (seat, pause)
        (self.rest, self.ask) = (rest, ask)
    }

    func makeAsyncIterator() -> Iterator { Iterator(feed: self) }

    struct Iterator: AsyncIteratorProtocol {
        let feed: LiveFeed
        var turns = 0
        var seen = ""

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
            // A comment where there is nothing to tell: who has gone is noticed by writing.
            guard !turn.events.isEmpty else { return ByteBuffer(string: ":\n\n") }
            var text = turns == 1 ? "retry: 3000\n" : ""
            for event in turn.events {
                let data = String(decoding: event.data.serialized(), as: UTF8.self)
                text += "event: \(event.name)\ndata: \(data)\n\n"
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
