import Crypto
import WireFormat

/// One delivery: what was sent with each try, and what came back.
extension Desk {
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
                    .card("What was sent", id: "request", sentPieces(delivery)),
                    .card("The body", id: "body", bodyPieces(delivery, destination)),
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
                .words("When"), .words("Outcome"), .words("Status"), .words("Answer"),
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

    /// What the newest tries sent, request by request; the last one open.
    private func sentPieces(_ delivery: JSONValue) -> [Piece] {
        let tries = (delivery["tries"]?.arrayValue ?? []).filter { attempt in
            !(attempt["requests"]?.arrayValue ?? []).isEmpty
        }
        guard let newest = tries.first else {
            let isTried = delivery["lastAttemptAt"] != nil
            return [
                .text(
                    isTried
                        ? "What it sent is not kept any more: it is of the newest tries, and of "
                            + "the newest deliveries that were taken at once."
                        : "Nothing was sent yet."
                )
            ]
        }
        return Self.requests(of: newest)
            + tries.dropFirst().map { attempt in
                let at = Spelled.timeWords(attempt.text("at") ?? "")
                return .drawer("The try of \(at)", Self.requests(of: attempt))
            }
    }

    private static func requests(of attempt: JSONValue) -> [Piece] {
        let requests = attempt["requests"]?.arrayValue ?? []
        let count = Int(attempt.text("requestCount") ?? "") ?? requests.count
        var pieces: [Piece] = []
        if count > requests.count {
            pieces.append(.text("The last \(requests.count) of its \(count) requests."))
        }
        for request in requests {
            let took = Spelled.count(request.text("milliseconds")) + " ms"
            let bytes = Spelled.some(request.text("bodyBytes") ?? "0", "byte")
            let method = request.text("method") ?? ""
            var facts = [
                Fact("Request", .code("\(method) \(request.text("address") ?? "")")),
                Fact("Sent", .time(request.text("at"))),
                Fact("Body", .text(bytes, "SHA-256 " + (request.text("bodyDigest") ?? ""))),
            ]
            if method != "WRITE" {
                let status = request.text("status") ?? "none"
                facts.append(Fact("Answer", .text("\(status), after \(took)")))
            }
            if let answer = request.text("answer") { facts.append(Fact("It said", .text(answer))) }
            pieces.append(.facts(facts))
            let headers = request["headers"]?.arrayValue ?? []
            guard !headers.isEmpty else { continue }
            pieces.append(
                .table(
                    Table(
                        label: "Headers",
                        columns: [.words("Header"), .words("Value")],
                        rows: headers.map { header in
                            let value = header.text("value") ?? ""
                            return Table.Row(
                                nil,
                                [
                                    .code(header.text("name") ?? ""),
                                    value == "[secret]" ? .text("not kept") : .code(value),
                                ]
                            )
                        }
                    )
                )
            )
        }
        return pieces
    }

    /// The body, made of the record as it is now, and whether it is what was sent.
    private func bodyPieces(_ delivery: JSONValue, _ destination: JSONValue) -> [Piece] {
        var record = (delivery["record"]?.objectValue) ?? JSONObject()
        record["deliveryNumber"] = delivery["number"]
        let isAlone = (destination.text("batchSize") ?? "1") == "1"
        guard destination["webhook"] != nil, isAlone else {
            return [
                .text("The destination makes its body of this record:"),
                .json(label: "The record as it is sent", JSONValue.object(record).pretty),
            ]
        }
        let message: JSONValue = [
            "type": .string("usage-record." + (delivery["record"]?.text("kind") ?? "")),
            "timestamp": delivery["record"]?["createdAt"] ?? .null, "data": .object(record),
        ]
        let sent = delivery["tries"]?.arrayValue?.first?["requests"]?.arrayValue?.last
        let digest = Hex.text(SHA256.hash(data: message.serialized()))
        let words =
            sent.map { sent in
                sent.text("bodyDigest") == digest
                    ? "These are the bytes of the last try, with room between them."
                    : "The last try sent other bytes: how the destination sends was changed since."
            } ?? "This is what a try sends."
        return [.text(words), .json(label: "The body", message.pretty)]
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
