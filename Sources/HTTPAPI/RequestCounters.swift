import Synchronization

/// How many requests were answered, by route and by class of status.
final class RequestCounters: Sendable {
    private static let classes = 6
    private let counts = Mutex(
        [Int64](repeating: 0, count: Route.allCases.count * RequestCounters.classes)
    )

    func count(_ route: Route, status: Int) {
        let place = route.rawValue * Self.classes + min(max(status / 100, 0), Self.classes - 1)
        counts.withLock { $0[place] += 1 }
    }

    /// The counts that are not zero, in the order of routes and classes.
    func all() -> [(route: Route, statusClass: Int, count: Int64)] {
        let counts = counts.withLock { $0 }
        return Route.allCases.flatMap { route in
            (0..<Self.classes).compactMap { statusClass in
                let count = counts[route.rawValue * Self.classes + statusClass]
                return count == 0 ? nil : (route, statusClass, count)
            }
        }
    }
}
