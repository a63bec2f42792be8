import ArgumentParser
import UsageModel
import WireFormat

/// `odometer reconcile`: what a destination was sent, against what it says it has.
struct ReconcileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile",
        abstract: "Compare what a destination was sent with what it says it has.",
        discussion: """
              odometer reconcile --destination billing --against billed.csv

            The file is CSV with a head: a column of the records' ids, and one of amounts, which \
            are compared with the records' amounts. Each line of the answer is a record that is \
            missing there, is there and was never sent, stands there twice, or has another amount \
            there. Leaves with code 4 where there is any.
            """
    )

    @Option(help: "Key of the destination.") var destination: String
    @Option(help: "CSV of what the other side has; - is standard input.") var against: String
    @Option(help: "Column of the ids of records.") var idColumn = "id"
    @Option(help: "Column of the amounts.") var amountColumn = "amount"
    @Option(help: "Only of periods that end after this, RFC 3339.") var from: String?
    @Option(help: "Only of periods that start before this, RFC 3339.") var to: String?
    @OptionGroup var answer: AnswerFlags

    private struct Page: Decodable {
        var items: [DeliveryAnswer]
        var next: String?
    }

    func run() async throws {
        let theirs = try BilledAmounts(
            CommandBody.read(against),
            idColumn: idColumn,
            amountColumn: amountColumn
        )
        let comparing = try await ServerConnection.open(answer.server) { server in
            var comparing = BillingComparison(theirs)
            var cursor: String?
            repeat {
                var query = [("destination", destination), ("limit", "1000")]
                for case (let name, let value?) in [
                    ("from", from), ("to", to), ("cursor", cursor),
                ] {
                    query.append((name, value))
                }
                let got = try await server.ask(.get, "/v1/deliveries", query: query)
                let page = try got.decoded(Page.self)
                for one in page.items { comparing.add(one) }
                cursor = page.next
            } while cursor != nil
            return comparing
        }
        // Within bounds of time, what else is in the file may be of other periods.
        let findings = comparing.findings(listsExtra: from == nil && to == nil)
        Terminal.put(answer.json ? findings.json : findings.text)
        if !findings.isClean { throw CommandFailure(.incomplete) }
    }
}

/// What a CSV file of the other side says.
struct BilledAmounts {
    private(set) var amounts: [String: String] = [:]
    private(set) var repeated: [String] = []

    /// - Throws: ``CommandFailure``: `usage`, for what is no CSV, or lacks a column.
    init(_ bytes: [UInt8], idColumn: String, amountColumn: String) throws(CommandFailure) {
        var reader = CSVReader()
        reader.feed(bytes)
        reader.finish()
        do {
            guard let head = try reader.next()?.fields else {
                throw CommandFailure(.usage, "the file is empty")
            }
            func place(_ column: String) throws(CommandFailure) -> Int {
                if let place = head.firstIndex(of: column) { return place }
                let there = head.joined(separator: ", ")
                throw CommandFailure(
                    .usage,
                    "there is no column \"\(column)\"; there are: \(there)"
                )
            }
            let (id, amount) = (try place(idColumn), try place(amountColumn))
            while let row = try reader.next() {
                guard row.count > max(id, amount) else {
                    throw CommandFailure(.usage, "line \(row.line) has \(row.count) fields")
                }
                if amounts.updateValue(row[amount], forKey: row[id]) != nil {
                    repeated.append(row[id])
                }
            }
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.usage, "the file is no CSV: \(error)")
        }
    }
}

/// Both sides beside each other.
struct BillingComparison {
    struct Finding {
        /// One of `missing`, `extra`, `repeated`, `different`.
        var what: String
        var id: String
        var meter = ""
        /// Of our delivery, where it is missing there.
        var state = ""
        var ours: String?
        var theirs: String?
    }

    struct Findings {
        var all: [Finding]
        var compared: Int

        var isClean: Bool { all.isEmpty }

        var text: String {
            var table = Table(["", "RECORD", "METER", "STATE", "OURS", "THERE"], numbers: [4, 5])
            for one in all {
                table.add([
                    one.what, one.id, one.meter.isEmpty ? "-" : one.meter,
                    one.state.isEmpty ? "-" : one.state, one.ours ?? "-",
                    one.theirs ?? "-",
                ])
            }
            let words =
                isClean ? "all are there, with equal amounts" : "findings: \(all.count)"
            return (isClean ? "" : table.text()) + "records: \(compared); \(words)\n"
        }

        var json: String {
            let items = all.map { one -> JSONValue in
                var item: JSONObject = ["finding": .string(one.what), "record": .string(one.id)]
                if !one.meter.isEmpty { item["meter"] = .string(one.meter) }
                if !one.state.isEmpty { item["state"] = .string(one.state) }
                item["sent"] = one.ours.map { .string($0) }
                item["there"] = one.theirs.map { .string($0) }
                return .object(item)
            }
            let document: JSONValue = [
                "compared": .string(String(compared)), "items": .array(items),
            ]
            return String(decoding: document.serialized(), as: UTF8.self) + "\n"
        }
    }

    private let theirs: BilledAmounts
    private var known: Set<String> = []
    private var found: [Finding] = []

    init(_ theirs: BilledAmounts) { self.theirs = theirs }

    /// Compares one delivery. What was not acknowledged may be there all the same, where the answer
    /// was lost; where it is missing, its state says why.
    mutating func add(_ delivery: DeliveryAnswer) {
        let record = delivery.record
        known.insert(record.id)
        let amount = theirs.amounts[record.id]
        var finding = Finding(what: "", id: record.id, meter: record.meter, ours: record.amount)
        finding.theirs = amount
        if let amount {
            let isEqual = (try? Quantity(amount)) == record.amount.flatMap { try? Quantity($0) }
            finding.what = isEqual ? "" : "different"
        } else {
            finding.what = "missing"
            finding.state = delivery.state
        }
        if !finding.what.isEmpty { found.append(finding) }
    }

    func findings(listsExtra: Bool) -> Findings {
        var all = found
        all += theirs.repeated.map { Finding(what: "repeated", id: $0) }
        if listsExtra {
            for (id, amount) in theirs.amounts.sorted(by: { $0.key < $1.key })
            where !known.contains(id) {
                all.append(Finding(what: "extra", id: id, theirs: amount))
            }
        }
        return Findings(all: all, compared: known.count)
    }
}
