import MeteringEngine
import Testing
import UsageModel

@testable import SQLiteLedger

@Suite("Customers in memory") struct CustomerRegistryTests {
    @Test("a page looks at no more bytes than its limit, and the next one goes on")
    func bounded() throws {
        var registry = CustomerRegistry()
        let subject = String(repeating: "x", count: 250)
        for number in 10..<30 {
            let key = try #require(CustomerKey("c\(number)"))
            let subjects = (0..<10_000).map { Ownership(subject: "\(subject)\($0)") }
            let definition = CustomerDefinition(key: key, subjects: number < 29 ? subjects : [])
            let now = Instant(microseconds: 0)
            let customer = Customer(definition: definition, createdAt: now, changedAt: now)
            registry.put(customer, position: 0)
        }

        let first = registry.search(.init(text: "c29", limit: 5))
        let next = registry.search(.init(text: "c29", limit: 5, after: first.next))

        #expect(first.customers.isEmpty)
        #expect(first.next != nil)
        #expect(next.customers.map(\.key.text) == ["c29"])
        #expect(next.next == nil)
    }
}
