import WireFormat

/// An address of the Console, and what is there.
struct PageRoute: Sendable {
    typealias Answering = @Sendable (Visit) async throws -> Reply

    /// Such as `/console/meters/{id}`; a `{name}` stands for one segment.
    let pattern: String
    let get: Answering
    /// Where the page's forms go: to the address of the page they stand on.
    let post: Answering?

    /// - Parameter path: Below ``Console/root``.
    init(_ path: String, _ get: @escaping Answering, post: Answering? = nil) {
        (pattern, self.get, self.post) = (Console.root + path, get, post)
    }

    static let all = ConsolePages.stack + ConsolePages.desk

    /// The route of an address, and the names in it; of two that fit, that with fewer open names.
    static func find(_ segments: [Substring]) -> (PageRoute, [String: String])? {
        for shape in shapes where shape.steps.count == segments.count {
            if let names = shape.names(segments) { return (shape.route, names) }
        }
        return nil
    }

    private struct Shape {
        var route: PageRoute
        var steps: [Substring]

        var openCount: Int { steps.count { $0.hasPrefix("{") } }

        func names(_ segments: [Substring]) -> [String: String]? {
            var names: [String: String] = [:]
            for (step, segment) in zip(steps, segments) {
                if step.hasPrefix("{") {
                    guard let name = PercentCoding.decode(segment), !name.isEmpty else {
                        return nil
                    }
                    names[String(step.dropFirst().dropLast())] = name
                } else if step != segment {
                    return nil
                }
            }
            return names
        }
    }

    private static let shapes: [Shape] = all.map { route in
        Shape(route: route, steps: route.pattern.dropFirst().split(separator: "/"))
    }
    .sorted { $0.openCount < $1.openCount }
}
