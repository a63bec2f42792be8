import WireFormat

/// Corrections: what was put right in the open, by whom and why.
extension Desk {
    static let correctionsTrail = [Link("Corrections", "/console/corrections")]

    /// `/console/corrections`, the newest first.
    func corrections() async -> Answer {
        let path = "/console/corrections"
        let reply = await get(
            "/v1/corrections",
            [("limit", Self.listMax), ("cursor", query["cursor"])]
        )
        var sheet = Sheet(
            "Corrections",
            lede: "Events that count no more, that others stand for, or that count again. The "
                + "past is never rewritten: readings as of before stay what they were."
        )
        sheet.tell(reply.problem)
        sheet.actions = [
            Link("Backfill sets", "/console/backfill-sets"),
            Link("Correct events", "/console/corrections/new", look: "primary"),
        ]
        if reply.problem == nil, reply.items.isEmpty {
            sheet.pieces = [
                .empty(
                    title: "Nothing was corrected",
                    text: "A wrong event is voided, replaced or restored here, whatever its age; "
                        + "what that would do is shown first.",
                    code: nil,
                    ways: [Link("Correct events", "/console/corrections/new", look: "primary")]
                )
            ]
        } else if reply.problem == nil {
            sheet.pieces = [.table(correctionTable(reply.items))]
        }
        sheet.pieces.append(
            .pager(
                first: query["cursor"].isEmpty ? nil : path,
                next: reply.json.next.map { Way.link(path, [("cursor", $0)]) }
            )
        )
        sheet.pieces.append(asCall("/v1/corrections"))
        return .sheet(sheet)
    }

    static func kindOfCorrection(_ kind: String?) -> Cell {
        let moods: [String: Cell.Mood] = [
            "void": .bad, "replace": .warn, "restore": .ok, "close": .info, "revert": .warn,
        ]
        return .tag(moods[kind ?? ""] ?? .quiet, kind ?? "")
    }

    private func correctionTable(_ items: [JSONValue]) -> Table {
        Table(
            label: "Corrections",
            columns: [
                .words("Correction"), .words("What"), .number("Events"), .words("Why"),
                .words("Who"), .words("When"),
            ],
            rows: items.map { item in
                let id = item.text("id") ?? ""
                return Table.Row(
                    Way.correction(id),
                    [
                        .code(id), Self.kindOfCorrection(item.text("kind")),
                        .text(Spelled.count(item.text("events"))),
                        .text(
                            item.text("reason") ?? "",
                            item.text("backfillSet").map { "backfill set \($0)" }
                        ), .text(item.text("author") ?? ""), .time(item.text("at")),
                    ]
                )
            }
        )
    }

    /// `/console/corrections/{id}`: one, and the events that it changed.
    func correction() async -> Answer {
        let path = Way.path("v1", "corrections", names[0])
        let reply = await get(path)
        var sheet = Sheet(names[0], trail: Self.correctionsTrail)
        guard reply.problem == nil else {
            sheet.tell(reply.problem)
            return .sheet(sheet)
        }
        let item = reply.json
        let set = item.text("backfillSet")
        sheet.lede = item.text("reason") ?? ""
        if let set {
            sheet.actions = [Link("Its backfill set", Way.set(set))]
        } else if item.text("kind") != "restore" {
            let way = Way.link(
                "/console/corrections/new",
                [("kind", "restore"), ("by", "correction"), ("correction", names[0])]
            )
            sheet.actions = [Link("Take it back", way)]
        }
        var facts = [
            Fact("What", Self.kindOfCorrection(item.text("kind"))),
            Fact("Events", .text(Spelled.count(item.text("events")))),
            Fact("Who", .text(item.text("author") ?? "")),
            Fact("Why", .text(item.text("reason") ?? "")),
            Fact("When", .time(item.text("at"))),
            Fact("Position", .text(item.text("position") ?? "")),
        ]
        if let set { facts.append(Fact("Backfill set", .code(set, to: Way.set(set)))) }
        let audit = Way.link("/console/audit", [("kind", "correction"), ("key", names[0])])
        facts.append(Fact("Audit", .text("its entry in the trail", to: audit)))
        sheet.pieces = [.card("What it is", id: "facts", [.facts(facts)])]
        sheet.pieces.append(.card("Events", id: "events", await correctedPieces(path)))
        sheet.pieces.append(asCall(path))
        return .sheet(sheet)
    }

    private func correctedPieces(_ path: String) async -> [Piece] {
        let reply = await get(
            path + "/events",
            [("limit", Self.listMax), ("cursor", query["cursor"])]
        )
        if let problem = reply.problem { return [.notice(Notice(problem))] }
        let page = Way.correction(names[0])
        return [
            .table(
                Table(
                    label: "Events of the correction",
                    columns: [
                        .words("Event"), .words("Subject"), .words("Time"), .words("Since then"),
                    ],
                    rows: reply.items.map { item in
                        let (source, id) = (item.text("source") ?? "", item.text("id") ?? "")
                        let since: Cell =
                            item["replacement"] != nil
                            ? .tag(.warn, "replaced", "position \(item.text("replacement") ?? "")")
                            : item["counts"] == true
                                ? .tag(.ok, "counts") : .tag(.bad, "does not count")
                        return Table.Row(
                            Way.event(source, id),
                            [
                                .code(id, source), .text(item.text("subject") ?? ""),
                                .time(item.text("time")), since,
                            ]
                        )
                    }
                )
            ),
            .pager(
                first: query["cursor"].isEmpty ? nil : page,
                next: reply.json.next.map { Way.link(page, [("cursor", $0)]) }
            ),
        ]
    }

    // MARK: What one would do

    /// What a dry run told: events, readings before and after, records that would be adjusted.
    ///
    /// - Parameter sides: What the columns of now and of then are called.
    func previewPieces(
        of preview: JSONValue,
        heading: String,
        sides: (now: String, then: String) = ("Before", "After")
    ) -> [Piece] {
        let count = preview.text("events") ?? "0"
        let meters = preview["meters"]?.arrayValue ?? []
        let records = meters.flatMap { $0["records"]?.arrayValue ?? [] }
        var pieces: [Piece] = [
            .stats([
                Fact("Events", .text(Spelled.count(count))),
                Fact("Readings that change", .text(String(meters.count))),
                Fact("Closed periods to adjust", .text(String(records.count))),
            ])
        ]
        if !meters.isEmpty { pieces.append(.table(Self.meterTable(meters, sides))) }
        if preview["hasMoreMeters"] == true {
            pieces.append(.text("Further meters would change; these are the first of them."))
        }
        if !records.isEmpty { pieces.append(.table(Self.adjustmentTable(meters))) }
        let sample = preview["sample"]?.arrayValue ?? []
        if !sample.isEmpty {
            let table = Self.eventTable(sample, label: "Some of the events")
            let all = String(sample.count) == count
            let words = all ? "The events" : "Some of the events"
            pieces.append(.drawer(words, [.table(table)]))
        }
        return [.card(heading, id: "preview", pieces)]
    }

    private static func meterTable(
        _ meters: [JSONValue],
        _ sides: (now: String, then: String)
    ) -> Table {
        Table(
            label: "Readings before and after",
            columns: [
                .words("Meter"), .number(sides.now), .number(sides.then), .number("Difference"),
            ],
            rows: meters.map { meter in
                let id = meter.text("meter") ?? ""
                return Table.Row(
                    Way.meter(id),
                    [
                        .code(id), .quantity(meter.text("before")),
                        .quantity(meter.text("after")),
                        .quantity(Spelled.difference(meter.text("before"), meter.text("after"))),
                    ]
                )
            }
        )
    }

    private static func adjustmentTable(_ meters: [JSONValue]) -> Table {
        let pairs = meters.flatMap { meter in
            (meter["records"]?.arrayValue ?? []).map { (meter.text("meter") ?? "", $0) }
        }
        return Table(
            label: "Closed periods that would be adjusted",
            columns: [
                .words("Record"), .words("Meter"), .words("Period"), .number("Before"),
                .number("After"), .number("Adjustment"),
            ],
            rows: pairs.map { meter, record in
                let id = record.text("record") ?? ""
                return Table.Row(
                    Way.record(id),
                    [
                        .code(Spelled.excerpt(id, 14)), .code(meter),
                        .span(record.text("start"), record.text("end"), "UTC"),
                        .quantity(record.text("before")), .quantity(record.text("after")),
                        .quantity(Spelled.difference(record.text("before"), record.text("after"))),
                    ]
                )
            }
        )
    }
}
