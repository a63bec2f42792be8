import Testing

/// What only a socket shows. The bytes on the wire are written out, so that no client library is
/// polite on our behalf.
///
/// The limit only ends a hang: other tests share the threads, and a busy machine has few to give.
@Suite("On a live port", .serialized, .timeLimit(.minutes(5))) struct LiveTests {
    /// One more than the limit of ``LiveServer``.
    private static let tooMany = 100_001

    private static func head(bytes: Int?, _ more: String...) -> String {
        let length = bytes.map { ["Content-Length: \($0)"] } ?? []
        let lines = [
            "POST /v1/events HTTP/1.1", "Host: localhost", "Content-Type: application/json",
        ]
        return (lines + length + more).joined(separator: "\r\n") + "\r\n\r\n"
    }

    private static func chunk(_ text: String) -> String {
        "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n"
    }

    @Test("a body announced over the limit is answered before it comes, then the connection closes")
    func tooLarge() async throws {
        try await LiveServer.run { server in
            try await Wire.with(server.port) { wire in
                try await wire.send(Self.head(bytes: Self.tooMany))
                let answer = try await wire.read(until: "}")
                #expect(answer.hasPrefix("HTTP/1.1 413 "))
                #expect(answer.contains("/problems/body-too-large"))
                #expect(answer.lowercased().contains("connection: close"))

                try await wire.send(String(repeating: " ", count: Self.tooMany))
                let rest = try await wire.readToEnd()
                #expect(rest.isEmpty)
            }
        }
    }

    @Test("who waits for 100 gets it, unless the body would be refused")
    func continues() async throws {
        let event = Edge.event("a")
        try await LiveServer.run { server in
            try await Wire.with(server.port) { wire in
                try await wire.send(Self.head(bytes: event.utf8.count, "Expect: 100-continue"))
                let go = try await wire.read(until: "\r\n\r\n")
                #expect(go.hasPrefix("HTTP/1.1 100 "))

                try await wire.send(event)
                let answer = try await wire.read(until: "\"items\":[]}")
                #expect(answer.hasPrefix("HTTP/1.1 200 "))
            }
            try await Wire.with(server.port) { wire in
                try await wire.send(Self.head(bytes: Self.tooMany, "Expect: 100-continue"))
                let answer = try await wire.read(until: "\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 413 "))
            }
        }
    }

    @Test("a chunked body is read, and refused as soon as it is over the limit")
    func chunks() async throws {
        let head = Self.head(bytes: nil, "Transfer-Encoding: chunked")
        let filler = Self.chunk(String(repeating: " ", count: 60_000))
        try await LiveServer.run { server in
            try await Wire.with(server.port) { wire in
                try await wire.send(head + Self.chunk(Edge.event("a")) + "0\r\n\r\n")
                let answer = try await wire.read(until: "\"items\":[]}")
                #expect(answer.hasPrefix("HTTP/1.1 200 "))

                try await wire.send(head + filler + filler)
                let refused = try await wire.read(until: "}")
                #expect(refused.hasPrefix("HTTP/1.1 413 "))
                try await wire.send("0\r\n\r\n")
                _ = try await wire.readToEnd()
            }
        }
    }

    @Test("calls sent one behind the other are answered one behind the other")
    func pipelined() async throws {
        let calls = (1...20).map { number in
            let event = Edge.event("e\(number)")
            return Self.head(bytes: event.utf8.count) + event
        }
        try await LiveServer.run { server in
            try await Wire.with(server.port) { wire in
                try await wire.send(calls.joined())
                for number in 1...20 {
                    let answer = try await wire.read(until: "\"items\":[]}")
                    #expect(answer.hasPrefix("HTTP/1.1 200 "))
                    #expect(answer.contains("\"position\":\"\(number)\""))
                }
            }
        }
    }

    /// Goal: nobody who was let in goes without an answer. Method: a call's head and half of its
    /// body are in when shutdown begins; once no further connection is taken, the rest follows.
    @Test("a call that was let in is answered though the server shuts down")
    func shutdown() async throws {
        let event = Edge.event("a")
        try await LiveServer.run { server in
            try await Wire.with(server.port) { wire in
                try await wire.send(Self.head(bytes: event.utf8.count, "Expect: 100-continue"))
                // This shows that the head was read: the call is in.
                _ = try await wire.read(until: "\r\n\r\n")
                try await wire.send(String(event.prefix(40)))

                await server.shutDown()
                while (try? await Wire.with(server.port) { _ in }) != nil { await Task.yield() }
                try await wire.send(String(event.dropFirst(40)))
                let answer = try await wire.readToEnd()

                #expect(answer.hasPrefix("HTTP/1.1 200 "))
                #expect(answer.contains("\"accepted\":1"))
            }
        }
    }
}
