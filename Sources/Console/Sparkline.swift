import UsageModel

/// A small line without axes: partial `spark`.
struct Sparkline {
    private static let (width, height) = (96, 22)

    private let points: String

    /// - Parameter values: In the order of time; nil where there is none.
    init(_ values: [String?]) {
        points = Shown.points(values, width: Self.width, height: Self.height)
    }

    /// nil where there is nothing to draw.
    var values: Values? {
        guard points.contains(" ") else { return nil }
        let line = "M" + points.replacing(" ", with: "L")
        return ["line": line, "area": "\(line)L\(Self.width),24L0,24Z"]
    }
}
