public import UsageModel

/// Filters and values over ``SampleEvent``, each written twice: as an expression, and as a plain
/// function of the fields that needs no evaluator.
public enum SampleRule {
    private static let one: Int128 = 1_000_000_000_000_000_000
    /// 2026-11-01T00:00:00Z
    private static let base: Int64 = 1_793_491_200_000_000

    /// A filter: whether it holds, or nil where the event is unreadable.
    public static func holds(_ text: String, _ event: SampleEvent) -> Bool? {
        filters.first { $0.text == text }?.holds(event)
    }

    /// A value, or nil where the event has none or is unreadable.
    public static func value(_ text: String, _ event: SampleEvent) -> Quantity? {
        values.first { $0.text == text }?.value(event)
    }

    public static let filterTexts: [String] = filters.map(\.text)
    public static let valueTexts: [String] = values.map(\.text)
    /// Expressions that give what stands at `$.data.model`.
    public static let modelTexts = ["lower($.data.model)", "coalesce($.data.absent, $.data.model)"]

    private struct Filter {
        var text: String
        var holds: @Sendable (SampleEvent) -> Bool?

        init(_ text: String, _ holds: @escaping @Sendable (SampleEvent) -> Bool?) {
            (self.text, self.holds) = (text, holds)
        }
    }

    private struct Value {
        var text: String
        var value: @Sendable (SampleEvent) -> Quantity?

        init(_ text: String, _ value: @escaping @Sendable (SampleEvent) -> Quantity?) {
            (self.text, self.value) = (text, value)
        }
    }

    private static func amount(_ event: SampleEvent) -> Int128 { event.value?.mantissa ?? 0 }

    private static func hour(_ event: SampleEvent) -> Int64 {
        let hours = event.time.microseconds - base
        let remainder = hours % 86_400_000_000
        return (remainder < 0 ? remainder + 86_400_000_000 : remainder) / 3_600_000_000
    }

    private static let filters: [Filter] = [
        Filter("$.data.model == \"large\"") { $0.model == "large" },
        Filter("$.data.model != \"large\"") { $0.model != "large" },
        // A text is no condition.
        Filter("not $.data.model") { $0.model == nil ? true : nil },
        Filter("$.data.amount > 10") { amount($0) > 10 * one },
        Filter("exists($.data.model) and $.data.amount % 2 == 0") {
            $0.model != nil && amount($0) % (2 * one) == 0
        },
        Filter("source in [\"gateway-0\", \"gateway-2\"]") { $0.source != "gateway-1" },
        Filter("subject endsWith \"3\" or type startsWith \"llm.i\"") {
            $0.subject == "customer-3" || $0.type == "llm.image"
        },
        Filter("length($.data.users) == 2") { $0.users.count == 2 },
        Filter("\"u7\" in $.data.users") { $0.users.contains("u7") },
        Filter("hour(time) < 6") { hour($0) < 6 },
        Filter("duration(\"2026-11-01T00:00:00Z\", time, \"days\") >= 1") {
            $0.time.microseconds - base >= 86_400_000_000
        },
        Filter("$.data.model matches \"^[sx]\"") { $0.model == "small" || $0.model == "x\\\"y" },
        Filter("1 / $.data.amount > 0") { amount($0) == 0 ? nil : amount($0) > 0 },
        Filter("false") { _ in false },
    ]

    private static let values: [Value] = [
        Value("$.data.amount * 2") { Quantity(mantissa: amount($0) * 2) },
        Value("if($.data.model == \"large\", $.data.amount, 1)") {
            $0.model == "large" ? $0.value : Quantity(mantissa: one)
        },
        Value("length($.data.users) - 1") {
            Quantity(mantissa: Int128($0.users.count - 1) * one)
        },
        Value("max($.data.amount, 0)") { Quantity(mantissa: max(amount($0), 0)) },
        Value("if($.data.amount == 0, $.data.absent, 3)") {
            amount($0) == 0 ? nil : Quantity(mantissa: 3 * one)
        },
    ]
}
