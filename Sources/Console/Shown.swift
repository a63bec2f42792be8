import UsageModel
import WireFormat

/// Numbers and times as a page shows them: short for reading, whole beside it. No binary float.
enum Shown {
    /// A quantity: partial `q`, `{{#value}}{{> q}}{{/value}}`. nil for nil.
    static func quantity(_ text: String?) -> Values? {
        text.map { ["value": $0, "shown": rounded($0)] }
    }

    /// A count with its thousands set apart.
    static func count(_ text: String?) -> String? { text.map(grouped) }

    /// A time: partial `t`, `{{#createdAt}}{{> t}}{{/createdAt}}`. nil for nil.
    ///
    /// - Parameter zone: The meter's zone, shown beside UTC on hover.
    static func time(_ text: String?, zone: String? = nil) -> Values? {
        text.map { ["iso": $0, "zone": zone, "shown": shortTime($0)] }
    }

    static func time(_ instant: Instant, zone: String? = nil) -> Values? {
        time(instant.rfc3339, zone: zone)
    }

    /// `2026-11-01T12:00:00.25Z` as `2026-11-01 12:00:00 UTC`.
    static func shortTime(_ text: String) -> String {
        let plain = text.prefix(19).replacing("T", with: " ")
        return text.hasSuffix("Z") ? plain + " UTC" : text
    }

    /// As many decimals as help: two from a hundred on, three from one on, six below; half away
    /// from zero.
    static func rounded(_ text: String) -> String {
        guard let quantity = try? Quantity(text) else { return text }
        let one = scale(18)
        let magnitude = quantity.mantissa.magnitude
        let places = magnitude >= 100 * one ? 2 : magnitude >= one ? 3 : 6
        let unit = scale(18 - places)
        var steps = magnitude / unit
        if magnitude % unit >= unit / 2 { steps += 1 }
        if steps == 0, magnitude != 0 { return text }
        let (whole, part) = steps.quotientAndRemainder(dividingBy: scale(places))
        var fraction = String(part)
        fraction = String(repeating: "0", count: places - fraction.utf8.count) + fraction
        while fraction.hasSuffix("0") { fraction.removeLast() }
        let sign = quantity.mantissa < 0 ? "−" : ""
        return sign + grouped(String(whole)) + (fraction.isEmpty ? "" : "." + fraction)
    }

    static func grouped(_ digits: String) -> String {
        let isNegative = digits.hasPrefix("-")
        let plain = Array(isNegative ? digits.dropFirst() : digits[...])
        guard plain.allSatisfy(\.isNumber) else { return digits }
        var text = isNegative ? "−" : ""
        for (place, digit) in plain.enumerated() {
            if place > 0, (plain.count - place).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// How much of a capacity is used, in whole percent; nil where there is none, or it is 0.
    static func percent(_ value: String?, of capacity: String?) -> Int? {
        guard let value, let capacity, let part = try? Quantity(value),
            let whole = try? Quantity(capacity), whole.mantissa > 0, part.mantissa >= 0
        else { return nil }
        let (product, isOver) = part.mantissa.multipliedReportingOverflow(by: 100)
        let percent =
            isOver ? part.mantissa / max(whole.mantissa / 100, 1) : product / whole.mantissa
        return Int(min(percent, 1_000_000))
    }

    /// The points of a line through values, in a box of so many units; gaps are left out.
    static func points(_ values: [String?], width: Int, height: Int) -> String {
        let known = values.enumerated().compactMap { place, text in
            text.flatMap { try? Quantity($0) }.map { (place: place, mantissa: $0.mantissa >> 16) }
        }
        let top = max(known.map(\.mantissa).max() ?? 0, 0)
        let bottom = min(known.map(\.mantissa).min() ?? 0, 0)
        let span = max(top - bottom, 1)
        return known.map { point in
            let x = values.count > 1 ? point.place * width / (values.count - 1) : 0
            let y = Int128(height) - (point.mantissa - bottom) * Int128(height) / span
            return "\(x),\(y)"
        }
        .joined(separator: " ")
    }

    private static func scale(_ places: Int) -> UInt128 {
        (0..<places).reduce(UInt128(1)) { product, _ in product * 10 }
    }
}

extension JSONValue {
    /// A text or number at a chain of names; nil where there is none.
    func text(_ names: String...) -> String? {
        var value: JSONValue? = self
        for name in names { value = value?[name] }
        return value?.stringValue ?? value?.numberValue
    }

    /// A quantity as partial `q` shows it.
    func quantity(_ name: String) -> Values? { Shown.quantity(text(name)) }

    /// A count with its thousands set apart.
    func count(_ name: String) -> String? { Shown.count(text(name)) }

    /// A time as partial `t` shows it.
    func time(_ name: String, zone: String? = nil) -> Values? {
        Shown.time(text(name), zone: zone)
    }
}
