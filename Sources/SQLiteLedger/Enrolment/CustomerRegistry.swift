internal import UsageModel

/// Who owns which subject, when: the customers as they stand, and as they were known before.
///
/// A value in memory of what the table `customer_change` says.
struct CustomerRegistry: Sendable {
    /// A stretch of a subject's time that a customer owns.
    struct Owner: Sendable, Hashable {
        var range: Range<Instant>
        var customer: CustomerKey
    }

    /// A customer as it was known from a position on.
    struct Edition: Sendable {
        var position: UInt64
        var customer: Customer
    }

    /// Oldest first.
    private var editions: [CustomerKey: [Edition]] = [:]
    /// In the order of time.
    private var owners = ShardedTable<String, [Owner]>()
    private var lastPosition: UInt64 = 0
    private(set) var keys: [CustomerKey] = []

    var count: Int { keys.count }

    /// - Parameter position: As known when the log ended there.
    func customer(_ key: CustomerKey, asOf position: UInt64 = .max) -> Customer? {
        editions[key]?.last { $0.position <= position }?.customer
    }

    /// Who owned a subject, stretch by stretch, in the order of time.
    func owners(of subject: String) -> [Owner] { owners[subject] ?? [] }

    func owner(of subject: String, at instant: Instant) -> CustomerKey? {
        owners[subject]?.first { $0.range.contains(instant) }?.customer
    }

    func visitOwned(_ body: (String, [Owner]) -> Void) {
        owners.visit { if !$1.isEmpty { body($0, $1) } }
    }

    /// Another customer's stretch of a subject's time that an ownership would overlap.
    func conflict(_ ownership: Ownership, with key: CustomerKey) -> Owner? {
        owners[ownership.subject]?.first {
            $0.customer != key && $0.range.overlaps(ownership.range)
        }
    }

    /// Puts a customer in the place of what was known of it before.
    mutating func put(_ customer: Customer, position: UInt64) {
        let key = customer.key
        for ownership in self.customer(key)?.ownerships ?? [] {
            owners.update(ownership.subject, default: []) { owners in
                owners.removeAll { $0.customer == key }
            }
        }
        for ownership in customer.ownerships where !ownership.range.isEmpty {
            owners.update(ownership.subject, default: []) { owners in
                owners.append(Owner(range: ownership.range, customer: key))
                owners.sort { $0.range.lowerBound < $1.range.lowerBound }
            }
        }
        if editions[key] == nil {
            var (low, high) = (0, keys.count)
            while low < high {
                let middle = (low + high) / 2
                if keys[middle] < key { low = middle + 1 } else { high = middle }
            }
            keys.insert(key, at: low)
        }
        editions[key, default: []].append(Edition(position: position, customer: customer))
        lastPosition = max(lastPosition, position)
    }

    /// What was known when the log ended at a position.
    ///
    /// - Complexity: O(1) where nothing changed since, else O(all customers and their subjects).
    func asOf(_ position: UInt64) -> CustomerRegistry {
        guard position < lastPosition else { return self }
        var past = CustomerRegistry()
        for key in keys {
            guard let edition = editions[key]?.last(where: { $0.position <= position }) else {
                continue
            }
            past.put(edition.customer, position: edition.position)
        }
        return past
    }
}
