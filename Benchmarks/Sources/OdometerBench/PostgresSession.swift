import CPostgres
import Synchronization

/// One connection to PostgreSQL; one thread at a time may use it, so a lock holds it.
final class PostgresSession: Sendable {
    private let connection: Mutex<PostgresConnection>

    init(_ parameters: String) throws(BenchError) {
        connection = Mutex(try PostgresConnection(parameters))
    }

    /// Runs statements as text; returns the first column of the first row, or nil.
    @discardableResult
    func run(_ statements: String) throws(BenchError) -> String? {
        try connection.withLock { link throws(BenchError) in try link.run(statements) }
    }

    func prepare(_ statement: String) throws(BenchError) {
        try connection.withLock { link throws(BenchError) in try link.prepare(statement) }
    }

    /// Commits one batch, again when the database chose it as a deadlock's victim.
    ///
    /// - Returns: The number of rows that were new, and of tries it took.
    func commit(_ batch: PeerBatch) throws(BenchError) -> (inserted: Int, tries: Int) {
        for tries in 1...100 {
            let result = try connection.withLock { link throws(BenchError) in
                try link.commit(batch)
            }
            if result.mustRetry { continue }
            guard let inserted = result.text.flatMap({ Int($0) }) else {
                throw BenchError("the batch statement gave no count")
            }
            return (inserted, tries)
        }
        throw BenchError("a batch did not commit in 100 tries")
    }
}

@safe private struct PostgresConnection: ~Copyable {
    static let batchStatement = "batch"
    private let connection: OpaquePointer

    init(_ parameters: String) throws(BenchError) {
        // Even a connection that failed is an object, holds the reason, and must be finished.
        guard let opened = unsafe PQconnectdb(parameters) else { throw BenchError("PQconnectdb") }
        if unsafe PQstatus(opened) != CONNECTION_OK {
            let reason = unsafe String(cString: PQerrorMessage(opened))
            unsafe PQfinish(opened)
            throw BenchError(reason)
        }
        unsafe connection = opened
    }

    deinit { unsafe PQfinish(connection) }

    func run(_ statements: String) throws(BenchError) -> String? {
        try unsafe answer(PQexec(connection, statements)).text
    }

    func prepare(_ statement: String) throws(BenchError) {
        _ = try unsafe answer(PQprepare(connection, Self.batchStatement, statement, 0, nil))
    }

    func commit(_ batch: PeerBatch) throws(BenchError) -> (text: String?, mustRetry: Bool) {
        try unsafe answer(send(batch))
    }

    private func send(_ batch: PeerBatch) -> OpaquePointer? {
        unsafe batch.bytes.withUnsafeBytes { raw -> OpaquePointer? in
            guard let base = unsafe raw.baseAddress?.assumingMemoryBound(to: CChar.self) else {
                return nil
            }
            if batch.parameters.isEmpty { return unsafe PQexec(connection, base) }
            let values = unsafe batch.parameters.map { range -> UnsafePointer<CChar>? in
                unsafe base + range.lowerBound
            }
            let lengths = batch.parameters.map { Int32($0.count) }
            let formats = [Int32](repeating: 1, count: lengths.count)
            return unsafe PQexecPrepared(
                connection,
                Self.batchStatement,
                Int32(values.count),
                values,
                lengths,
                formats,
                0
            )
        }
    }

    private func answer(
        _ result: OpaquePointer?
    ) throws(BenchError) -> (text: String?, mustRetry: Bool) {
        guard let result = unsafe result else {
            throw BenchError(unsafe String(cString: PQerrorMessage(connection)))
        }
        defer { unsafe PQclear(result) }
        switch unsafe PQresultStatus(result) {
        case PGRES_COMMAND_OK: return (nil, false)
        case PGRES_TUPLES_OK:
            guard unsafe PQntuples(result) > 0 else { return (nil, false) }
            return (unsafe String(cString: PQgetvalue(result, 0, 0)), false)
        default:
            let state = unsafe PQresultErrorField(result, Int32(UInt8(ascii: "C")))
            let code = unsafe state.map { unsafe String(cString: $0) } ?? ""
            if code == "40P01" || code == "40001" { return (nil, true) }
            throw BenchError(unsafe String(cString: PQresultErrorMessage(result)))
        }
    }
}
