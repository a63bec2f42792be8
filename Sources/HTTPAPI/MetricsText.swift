import MeteringEngine
import UsageModel

/// Metrics in the text format of Prometheus (0.0.4). Names and labels are bounded: no source, type
/// or subject of an event is ever a label.
struct MetricsText {
    private(set) var text = ""

    mutating func gauge(_ name: String, _ help: String, _ value: Int64) {
        head(name, help, "gauge")
        line(name, "", value)
    }

    mutating func counter(_ name: String, _ help: String, _ value: Int64) {
        head(name, help, "counter")
        line(name, "", value)
    }

    mutating func write(_ counters: RequestCounters, bodyBytesInFlight: Int) {
        let name = "odometer_http_requests_total"
        head(name, "Requests answered, by route and class of status.", "counter")
        for entry in counters.all() {
            let labels = "{route=\"\(entry.route.pattern)\",status=\"\(entry.statusClass)xx\"}"
            line(name, labels, entry.count)
        }
        gauge(
            "odometer_http_body_bytes_in_flight",
            "Bytes of bodies let in and not yet answered.",
            Int64(bodyBytesInFlight)
        )
    }

    mutating func write(_ status: LedgerStatus) {
        write(status.counters)
        gauge("odometer_position", "The last position of the log.", Int64(status.position.value))
        gauge(
            "odometer_checkpoint_position",
            "The position that derived state is on disk for.",
            Int64(status.checkpoint.value)
        )
        gauge("odometer_enrolments", "Meters that were spoken of.", status.enrolments)
        gauge(
            "odometer_recounting",
            "Whether the books are counted anew after meters changed.",
            status.isRecounting ? 1 : 0
        )
        gauge("odometer_blocks", "Event blocks.", status.blocks)
        gauge("odometer_subjects", "Subjects seen.", status.subjects)
        gauge("odometer_quarantined", "Events in quarantine.", status.quarantined)
        let (events, bytes) = (Int64(status.queueEvents), Int64(status.queueBytes))
        gauge("odometer_queue_events", "Events that wait to be committed.", events)
        gauge("odometer_queue_bytes", "Bytes that wait to be committed.", bytes)
        gauge("odometer_key_runs", "Sorted runs of the key index.", Int64(status.keyRuns))
        gauge("odometer_cell_runs", "Sorted runs of the rollups.", Int64(status.cellRuns))
        gauge(
            "odometer_derived_checked",
            "Whether the derived files that the start found have been checked since.",
            status.isChecked ? 1 : 0
        )
        gauge(
            "odometer_backfills",
            "Versions of meter types whose history is being counted, or waits for it.",
            Int64(status.backfills)
        )
        gauge(
            "odometer_backfill_events_left",
            "Events that are left to be counted for the version at work.",
            status.backfillEventsLeft
        )
        counter(
            "odometer_backfill_events_total",
            "Events of the history counted by backfills since the start.",
            status.counters.backfilled
        )
        gauge("odometer_merging", "Whether a merge is under way.", status.isMerging ? 1 : 0)
        gauge("odometer_truth_bytes", "Bytes of the log on disk.", status.truthBytes)
        gauge("odometer_derived_bytes", "Bytes of derived state on disk.", status.derivedBytes)
        gauge("odometer_disk_free_bytes", "Bytes free on the device.", status.freeBytes)
        gauge(
            "odometer_derived_memory_bytes",
            "Memory of the derived state.",
            status.derivedMemoryBytes
        )
        gauge(
            "odometer_resident_bytes",
            "Resident memory of the process.",
            status.residentBytes
        )
    }

    private mutating func write(_ counters: IntakeCounters) {
        let events = "odometer_events_total"
        head(events, "Events received since the start, by verdict.", "counter")
        line(events, "{verdict=\"accepted\"}", counters.accepted)
        line(events, "{verdict=\"duplicate\"}", counters.duplicate)
        line(events, "{verdict=\"conflict\"}", counters.conflict)
        line(events, "{verdict=\"rejected\"}", counters.rejected)
        counter("odometer_commits_total", "Group commits.", counters.commits)
        counter(
            "odometer_refused_busy_total",
            "Calls refused because too much waited.",
            counters.refusedBusy
        )

        let latency = "odometer_commit_seconds"
        head(latency, "How long group commits took, to stable storage.", "histogram")
        histogram(
            latency,
            counters.commitHistogram,
            bounds: IntakeCounters.commitBoundsMicroseconds.map(Self.seconds),
            sum: Self.seconds(counters.commitMicroseconds)
        )
        let group = "odometer_group_events"
        head(group, "How many events group commits held.", "histogram")
        histogram(
            group,
            counters.groupHistogram,
            bounds: IntakeCounters.groupBounds.map(String.init),
            sum: String(counters.groupEvents)
        )
    }

    private mutating func histogram(
        _ name: String,
        _ counts: [Int64],
        bounds: [String],
        sum: String
    ) {
        var total: Int64 = 0
        for (count, bound) in zip(counts, bounds + ["+Inf"]) {
            total += count
            line(name + "_bucket", "{le=\"\(bound)\"}", total)
        }
        text += "\(name)_sum \(sum)\n"
        line(name + "_count", "", total)
    }

    /// Microseconds as decimal seconds, without a float.
    private static func seconds(_ microseconds: Int64) -> String {
        let fraction = String(microseconds % 1_000_000 + 1_000_000).dropFirst()
        return "\(microseconds / 1_000_000).\(fraction)"
    }

    private mutating func head(_ name: String, _ help: String, _ type: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func line(_ name: String, _ labels: String, _ value: Int64) {
        text += "\(name)\(labels) \(value)\n"
    }
}
