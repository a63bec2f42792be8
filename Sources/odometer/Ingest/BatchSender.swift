import FileIntake

/// Sends batches until the server has answered for each of their rows.
struct BatchSender: Sendable {
    let server: ServerConnection
    /// Where events go.
    let path: String
    /// How long one batch is tried without an answer, in seconds.
    let patienceSeconds: Double

    /// Tells of trouble that is being waited out.
    let tell: @Sendable (String) async -> Void

    /// - Returns: The server's answers, one for each part that the batch had to be sent in.
    /// - Throws: ``CommandFailure``: `unreachable` when patience is at its end, `refused` where a
    ///   retry is futile. Sending the same rows again later is always safe.
    func send(_ batch: FileBatch) async throws -> [(batch: FileBatch, answer: IngestAnswer)] {
        let answer = try await answer(to: batch)
        if answer.status == 413 {
            guard let (first, second) = batch.rows.halves() else {
                throw CommandFailure(
                    .refused,
                    "\(batch.name), row \(batch.rows.firstRow): "
                        + Problem(answer).failure.message
                )
            }
            var (one, other) = (batch, batch)
            (one.rows, other.rows) = (first, second)
            return try await send(one) + send(other)
        }
        guard answer.isSuccess else {
            throw CommandFailure(
                .refused,
                "\(batch.name), rows \(batch.rows.firstRow) to \(batch.rows.lastRow): "
                    + Problem(answer).failure.message
            )
        }
        let verdicts = try answer.decoded(IngestAnswer.self)
        guard verdicts.received == batch.rows.count else {
            throw CommandFailure(
                .refused,
                "\(batch.name): \(batch.rows.count) rows from \(batch.rows.firstRow) were sent, the"
                    + " server answered for \(verdicts.received): please report this"
            )
        }
        return [(batch, verdicts)]
    }

    /// An answer that waiting would not change.
    private func answer(to batch: FileBatch) async throws -> ServerAnswer {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(patienceSeconds)
        var attempt = 0
        while true {
            attempt += 1
            var retryAfter: Int?
            let failure: CommandFailure
            do {
                let answer = try await server.call(
                    .post,
                    path,
                    body: ("application/x-ndjson", batch.rows.lines)
                )
                guard Backoff.isWorthwhile(status: answer.status) else { return answer }
                retryAfter = answer.retryAfterSeconds
                failure = Problem(answer).failure
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                failure = server.unreachable(error)
            }
            try Task.checkCancellation()
            let wait = Backoff.seconds(
                attempt: attempt,
                fraction: Double.random(in: 0..<1),
                retryAfter: retryAfter
            )
            guard clock.now + .seconds(wait) < end else { throw failure }
            if attempt == 3 { await tell(failure.message + "; trying again") }
            // A person waits at the other end: what the server asked for, or growing steps.
            try await Task.sleep(for: .seconds(wait))
        }
    }
}
