import HTTPTypes
import MeteringEngine
import UsageModel
import WireFormat

/// For operators and their machines.
extension FrontDesk {
    /// `GET /readyz`: whether the ledger answers.
    func readReadiness(_ call: Call) async -> Answer {
        do throws(LedgerError) {
            _ = try await ledger.status()
            return .text("ready\n")
        } catch {
            var refusal = Refusal(error)
            // Whatever it is, traffic should go elsewhere for now.
            if refusal.type != .busy, refusal.type != .storageUnavailable {
                refusal.type = .storageUnavailable
            }
            return refusal.answer(instance: call.path, isPretty: call.isPretty)
        }
    }

    /// `GET /v1/status`.
    func readStatus(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let status = try await ledger.status()
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            json.field("position", status.position)
            json.field("checkpoint", status.checkpoint)
            json.field("blocks", String(status.blocks))
            json.field("subjects", String(status.subjects))
            json.field("quarantined", String(status.quarantined))
            json.field("enrolments", String(status.enrolments))
            json.field("isRecounting", status.isRecounting)
            json.object("derived") { json in
                json.field("keyRuns", status.keyRuns)
                json.field("cellRuns", status.cellRuns)
                json.field("isMerging", status.isMerging)
                json.field("isChecked", status.isChecked)
                json.field("memoryBytes", String(status.derivedMemoryBytes))
            }
            json.object("disk") { json in
                json.field("truthBytes", String(status.truthBytes))
                json.field("derivedBytes", String(status.derivedBytes))
                json.field("freeBytes", String(status.freeBytes))
            }
            json.object("queue") { json in
                json.field("events", status.queueEvents)
                json.field("bytes", status.queueBytes)
                json.field("bodyBytesInFlight", budget.bytesInFlight)
            }
            json.field("residentBytes", String(status.residentBytes))
            json.object("sinceStart") { Self.write(status.counters, &$0) }
        }
        return .json(json)
    }

    private static func write(_ counters: IntakeCounters, _ json: inout JSONWriter) {
        let sums = [
            ("accepted", counters.accepted), ("duplicate", counters.duplicate),
            ("conflict", counters.conflict), ("rejected", counters.rejected),
            ("commits", counters.commits), ("commitMicroseconds", counters.commitMicroseconds),
            ("refusedBusy", counters.refusedBusy),
        ]
        for (name, sum) in sums { json.field(name, String(sum)) }
    }

    /// `GET /metrics`. Where the ledger does not answer, the edge's own counts still do.
    func readMetrics() async -> Answer {
        var text = MetricsText()
        text.write(counters, bodyBytesInFlight: budget.bytesInFlight)
        let status = try? await ledger.status()
        if let status { text.write(status) }
        text.gauge("odometer_ledger_up", "Whether the ledger answers.", status == nil ? 0 : 1)
        return .text(text.text, type: "text/plain; version=0.0.4; charset=utf-8")
    }

    /// `GET /openapi.json`: the API, described.
    func readDescription(_ call: Call) throws -> Answer {
        var query = try call.query()
        try query.finish()
        let body = APIDescription.served
        return Answer(
            headers: [.contentType: "application/json"],
            body: call.isPretty ? APIDescription.document.serialized(pretty: true) : body
        )
    }

    /// `GET /problems/{type}`: what a problem means and what to do.
    func readProblem(_ call: Call) throws -> Answer {
        guard let type = ProblemType(rawValue: try call.name(at: 1)) else {
            throw Refusal.notFound("there is no such type of problem")
        }
        return .text("\(type.rawValue) (\(type.status))\n\n\(type.title).\n\n\(type.remedy)\n")
    }
}
