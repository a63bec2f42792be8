import Synchronization

/// How many requests were answered, by route and by class of status.
final class RequestCounters: Sendable {
    private static let classes = 6
    private let counts = Mutex<[Route: [Int64]]>([:])

    func count(_ route: Route, status: Int) {
        let statusClass = min(max(status / 100, 0), Self.classes - 1)
        counts.withLock { counts in
            counts[route, default: Array(repeating: 0, count: Self.classes)][statusClass] += 1
        }
    }

    /// The counts that are not zero, in the order of routes and classes.
    func all() -> [(route: Route, statusClass: Int, count: Int64)] {
        let counts = counts.withLock { $0 }
        return Route.allCases.flatMap { route in
            (counts[route] ?? []).enumerated().compactMap { statusClass, count in
                count == 0 ? nil : (route, statusClass, count)
            }
        }
    }
}
