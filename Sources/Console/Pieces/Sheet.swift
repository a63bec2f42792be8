import WireFormat

/// A page that is put together of pieces.
struct Sheet {
    var title: String
    var lede: String = ""
    /// The pages above it, the uppermost first.
    var trail: [Link] = []
    var actions: [Link] = []
    var notices: [Notice] = []
    var pieces: [Piece] = []
    var status = 200
    /// After how many seconds a browser without scripts asks again, while something is under way.
    var refreshSeconds: Int?
    /// How it stands, beside the title.
    var tag: Cell?

    init(_ title: String, lede: String = "", trail: [Link] = []) {
        (self.title, self.lede, self.trail) = (title, lede, trail)
    }

    /// Tells of a problem at the top, and answers with its status.
    mutating func tell(_ problem: Problem?) {
        guard let problem else { return }
        notices.insert(Notice(problem), at: 0)
        status = problem.status
    }

    /// Within the layout.
    var page: Page {
        var values: Values = [:]
        for (name, value) in view { values[name] = value }
        var page = Page("sheet", title: title, values)
        (page.status, page.refreshSeconds) = (status, refreshSeconds)
        return page
    }

    private var view: [String: Any] {
        var view: [String: Any] = [
            "heading": title, "trail": trail.map(\.view), "hasTrail": !trail.isEmpty,
            "actions": actions.map(\.view), "notices": notices.map(\.view),
            "hasActions": !actions.isEmpty, "pieces": pieces.map(\.view),
        ]
        if !lede.isEmpty { view["lede"] = lede }
        view["headingTag"] = tag?.view
        return view
    }
}
