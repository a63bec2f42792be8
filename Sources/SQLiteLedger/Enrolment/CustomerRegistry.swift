internal import MeteringEngine
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
    /// What each is found by, as it stands.
    private var texts: [CustomerKey: CustomerText] = [:]
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
    ///
    /// - Parameter isSearched: Whether ``search(_:)`` is to find it; the past is not searched.
    mutating func put(_ customer: Customer, position: UInt64, isSearched: Bool = true) {
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
        if isSearched { texts[key] = CustomerText(customer.definition) }
        if editions[key] == nil { keys.insert(key, at: place(after: key)) }
        editions[key, default: []].append(Edition(position: position, customer: customer))
        lastPosition = max(lastPosition, position)
    }

    /// The place of the first key that comes after one, or is that one.
    private func place(after key: CustomerKey) -> Int {
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// A page of the customers that a text is found in, in the order of their keys.
    ///
    /// - Complexity: O(customers + bytes of their texts), and no more of these than the limit: 10^5
    ///   customers take some 60 ms.
    func search(_ query: CustomerQuery) -> CustomerAnswer {
        let wanted = CustomerText.wanted(query.text)
        var (customers, bytes): ([Customer], Int) = ([], 0)
        var last = query.after
        for key in keys[(query.after.map(place) ?? 0)...] where key != query.after {
            guard customers.count < query.limit, bytes < Limits.customerSearchBytesMax else {
                return CustomerAnswer(customers: customers, next: last)
            }
            last = key
            if !wanted.isEmpty {
                guard let text = texts[key] else { continue }
                bytes += text.count
                guard text.holds(wanted) else { continue }
            }
            if let customer = customer(key) { customers.append(customer) }
        }
        return CustomerAnswer(customers: customers, next: nil)
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
            past.put(edition.customer, position: edition.position, isSearched: false)
        }
        return past
    }
}
