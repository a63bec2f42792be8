import WireFormat

/// A part of a page. Pages of records are put together of these, so that a list looks and behaves
/// like every other one; the markup of each is a template of its own.
indirect enum Piece {
    /// A part with a heading, and an id for links to it.
    case card(String, id: String, [Piece])
    case text(String)
    /// What matters on the left, what stands by on the right; one below the other on small screens.
    case columns([Piece], [Piece])
    case facts([Fact])
    case stats([Fact])
    case table(Table)
    /// Filters above a list.
    case toolbar(Form)
    case form(Form)
    case tabs(String, [Link])
    /// Ways to see one thing, below the tabs.
    case segments(String, [Link])
    case notice(Notice)
    case empty(title: String, text: String, code: String?, ways: [Link])
    case lines(label: String, [CodeLine])
    /// JSON that folds.
    case json(label: String, String)
    case code(label: String, String)
    case drawer(String, [Piece])
    case progress(label: String, value: String, max: String)
    /// Ways to the first and the next page of a list.
    case pager(first: String?, next: String?)
    /// A card that is asked for again every two seconds, until it comes as a plain one.
    case watched(String, id: String, [Piece])
    case sides(String, [CodeLine], String, [CodeLine])

    var view: [String: Any] {
        switch self {
        case .card(let heading, let id, let pieces):
            ["card": ["heading": heading, "cardId": id, "pieces": pieces.map(\.view)]]
        case .text(let text): ["text": text]
        case .facts(let facts): ["facts": ["items": facts.map(\.view)]]
        case .stats(let facts): ["stats": ["items": facts.map(\.view)]]
        case .table(let table): ["table": table.view]
        case .toolbar(let form): ["toolbar": form.view]
        case .form(let form): ["form": form.view]
        case .tabs(let label, let links):
            ["tabs": ["label": label, "links": links.map(\.view)]]
        case .segments(let label, let links):
            ["segments": ["label": label, "links": links.map(\.view)]]
        case .columns(let left, let right):
            ["columns": ["main": left.map(\.view), "beside": right.map(\.view)]]
        case .notice(let notice): ["notice": notice.view]
        case .drawer(let summary, let pieces):
            ["drawer": ["summary": summary, "pieces": pieces.map(\.view)]]
        case .pager(let first, let next): Self.pager(first, next)
        case .watched(let heading, let id, let pieces):
            [
                "card": [
                    "heading": heading, "cardId": id, "pieces": pieces.map(\.view),
                    "isWatched": true,
                ] as [String: Any]
            ]
        default: codeView
        }
    }

    private var codeView: [String: Any] {
        switch self {
        case .empty(let title, let text, let code, let ways):
            var view: [String: Any] = [
                "title": title, "words": text, "ways": ways.map(\.view),
            ]
            view["emptyCode"] = code
            return ["empty": view]
        case .lines(let label, let lines):
            return ["lines": ["label": label, "items": lines.map(\.view)]]
        case .json(let label, let text): return ["json": ["label": label, "body": text]]
        case .code(let label, let text): return ["code": ["label": label, "body": text]]
        case .progress(let label, let value, let max):
            return ["progress": ["label": label, "value": value, "max": max]]
        case .sides(let left, let before, let right, let after):
            return [
                "sides": [
                    "left": left, "before": before.map(\.view),
                    "right": right, "after": after.map(\.view),
                ]
            ]
        default: return [:]
        }
    }

    private static func pager(_ first: String?, _ next: String?) -> [String: Any] {
        guard first != nil || next != nil else { return [:] }
        var view: [String: Any] = [:]
        view["firstHref"] = first
        view["nextHref"] = next
        return ["pager": view]
    }
}

/// A word to the reader: what went wrong and what to do about it, or what was done.
struct Notice {
    var mood: Cell.Mood
    var title: String
    var text: String
    /// Of what was wrong: where, what, and what to do.
    var points: [String] = []
    var ways: [Link] = []

    init(_ mood: Cell.Mood, _ title: String, _ text: String = "", ways: [Link] = []) {
        (self.mood, self.title, self.text, self.ways) = (mood, title, text, ways)
    }

    init(_ problem: Problem) {
        self.init(.bad, problem.title, problem.detail ?? "")
        points = problem.errors.map {
            let place = $0.pointer.isEmpty ? "" : $0.pointer + ": "
            return place + [$0.reason, $0.remedy].compactMap(\.self).joined(separator: ": ")
        }
        // What the Console itself says has no page of its own.
        if !problem.slug.isEmpty { ways = [Link("What this means", problem.type)] }
    }

    var view: [String: Any] {
        var view: [String: Any] = [
            "mood": mood.rawValue, "title": title, "points": points.map { ["text": $0] },
            "ways": ways.map(\.view), "isBad": mood == .bad, "hasPoints": !points.isEmpty,
        ]
        if !text.isEmpty { view["words"] = text }
        return view
    }
}

/// One line of a text that is shown as it is.
struct CodeLine {
    var text: String
    var isMarked = false
    /// What is the matter with it.
    var note: String?

    var view: [String: Any] {
        let indent = text.prefix { $0 == " " }
        var view: [String: Any] = [
            "body": text, "isMarked": isMarked, "indent": String(indent),
            "inner": String(text.dropFirst(indent.count)),
        ]
        view["note"] = note
        return view
    }
}
