import WireFormat

/// What a form showed that it would do, carried in a hidden field: what is done in the end is what
/// was shown, whatever was typed after that, and "now" is the moment at which it was shown.
struct Planned {
    private let shown: JSONValue?
    /// Whether the button below what was shown was pressed.
    private let isConfirming: Bool

    init(_ visit: Visit) {
        shown = visit.form?.text("planned").flatMap { try? JSONValue.parse(Array($0.utf8)) }
        isConfirming = visit.form?.text("do") == "confirm"
    }

    /// When that was shown which is confirmed, where it began then.
    var now: String? { isConfirming ? shown?.text("now") : nil }

    /// Whether this is what was shown, and is to be done.
    func confirms(_ call: JSONObject) -> Bool { isConfirming && shown == .object(call) }

    /// For the partial `planned`: what is shown now.
    func values(_ call: JSONObject) -> Values {
        [
            "planned": String(decoding: JSONValue.object(call).serialized(), as: UTF8.self),
            "hasChanged": isConfirming && shown != nil,
        ]
    }
}
