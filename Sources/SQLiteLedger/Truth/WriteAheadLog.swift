internal import Dispatch
internal import GRDB
internal import Synchronization

/// Moves what is committed from the database's write-ahead file into the database, beside the
/// commits that go on.
///
/// SQLite would do it within a commit, every few thousand pages: intake then stands still for two
/// fsyncs and a copy of all pages. Here a second connection does the copying in the background,
/// and what the committer's own connection finds left to do, once the file has grown to
/// ``pagesMax``, is little. Only that one begins the file anew.
final class WriteAheadLog: Sendable {
    static let pageBytes = 8_192
    /// Where the committer moves the rest itself and begins the file anew.
    static let pagesMax = 12_288
    /// What the file is cut to when it is begun anew.
    static let bytesMax = pagesMax * pageBytes
    /// How much is written between two moves in the background.
    private static let moveBytes = 16 << 20

    private let connection: DatabaseQueue
    private let queue = DispatchQueue(label: "odometer.write-ahead")
    private let bytes = Atomic<Int>(0)
    private let isMoving = Atomic<Bool>(false)

    /// - Parameter path: Of the database, which is in write-ahead mode already.
    init(of path: String) throws {
        var configuration = Configuration()
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
        connection = try DatabaseQueue(path: path, configuration: configuration)
    }

    /// Counts what was committed; moves it once there is enough.
    ///
    /// A move that fails loses nothing: the pages stay where they are, and the next one, or the
    /// committer, tells of a device that does not write.
    func wrote(_ count: Int) {
        guard bytes.add(count, ordering: .relaxed).newValue >= Self.moveBytes,
            !isMoving.exchange(true, ordering: .acquiring)
        else { return }
        bytes.store(0, ordering: .relaxed)
        queue.async { [self] in
            IntakePriority.take()
            defer { isMoving.store(false, ordering: .releasing) }
            _ = try? connection.writeWithoutTransaction { try $0.checkpoint(.passive) }
        }
    }

    /// Ends what is under way.
    func close() throws {
        queue.sync {}
        try connection.close()
    }
}
