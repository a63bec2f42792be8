import ArgumentParser
import FileIntake
import Foundation
import UsageModel

/// `odometer ingest`: files become events.
struct IngestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest",
        abstract: "Send events from files: NDJSON, JSON, CSV, TSV or access logs, gzip or not.",
        discussion: """
            Sending a file twice counts nothing twice, also under another name, packed or not, or \
            after it has grown: a row without an id gets one that follows from the rows up to it.

              odometer ingest events.ndjson.gz
              odometer ingest trace.csv --type llm.request --subject-text acme \\
                --time TIMESTAMP --timezone UTC
              odometer ingest access.log --format access-log --type http.request

            A row that cannot be mapped is sent all the same, so that the server keeps it in \
            quarantine with its reason. Exit codes: 0 all counted; 1 the server refused; 2 the \
            call was wrong; 3 no server; 4 done, but some events were rejected or are in conflict.
            """
    )

    @Argument(
        help: ArgumentHelp("Files; - is standard input.", valueName: "file"),
        completion: .file()
    )
    var files: [String]

    @OptionGroup(title: "Mapping") var mapping: MappingFlags
    @OptionGroup(title: "Sending") var sending: SendingFlags
    @OptionGroup var server: ServerFlags

    @Flag(help: "Print the sums as JSON.")
    var json = false

    @Flag(help: "Register what was sent, source by source, and show how that stands.")
    var manifest = false

    @Option(
        help: ArgumentHelp(
            "Let the manifest have the sum of this field, such as '$.data.tokens'.",
            valueName: "path"
        )
    )
    var manifestSum: String?

    @Option(
        help: "The times that the manifest is of, RFC 3339; those of the rows where left out."
    )
    var manifestFrom: String?
    @Option(help: "The time before which they lie.") var manifestTo: String?

    func validate() throws {
        guard !manifest || !sending.resume else {
            throw ValidationError("--manifest is of whole files, and --resume leaves rows out")
        }
        guard manifest || [manifestSum, manifestFrom, manifestTo].allSatisfy({ $0 == nil }) else {
            throw ValidationError("--manifest-sum, -from and -to go with --manifest")
        }
        guard (manifestFrom == nil) == (manifestTo == nil) else {
            throw ValidationError("--manifest-from goes with --manifest-to")
        }
    }

    /// What the rows come to, where it is to be registered.
    private func sheet() throws(CommandFailure) -> ManifestSheet? {
        guard manifest else { return nil }
        var range: Range<Instant>?
        if let manifestFrom, let manifestTo {
            guard let from = Instant(rfc3339: manifestFrom), let to = Instant(rfc3339: manifestTo),
                from < to
            else { throw CommandFailure(.usage, "--manifest-from and -to are no range of times") }
            range = from..<to
        }
        do {
            return ManifestSheet(path: try manifestSum.map { try EventPath($0) }, range: range)
        } catch {
            throw CommandFailure(.usage, "--manifest-sum: \(error)")
        }
    }

    func run() async throws {
        let (format, mapping) = try mapping.resolved()
        try sending.check(files: files)
        let sheet = try sheet()
        let settings = BatchFeed.Settings(
            paths: files,
            format: format,
            mapping: mapping,
            rowsMax: sending.batch
        )
        let bytesTotal = try bytesTotal()
        let tally = try await ServerConnection.open(
            server,
            author: manifest ? ChangeFlags.author() : [],
            connections: sending.connections
        ) { server in
            let resume = sending.resume ? try await resumeState(server) : nil
            let feed = BatchFeed(settings, resume: resume)
            let run = IngestRun(
                feed: feed,
                server: server,
                path: sending.path,
                progress: ProgressLine(
                    bytesTotal: bytesTotal,
                    isTerminal: isatty(STDERR_FILENO) != 0
                ),
                connections: sending.connections,
                patienceSeconds: sending.patience
            )
            let sums = try await run.all(sheet)
            let tally = await sums.tally
            Terminal.put(json ? tally.json : tally.text)
            try await sums.sheet?.register(server, isAside: json)
            return tally
        }
        for reason in json ? [] : tally.reasons { Terminal.say(reason) }
        if !json, tally.reasonsLeftOut > 0 {
            Terminal.say("and \(tally.reasonsLeftOut) more: see `odometer quarantine`")
        }
        guard tally.isClean else { throw CommandFailure(.incomplete) }
    }

    private func resumeState(_ server: ServerConnection) async throws -> ResumeState {
        struct Status: Decodable { var position: String }
        let status = try await server.ask(.get, "/v1/status").decoded(Status.self)
        return ResumeState(
            directory: ResumeState.directory(environment: ProcessInfo.processInfo.environment),
            server: server.address,
            fingerprint: try MappingWords(flags: mapping).fingerprint,
            positionNow: UInt64(status.position) ?? 0
        )
    }

    /// Opens every file once, so that a wrong name is told before anything is sent.
    ///
    /// - Returns: Their size as stored; nil where one of them is a pipe.
    private func bytesTotal() throws(CommandFailure) -> Int64? {
        var total: Int64? = 0
        for path in files {
            let size = path == "-" ? nil : try InputFile(path: path).size
            total = total.flatMap { total in size.map { total + $0 } }
        }
        return total
    }
}

/// How events are sent.
struct SendingFlags: ParsableArguments {
    @Option(help: "How many connections send at once; 1 keeps the order of the file.")
    var connections = 4

    @Option(help: "The most events of one call.")
    var batch = 1_000

    @Option(
        help: ArgumentHelp("How long a call is retried before giving up.", valueName: "seconds")
    )
    var patience = 60.0

    @Flag(help: "Leave out rows that an earlier run with --resume has seen acknowledged.")
    var resume = false

    @Option(help: "The backfill set that takes the events: they count once it is closed.")
    var backfillSet: String?

    /// Where events go.
    var path: String {
        backfillSet.map { BackfillSetsCommand.path($0, "/events") } ?? "/v1/events"
    }

    func check(files: [String]) throws(CommandFailure) {
        guard 1...256 ~= connections else {
            throw CommandFailure(.usage, "--connections is 1 to 256")
        }
        guard 1...100_000 ~= batch else { throw CommandFailure(.usage, "--batch is 1 to 100000") }
        guard patience >= 0 else { throw CommandFailure(.usage, "--patience is not negative") }
        guard !files.isEmpty else { throw CommandFailure(.usage, "name a file, or -") }
        guard !resume || !files.contains("-") else {
            throw CommandFailure(.usage, "--resume needs files that can be read again, not -")
        }
    }
}

/// One run: several senders on one feed.
struct IngestRun: Sendable {
    let feed: BatchFeed
    let server: ServerConnection
    let path: String
    let progress: ProgressLine
    let connections: Int
    let patienceSeconds: Double

    /// Sends everything, and sums up.
    ///
    /// - Parameter sheet: Where what was sent is added up too.
    /// - Throws: The first failure that patience did not help. What was acknowledged until then
    ///   stays counted; the summary of it is told on standard error.
    func all(_ sheet: ManifestSheet? = nil) async throws -> TallySheet {
        let sums = TallySheet(sheet)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<connections { group.addTask { try await send(sums) } }
                let watching = Task { await watch(sums) }
                defer { watching.cancel() }
                try await group.waitForAll()
            }
        } catch {
            await feed.close()
            try? await finish(sums)
            throw error
        }
        try await finish(sums)
        if let failure = await feed.failure { throw failure }
        return sums
    }

    private func finish(_ sums: TallySheet) async throws {
        await progress.erase()
        let skipped = await feed.rowsSkipped
        if skipped > 0 { Terminal.say("\(skipped) rows were acknowledged before, and not sent") }
        let received = await sums.tally.received
        if await !feed.isAtEnd, received > 0 {
            Terminal.say("stopped; \(received) events were acknowledged. Sending again is safe.")
        }
        try await feed.saveResume()
    }

    private func send(_ sums: TallySheet) async throws {
        let sender = BatchSender(
            server: server,
            path: path,
            patienceSeconds: patienceSeconds,
            tell: { await progress.tell($0) }
        )
        while let batch = await feed.take() {
            for (part, answer) in try await sender.send(batch) {
                try await sums.add(answer, of: part)
            }
            await feed.acknowledge(batch, position: sums.tally.position)
        }
    }

    private func watch(_ sums: TallySheet) async {
        var ticks = 0
        while !Task.isCancelled {
            // The pace of a progress bar; nothing is decided by it.
            try? await Task.sleep(for: .milliseconds(200))
            guard !Task.isCancelled else { return }
            await progress.show(events: sums.tally.received, bytesRead: feed.bytesRead)
            ticks += 1
            if ticks % 5 == 0 { try? await feed.saveResume() }
        }
    }
}

/// The sums of several senders.
actor TallySheet {
    private(set) var tally = IngestTally()
    /// nil where only the server's verdicts are added up.
    private(set) var sheet: ManifestSheet?

    init(_ sheet: ManifestSheet?) { self.sheet = sheet }

    func add(_ answer: IngestAnswer, of batch: FileBatch) throws {
        tally.add(answer, of: batch)
        try sheet?.add(batch.rows.lines)
    }
}
