import WireFormat

/// What stands around every page: `Templates/layout.mustache`.
struct Layout {
    private let page: Page
    private let problem: Problem?
    private let visit: Visit
    private let shelf: AssetShelf

    init(_ page: Page, _ problem: Problem?, _ visit: Visit, _ shelf: AssetShelf) {
        (self.page, self.problem, self.visit, self.shelf) = (page, problem, visit, shelf)
    }

    /// A page of the navigation; `key` is what is typed after `g`.
    private struct Place {
        var label: String
        var path: String
        var key: String

        init(_ label: String, _ path: String, _ key: String) {
            (self.label, self.path, self.key) = (label, Console.root + path, key)
        }
    }

    private static let groups: [(label: String, places: [Place])] = [
        (
            "Metering",
            [
                Place("Overview", "", "o"), Place("Meters", "/meters", "m"),
                Place("Meter types", "/meter-types", "t"),
                Place("Customers", "/customers", "c"),
            ]
        ),
        (
            "Data",
            [
                Place("Events", "/events", "e"), Place("Quarantine", "/quarantine", "q"),
                Place("Corrections", "/corrections", "x"),
                Place("Backfill sets", "/backfill-sets", "b"),
            ]
        ),
        (
            "Billing",
            [
                Place("Usage records", "/records", "r"),
                Place("Destinations", "/destinations", "d"),
                Place("Deliveries", "/deliveries", "l"),
            ]
        ),
        ("Control", [Place("Audit trail", "/audit", "a")]),
    ]

    var values: Values {
        var values = page.values
        values["template"] = page.template
        values["title"] = page.title
        values["page"] = page.template
        values["nav"] = navigation
        values["token"] = visit.token
        values["who"] = visit.author.isEmpty ? nil : visit.author
        values["typedReason"] = visit.form?.text("reason")
        values["here"] = visit.path
        values["problem"] = problem.map(Self.shown)
        values["errors"] = problem.map(Self.errors)
        values["said"] = visit.cookies[.said].flatMap { PercentCoding.decode($0[...]) }
            .flatMap { $0.isEmpty ? nil : $0 }
        values["style"] = shelf.path(of: "console.css")
        values["script"] = shelf.path(of: "console.js")
        values["icon"] = shelf.path(of: "icon.svg")
        values["refresh"] = page.refreshSeconds
        values["searched"] = visit.path == Console.root + "/search-page" ? visit.query["q"] : nil
        return values
    }

    private var navigation: [Values] {
        let here = Self.groups.flatMap(\.places).map(\.path).filter { path in
            visit.path == path || path != Console.root && visit.path.hasPrefix(path + "/")
        }
        let current = here.max { $0.utf8.count < $1.utf8.count }
        return Self.groups.map { group in
            [
                "label": group.label,
                "places": group.places.map { place -> Values in
                    [
                        "label": place.label, "href": place.path, "key": place.key,
                        "current": place.path == current,
                    ]
                },
            ]
        }
    }

    private static func shown(_ problem: Problem) -> Values {
        [
            "title": problem.title, "detail": problem.detail,
            "href": problem.slug.isEmpty ? nil : problem.type,
            "isConflict": problem.status == 409,
            "hasFaults": !problem.errors.isEmpty,
            "faults": problem.errors.map { fault -> Values in
                ["pointer": fault.pointer, "reason": fault.reason, "remedy": fault.remedy]
            },
        ]
    }

    /// The faults by the last name of their pointers: `{{#errors.filter}}` stands beside the field.
    private static func errors(_ problem: Problem) -> Values {
        var values: Values = [:]
        for fault in problem.errors {
            let name = fault.pointer.split(separator: "/").last.map(String.init) ?? fault.pointer
            let words = [fault.reason, fault.remedy].compactMap(\.self).joined(separator: ": ")
            values[name] = words
        }
        return values
    }
}
