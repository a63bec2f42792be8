import WireFormat

/// Deliveries: what became of each record at each destination.
extension Desk {
    /// The most destinations of which a page tells at once.
    static let destinationsShownMax = 50

    static func stateOfDelivery(_ delivery: JSONValue) -> Cell {
        let state = delivery.text("state") ?? ""
        let attempts = Int(delivery.text("attempts") ?? "0") ?? 0
        switch state {
        case "delivered": return .tag(.ok, state)
        case "failed": return .tag(.bad, state)
        default: return attempts > 0 ? .tag(.warn, "trying again") : .tag(.info, state)
        }
    }

    static func deliveryColumns(isOfOne: Bool) -> [Table.Column] {
        [
            .words(isOfOne ? "Number" : "Delivery"), .words("State"), .words("Record"),
            .words("Period"),
            .number("Amount"), .number("Attempts"), .words("Last answer"), .words("Last attempt"),
        ]
    }

    static func deliveryRow(_ delivery: JSONValue, isOfOne: Bool) -> Table.Row {
        let key = delivery.text("destination") ?? ""
        let number = delivery.text("number") ?? ""
        let record = delivery["record"] ?? .null
        let status = delivery.text("status")
        let answer = delivery.text("answer").map { Spelled.excerpt($0, 60) }
        return Table.Row(
            Way.delivery(key, number),
            [
                .text(number, isOfOne ? nil : key), stateOfDelivery(delivery),
                .text(record.text("subject") ?? "", record.text("meterType")),
                .span(
                    record.text("period", "localStart"),
                    record.text("period", "localEnd"),
                    record.text("period", "timezone")
                ),
                .quantity(record.text("amount"), record.text("unit")),
                .text(delivery.text("attempts") ?? "0"),
                status == nil && answer == nil ? .none : .text(status ?? "no answer", answer),
                .time(delivery.text("lastAttemptAt")),
            ]
        )
    }

    /// `/console/deliveries`: of one destination, or what is failing at any.
    func deliveries() async -> Answer {
        let destinations = await get("/v1/destinations")
        guard destinations.problem == nil else {
            var sheet = Sheet("Deliveries")
            sheet.tell(destinations.problem)
            return .sheet(sheet)
        }
        let keys = destinations.items.compactMap { $0.text("key") }
        if query["destination"].isEmpty { return .sheet(await failing(keys)) }
        var filters = Filters(query)
        filters.choice(
            "destination",
            "Destination",
            [.init("", "All that fail")] + keys.map { .init($0, $0) }
        )
        filters.choice(
            "state",
            "State",
            [
                .init("", "All"), .init("pending", "Pending"), .init("delivered", "Delivered"),
                .init("failed", "Failed"),
            ]
        )
        filters.text("meterType", "Meter type", isCode: true)
        filters.text("subject", "Subject")
        filters.text("customer", "Customer")
        filters.time("from", "Periods that end after")
        filters.time("to", "And begin before")
        let asked = filters.asked + [("order", "desc"), ("limit", Self.listMax)]
        let reply = await get("/v1/deliveries", asked + [("cursor", query["cursor"])])
        var sheet = Sheet(
            "Deliveries to \(query["destination"])",
            lede: "The newest first.",
            trail: [Link("Deliveries", "/console/deliveries")]
        )
        sheet.tell(reply.problem)
        sheet.actions = [Link("The destination", Way.destination(query["destination"]))]
        sheet.pieces = [filters.toolbar("/console/deliveries", problem: reply.problem)]
        if reply.problem == nil {
            sheet.pieces.append(deliveryList(reply.items))
            let pager = filters.pager(
                "/console/deliveries",
                next: reply.json.next,
                isFirst: query["cursor"].isEmpty
            )
            sheet.pieces.append(pager)
            if reply.items.contains(where: { $0.text("state") == "failed" }) {
                sheet.pieces.append(.card("Send again", id: "resend", [.form(resendAll())]))
            }
        }
        sheet.pieces.append(asCall("/v1/deliveries", asked))
        return .sheet(sheet)
    }

    private func deliveryList(_ items: [JSONValue]) -> Piece {
        guard !items.isEmpty else {
            return .empty(
                title: "No delivery fits",
                text: "A delivery is made for each usage record that the destination takes.",
                code: nil,
                ways: [
                    Link(
                        "All of this destination",
                        Way.link(
                            "/console/deliveries",
                            [("destination", query["destination"])]
                        )
                    )
                ]
            )
        }
        return .table(
            Table(
                label: "Deliveries",
                columns: Self.deliveryColumns(isOfOne: true),
                rows: items.map { Self.deliveryRow($0, isOfOne: true) }
            )
        )
    }

    private func resendAll() -> Form {
        Form(
            id: "resend-all",
            action: "/console/deliveries",
            fields: signature(needsReason: false, reasonHint: "What was mended."),
            hidden: [("destination", query["destination"])],
            buttons: [Form.Button(label: "Send all that failed again")]
        )
    }

    /// What fails, whatever the destination.
    private func failing(_ keys: [String]) async -> Sheet {
        var sheet = Sheet(
            "Deliveries",
            lede: "What failed, or is tried again, at any destination."
        )
        sheet.actions = [Link("Destinations", "/console/destinations")]
        guard !keys.isEmpty else {
            sheet.pieces = [noDestination()]
            return sheet
        }
        var rows: [Table.Row] = []
        for key in keys.prefix(Self.destinationsShownMax) {
            for state in ["failed", "pending"] {
                let reply = await get(
                    "/v1/deliveries",
                    [
                        ("destination", key), ("state", state), ("order", "desc"),
                        ("limit", "20"),
                    ]
                )
                rows += reply.items.filter { state == "failed" || $0.text("attempts") != "0" }
                    .map { Self.deliveryRow($0, isOfOne: false) }
            }
        }
        let links = keys.map {
            Link($0, Way.link("/console/deliveries", [("destination", $0)]))
        }
        sheet.pieces = [
            .tabs(
                "Destinations",
                [Link("All that fail", "/console/deliveries", isCurrent: true)] + links
            )
        ]
        if rows.isEmpty {
            sheet.pieces.append(
                .empty(
                    title: "Nothing fails",
                    text: "Every record was taken, or waits for its first try.",
                    code: nil,
                    ways: []
                )
            )
        } else {
            sheet.pieces.append(
                .table(
                    Table(
                        label: "Deliveries that fail",
                        columns: Self.deliveryColumns(isOfOne: false),
                        rows: rows
                    )
                )
            )
        }
        return sheet
    }

    func noDestination() -> Piece {
        .empty(
            title: "There is no destination",
            text: "A destination says where usage records go: to a webhook, an API, files, Stripe, "
                + "CloudEvents, or the output of the server.",
            code: nil,
            ways: [Link("Make one", "/console/destinations/new", look: "primary")]
        )
    }

    /// A POST to `/console/deliveries`: all that failed at a destination go again.
    func resendFailed() async -> Answer {
        let key = form["destination"]
        let body: JSONValue = ["destination": .string(key), "state": "failed"]
        let reply = await send(.post, "/v1/deliveries/resend", body)
        if let problem = reply.problem {
            var sheet = Sheet("Deliveries", trail: [Link("Deliveries", "/console/deliveries")])
            sheet.tell(problem)
            return .sheet(sheet)
        }
        return .redirect(
            Way.link("/console/deliveries", [("destination", key)]),
            saying: "\(Spelled.some(reply.json.text("resent") ?? "0", "delivery", "deliveries")) "
                + "will be sent again."
        )
    }
}
