import WireFormat

/// Usage records: what each meter used in each of its closed periods.
extension Desk {
    static let recordsTrail = [Link("Records", "/console/records")]

    /// `/console/records`, newest first.
    func records() async -> Answer {
        var filters = Filters(query)
        filters.text("meterType", "Meter type", isCode: true)
        filters.text("subject", "Subject")
        filters.text("customer", "Customer")
        filters.choice(
            "kind",
            "Kind",
            [
                .init("", "All"), .init("final", "Final"), .init("adjustment", "Adjustment"),
                .init("interim", "Interim"),
            ]
        )
        filters.time("from", "Periods that end after")
        filters.time("to", "And begin before")
        filters.pass { $0 == "asOf" }
        let asked = filters.asked + [("order", "desc"), ("limit", Self.listMax)]
        let reply = await get("/v1/usage-records", asked + [("cursor", query["cursor"])])
        var sheet = Sheet(
            "Usage records",
            lede: "What each meter used in each closed period, told once; later changes are "
                + "adjustments with a signed difference."
        )
        sheet.tell(reply.problem)
        sheet.actions = [Link("Destinations", "/console/destinations")]
        sheet.pieces = [filters.toolbar("/console/records", problem: reply.problem)]
        if reply.problem == nil {
            sheet.pieces.append(recordList(reply, isFiltered: !filters.isEmpty))
            let pager = filters.pager(
                "/console/records",
                next: reply.json.next,
                isFirst: query["cursor"].isEmpty
            )
            sheet.pieces.append(pager)
        }
        sheet.pieces.append(asCall("/v1/usage-records", asked))
        return .sheet(sheet)
    }

    private func recordList(_ reply: APIReply, isFiltered: Bool) -> Piece {
        if !reply.items.isEmpty { return .table(Self.recordTable(reply.items)) }
        if isFiltered {
            return .empty(
                title: "No record fits",
                text: "Widen the time, or leave a filter out.",
                code: nil,
                ways: [Link("All records", "/console/records")]
            )
        }
        return .empty(
            title: "No period has closed yet",
            text: "A record is made when a period of a meter is over and its grace has passed. A "
                + "meter type that resets never makes none.",
            code: nil,
            ways: [Link("Meter types", "/console/meter-types")]
        )
    }

    static func kindOfRecord(_ kind: String?) -> Cell {
        let moods: [String: Cell.Mood] = ["final": .ok, "adjustment": .warn, "interim": .info]
        return .tag(moods[kind ?? ""] ?? .quiet, kind ?? "")
    }

    static func period(_ record: JSONValue) -> String {
        Spelled.span(record.text("period", "localStart"), record.text("period", "localEnd"))
    }

    static func recordTable(_ items: [JSONValue], label: String = "Usage records") -> Table {
        Table(
            label: label,
            columns: [
                .words("Meter"), .words("Period"), .words("Kind"), .number("Value"),
                .number("Amount"), .number("Events"), .words("Made"),
            ],
            rows: items.map { item in
                let zone = item["period"]?.text("timezone")
                return Table.Row(
                    Way.record(item.text("id") ?? ""),
                    [
                        .text(
                            item.text("subject") ?? "",
                            item.text("meterType")
                        ),
                        .span(
                            item.text("period", "localStart"),
                            item.text("period", "localEnd"),
                            zone
                        ), kindOfRecord(item.text("kind")),
                        .quantity(item.text("value"), item.text("unit")),
                        .quantity(item.text("amount")),
                        .text(Spelled.count(item.text("events"))), .time(item.text("createdAt")),
                    ]
                )
            }
        )
    }

    // MARK: One record

    /// `/console/records/{id}`: with its events, its adjustments and its deliveries.
    func record() async -> Answer {
        let path = Way.path("v1", "usage-records", names[0])
        let reply = await get(path)
        var sheet = Sheet("Usage record", trail: Self.recordsTrail)
        guard reply.problem == nil else {
            sheet.tell(reply.problem)
            return .sheet(sheet)
        }
        let record = reply.json
        let subject = record.text("subject") ?? ""
        sheet.title = "\(subject), \(Self.period(record))"
        sheet.tag = Self.kindOfRecord(record.text("kind"))
        sheet.lede = names[0]
        sheet.pieces = [
            .stats([
                Fact("Value", .quantity(record.text("value"), record.text("unit"))),
                Fact("Amount told", .quantity(record.text("amount"))),
                Fact("Events", .text(Spelled.count(record.text("events")))),
                Fact("Revision", .text(record.text("revision") ?? "0")),
            ]), .card("What it is", id: "facts", [.facts(recordFacts(record))]),
        ]
        sheet.pieces += recordParts(record)
        sheet.pieces.append(.card("Told of this period", id: "chain", await chain(record)))
        sheet.pieces.append(.card("Deliveries", id: "deliveries", await deliveries(of: record)))
        sheet.pieces.append(.card("Events behind it", id: "events", await behind(path)))
        sheet.pieces.append(
            .drawer("The record as JSON", [.json(label: "The record", record.pretty)])
        )
        sheet.pieces.append(asCall(path))
        return .sheet(sheet)
    }

    private func recordFacts(_ record: JSONValue) -> [Fact] {
        let meter = record.text("meter") ?? ""
        var facts = [Fact("Meter", .code(meter, to: Way.meter(meter)))]
        if let customer = record.text("customer") {
            let name = record.text("customerName") ?? customer
            facts.append(Fact("Customer", .text(name, to: Way.customer(customer))))
        }
        let zone = record["period"]?.text("timezone")
        facts += [
            Fact("Period", .text(Self.period(record), zone)),
            Fact(
                "From and to",
                .time(record["period"]?.text("start")),
                .text("to"),
                .time(record["period"]?.text("end"))
            ),
            Fact("Cause", .text(record.text("cause") ?? "")),
        ]
        for (name, term) in [
            ("exact", "Before rounding"), ("delta", "Differs from the record before by"),
            ("capacity", "Capacity"), ("capacityUsed", "Used, in percent"),
        ] {
            if let text = record.text(name) { facts.append(Fact(term, .quantity(text))) }
        }
        for (name, term) in [("firstEventAt", "First event"), ("lastEventAt", "Last event")] {
            if let text = record.text(name) { facts.append(Fact(term, .time(text))) }
        }
        for (name, term) in [("previous", "Adjusts"), ("toldIn", "Told in")] {
            if let id = record.text(name) {
                facts.append(Fact(term, .code(id, to: Way.record(id))))
            }
        }
        facts += [
            Fact("Knows up to position", .text(record.text("position") ?? "")),
            Fact("Sequence", .text(record.text("sequence") ?? "")),
            Fact("Made", .time(record.text("createdAt"))),
        ]
        return facts
    }

    /// The value by dimensions, and what is told here of earlier periods.
    private func recordParts(_ record: JSONValue) -> [Piece] {
        var pieces: [Piece] = []
        let parts = record["dimensions"]?.arrayValue ?? []
        if !parts.isEmpty {
            let table = Table(
                label: "Value by dimensions",
                columns: [.words("Dimensions"), .number("Value"), .number("Events")],
                rows: parts.map { part in
                    let names = (part["dimensions"]?.objectValue?.members ?? []).map {
                        "\($0.name) = \($0.value.stringValue ?? "–")"
                    }
                    return Table.Row(
                        nil,
                        [
                            .text(names.joined(separator: ", ")), .quantity(part.text("value")),
                            .text(Spelled.count(part.text("events"))),
                        ]
                    )
                }
            )
            var inner: [Piece] = [.table(table)]
            if record["moreDimensions"] == true { inner.append(.text("There are further ones.")) }
            pieces.append(.card("By dimensions", id: "dimensions", inner))
        }
        let late = record["late"]?.arrayValue ?? []
        if !late.isEmpty {
            let table = Table(
                label: "Of earlier periods",
                columns: [.words("Record"), .words("Period"), .number("Amount")],
                rows: late.map { part in
                    let id = part.text("id") ?? ""
                    return Table.Row(
                        Way.record(id),
                        [
                            .code(id),
                            .span(part.text("start"), part.text("end"), "UTC"),
                            .quantity(part.text("delta")),
                        ]
                    )
                }
            )
            pieces.append(.card("Told here of earlier periods", id: "late", [.table(table)]))
        }
        return pieces
    }

    /// All records of the same meter and period: the final one and its adjustments.
    private func chain(_ record: JSONValue) async -> [Piece] {
        let period = record["period"]
        let reply = await get(
            "/v1/usage-records",
            [
                ("meterType", record.text("meterType") ?? ""),
                ("subject", record.text("subject") ?? ""), ("from", period?.text("start") ?? ""),
                ("to", period?.text("end") ?? ""), ("limit", "200"),
            ]
        )
        if let problem = reply.problem { return [.notice(Notice(problem))] }
        let same = reply.items.filter {
            $0["period"]?.text("start") == period?.text("start")
                && $0["period"]?.text("end") == period?.text("end")
        }
        let table = Table(
            label: "Records of this period",
            columns: [
                .words("Record"), .words("Kind"), .words("Cause"), .number("Value"),
                .number("Amount"), .words("Made"),
            ],
            rows: same.map { item in
                let id = item.text("id") ?? ""
                let isThis = id == names[0]
                return Table.Row(
                    Way.record(id),
                    [
                        .code(Spelled.excerpt(id, 14), isThis ? "this one" : nil),
                        Self.kindOfRecord(item.text("kind")), .text(item.text("cause") ?? ""),
                        .quantity(item.text("value")), .quantity(item.text("amount")),
                        .time(item.text("createdAt")),
                    ]
                )
            }
        )
        return [.table(table)]
    }

    /// Where it was sent, and what came of it.
    private func deliveries(of record: JSONValue) async -> [Piece] {
        let destinations = await get("/v1/destinations").items.prefix(Self.destinationsShownMax)
        var rows: [Table.Row] = []
        for destination in destinations {
            let key = destination.text("key") ?? ""
            let reply = await get(
                "/v1/deliveries",
                [
                    ("destination", key), ("meterType", record.text("meterType") ?? ""),
                    ("subject", record.text("subject") ?? ""),
                    ("from", record["period"]?.text("start") ?? ""),
                    ("to", record["period"]?.text("end") ?? ""), ("limit", "200"),
                ]
            )
            for delivery in reply.items where delivery["record"]?.text("id") == names[0] {
                rows.append(Self.deliveryRow(delivery, isOfOne: false))
            }
        }
        guard !rows.isEmpty else {
            return [
                .empty(
                    title: "It was sent nowhere",
                    text: "A destination sends records on, as they are made.",
                    code: nil,
                    ways: [Link("Destinations", "/console/destinations")]
                )
            ]
        }
        return [
            .table(
                Table(
                    label: "Deliveries of this record",
                    columns: Self.deliveryColumns(isOfOne: false),
                    rows: rows
                )
            )
        ]
    }

    private func behind(_ path: String) async -> [Piece] {
        let reply = await get(
            path + "/events",
            [("limit", Self.listMax), ("cursor", query["cursor"])]
        )
        if let problem = reply.problem { return [.notice(Notice(problem))] }
        let page = Way.record(names[0])
        return [
            .table(Self.eventTable(reply.items, label: "Events behind the record")),
            .pager(
                first: query["cursor"].isEmpty ? nil : page,
                next: reply.json.next.map { Way.link(page, [("cursor", $0)]) + "#events" }
            ),
        ]
    }
}
