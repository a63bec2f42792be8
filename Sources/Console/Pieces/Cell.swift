/// What stands in a field of a table or behind a term: a text of some sort, perhaps a link.
struct Cell {
    enum Mood: String {
        case ok
        case warn
        case bad
        case info
        case quiet
    }

    enum Content {
        case text(String)
        /// A key, a path, an id: set in a fixed width.
        case code(String)
        /// RFC 3339, as the API spells it.
        case time(String)
        /// An exact decimal, as the API spells it.
        case quantity(String)
        case tag(Mood, String)
    }

    var content: Content
    var href: String?
    /// A second line, smaller.
    var detail: String?
    /// Whether it stands on one line, however narrow the table is.
    var isTight = false

    static func text(_ text: String, _ detail: String? = nil, to href: String? = nil) -> Cell {
        Cell(content: .text(text), href: href, detail: detail)
    }

    static func code(_ text: String, _ detail: String? = nil, to href: String? = nil) -> Cell {
        Cell(content: .code(text), href: href, detail: detail)
    }

    static func tag(_ mood: Mood, _ text: String, _ detail: String? = nil) -> Cell {
        Cell(content: .tag(mood, text), detail: detail)
    }

    /// A time; a dash where there is none.
    static func time(_ text: String?, to href: String? = nil) -> Cell {
        guard let text else { return .none }
        return Cell(content: .time(text), href: href)
    }

    /// From one time to another.
    static func span(_ start: String?, _ end: String?, _ zone: String?) -> Cell {
        var cell = Cell.text(Spelled.span(start, end), zone)
        cell.isTight = true
        return cell
    }

    /// A quantity, and behind it its unit; a dash where there is none.
    static func quantity(_ text: String?, _ detail: String? = nil) -> Cell {
        guard let text else { return .none }
        return Cell(content: .quantity(text), detail: detail)
    }

    static let none = Cell.text("–")

    var view: [String: Any] {
        var view: [String: Any] = [:]
        switch content {
        case .text(let text): view["text"] = text
        case .code(let text): view["code"] = text
        case .time(let text): view["time"] = Spelled.time(text)
        case .quantity(let text): view["quantity"] = Spelled.quantity(text)
        case .tag(let mood, let text): view["tag"] = ["mood": mood.rawValue, "text": text]
        }
        view["href"] = href
        view["detail"] = detail
        view["isTight"] = isTight
        return view
    }
}

/// A term and what stands behind it.
struct Fact {
    var term: String
    var cells: [Cell]

    init(_ term: String, _ cells: Cell...) { (self.term, self.cells) = (term, cells) }

    var view: [String: Any] { ["term": term, "cells": cells.map(\.view)] }
}

/// A table of records; a row may lead to a page of its own.
struct Table {
    struct Column {
        var label: String
        var isNumber = false
        /// What fills it in rows that come in live.
        var field: String?

        static func number(_ label: String, _ field: String? = nil) -> Column {
            Column(label: label, isNumber: true, field: field)
        }
        static func words(_ label: String, _ field: String? = nil) -> Column {
            Column(label: label, field: field)
        }
    }

    struct Row {
        /// Where Enter leads; a cell is a link to it, too: the first one, if none is already.
        var href: String?
        var cells: [Cell]

        init(_ href: String? = nil, _ cells: [Cell]) { (self.href, self.cells) = (href, cells) }
    }

    /// What it is a table of, for who does not see it.
    var label: String
    var columns: [Column]
    var rows: [Row]
    /// Where further rows come from while the page is open.
    var tail: String?

    var view: [String: Any] {
        var view: [String: Any] = [
            "label": label, "columns": columns.map(view(of:)), "rows": rows.map(view(of:)),
            "isEmpty": rows.isEmpty, "width": String(columns.count),
        ]
        view["tailSource"] = tail
        return view
    }

    private func view(of column: Column) -> [String: Any] {
        var view: [String: Any] = ["label": column.label, "isNumber": column.isNumber]
        view["field"] = column.field
        return view
    }

    /// A key or an id of so many characters is not broken within a table.
    private static let tightMax = 24

    private func view(of row: Row) -> [String: Any] {
        var cells: [[String: Any]] = []
        let isLinked = row.cells.contains { $0.href == row.href }
        for (index, cell) in row.cells.enumerated() {
            var cell = cell
            if index == 0, !isLinked { cell.href = row.href }
            if case .code(let text) = cell.content, text.count <= Self.tightMax {
                cell.isTight = true
            }
            var view = cell.view
            view["isNumber"] = columns.indices.contains(index) && columns[index].isNumber
            view["isFirst"] = index == 0
            cells.append(view)
        }
        var view: [String: Any] = ["cells": cells]
        view["rowHref"] = row.href
        return view
    }
}
