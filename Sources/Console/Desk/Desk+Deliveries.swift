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

    // MARK: One delivery

    /// `/console/deliveries/{destination}/{number}`
    func delivery() async -> Answer { .sheet(await deliverySheet(problem: nil)) }

    /// A POST to the same address sends it again.
    func resend() async -> Answer {
        let number = JSONValue.string(names[1])
        let body: JSONValue = [
            "destination": .string(names[0]), "from": number, "to": number,
        ]
        let reply = await send(.post, "/v1/deliveries/resend", body)
        if let problem = reply.problem { return .sheet(await deliverySheet(problem: problem)) }
        return .redirect(
            Way.delivery(names[0], names[1]),
            saying: "It is sent again, under the same idempotency key as before."
        )
    }

    private func deliverySheet(problem: Problem?) async -> Sheet {
        let path = Way.path("v1", "deliveries", names[0], names[1])
        let reply = await get(path)
        var sheet = Sheet(
            "Delivery \(names[1])",
            trail: [
                Link("Deliveries", "/console/deliveries"),
                Link(names[0], Way.link("/console/deliveries", [("destination", names[0])])),
            ]
        )
        guard reply.problem == nil else {
            sheet.tell(reply.problem)
            return sheet
        }
        let delivery = reply.json
        let destination = await get(Way.path("v1", "destinations", names[0])).json
        let record = delivery["record"] ?? .null
        sheet.tag = Self.stateOfDelivery(delivery)
        sheet.lede = "To \(names[0]): \(record.text("subject") ?? ""), \(Self.period(record))"
        sheet.tell(problem)
        let isPending = delivery.text("state") == "pending"
        let facts = Piece.facts(deliveryFacts(delivery, destination))
        sheet.pieces = [
            .columns(
                [
                    isPending
                        ? .watched("What came back", id: "tries", tries(delivery))
                        : .card("What came back", id: "tries", tries(delivery)),
                    .card("What is sent", id: "request", requestPieces(delivery, destination)),
                ],
                [
                    .card("How it stands", id: "facts", [facts]),
                    .card("Send it again", id: "resend", [.form(resendOne(delivery))]),
                ]
            ), asCall(path),
        ]
        return sheet
    }

    private func deliveryFacts(_ delivery: JSONValue, _ destination: JSONValue) -> [Fact] {
        let record = delivery["record"] ?? .null
        let id = record.text("id") ?? ""
        let most = destination.text("attemptsMax") ?? "20"
        var facts = [
            Fact("State", Self.stateOfDelivery(delivery)),
            Fact("Attempts", .text("\(delivery.text("attempts") ?? "0") of \(most)")),
            Fact("Last try", .time(delivery.text("lastAttemptAt"))),
        ]
        if let next = delivery.text("nextAttemptAt") {
            facts.append(Fact("Next try", .time(next)))
        }
        if let at = delivery.text("deliveredAt") { facts.append(Fact("Delivered", .time(at))) }
        facts += [
            Fact("Record", .code(id, to: Way.record(id))),
            Fact("Amount", .quantity(record.text("amount"), record.text("unit"))),
            Fact(
                "Batch from",
                .text(
                    delivery.text("batch") ?? "",
                    to: Way.delivery(names[0], delivery.text("batch") ?? "")
                )
            ),
        ]
        return facts
    }

    /// How each try went, the newest first.
    private func tries(_ delivery: JSONValue) -> [Piece] {
        let tries = delivery["tries"]?.arrayValue ?? []
        guard !tries.isEmpty else { return [.text("It was not tried yet.")] }
        let table = Table(
            label: "Tries",
            columns: [
                .words("When"), .words("What became of it"), .words("Status"), .words("Answer"),
            ],
            rows: tries.map { attempt in
                let outcome: Cell =
                    switch attempt.text("state") {
                    case "delivered": .tag(.ok, "taken")
                    case "failed": .tag(.bad, "given up")
                    default: .tag(.warn, "tried again")
                    }
                return Table.Row(
                    nil,
                    [
                        .time(attempt.text("at")), outcome,
                        .text(attempt.text("status") ?? "none came"),
                        .text(attempt.text("answer") ?? "–"),
                    ]
                )
            }
        )
        return [.table(table)]
    }

    /// The request as it goes out with each try, as far as it does not differ from try to try.
    private func requestPieces(_ delivery: JSONValue, _ destination: JSONValue) -> [Piece] {
        var record = (delivery["record"]?.objectValue) ?? JSONObject()
        record["deliveryNumber"] = delivery["number"]
        let id = delivery["record"]?.text("id") ?? ""
        let isAlone = (destination.text("batchSize") ?? "1") == "1"
        guard let url = destination["webhook"]?.text("url"), isAlone else {
            return [
                .text("The destination makes its request of this record:"),
                .json(label: "The record as it is sent", JSONValue.object(record).pretty),
            ]
        }
        let message: JSONValue = [
            "type": .string("usage-record." + (delivery["record"]?.text("kind") ?? "")),
            "timestamp": delivery["record"]?["createdAt"] ?? .null, "data": .object(record),
        ]
        return [
            .facts([
                Fact("Request", .code("POST \(url)")), Fact("webhook-id", .code(id)),
                Fact("idempotency-key", .code(id)),
                Fact(
                    "webhook-timestamp, webhook-signature",
                    .text("of each try, signed with the secrets of the destination")
                ),
            ]), .json(label: "The body", message.pretty),
        ]
    }

    private func resendOne(_ delivery: JSONValue) -> Form {
        Form(
            id: "resend-form",
            action: Way.delivery(names[0], names[1]),
            fields: signature(needsReason: false, reasonHint: "What was mended."),
            buttons: [Form.Button(label: "Send it again")],
            way: Link("Change the destination", Way.destination(names[0]) + "?edit=json#change")
        )
    }
}
