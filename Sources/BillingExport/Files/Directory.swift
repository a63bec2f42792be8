import Glibc
import MeteringEngine
import NIOPosix
import UsageModel

/// A directory of this machine. A file is written under a hidden name, made durable, and only then
/// given its own: whoever looks sees all of it, or nothing.
struct Directory: FileStore {
    /// A call that failed, in words, and whether another time may be better.
    private struct Failure: Error {
        var code: Int32
        var reason: String

        init(_ doing: String, _ name: String) {
            code = errno
            let words = unsafe String(cString: strerror(code))
            reason = "cannot \(doing) \(name): \(words)"
        }

        /// What nobody's waiting mends. A directory that is not there may be one that is not
        /// mounted yet.
        var isLasting: Bool {
            [EACCES, EPERM, EROFS, ENOTDIR, ENAMETOOLONG, EISDIR].contains(code)
        }
    }

    private let path: String
    private let clock: @Sendable () -> Instant

    /// - Throws: ``FieldFault`` for a path that depends on where the process was started.
    init(_ path: String, _ clock: @escaping @Sendable () -> Instant) throws(FieldFault) {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw FieldFault(
                pointer: "/directory",
                reason: "this is no whole path",
                remedy: "write the path of a directory from the root: `/var/lib/billing`"
            )
        }
        self.clock = clock
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    func put(_ file: BatchFile) async -> DeliveryOutcome {
        let began = clock()
        let outcome = await written(file)
        SentRequest.note(file.bytes, to: "\(path)/\(file.name)", since: began, clock(), outcome)
        return outcome
    }

    private func written(_ file: BatchFile) async -> DeliveryOutcome {
        do {
            // Calls that wait for a device get threads of their own.
            try await NIOThreadPool.singleton.runIfActive { try write(file) }
            return .delivered(status: nil, reference: file.name)
        } catch let failure as Failure {
            if failure.isLasting { return .refused(status: nil, reason: failure.reason) }
            return .retry(status: nil, reason: failure.reason, after: nil)
        } catch {
            return .retry(status: nil, reason: "not written: \(error)", after: nil)
        }
    }

    private func write(_ file: BatchFile) throws {
        var steps = file.name.split(separator: "/")
        let last = steps.removeLast()
        var folder = path
        for step in steps {
            let inner = "\(folder)/\(step)"
            if unsafe mkdir(inner, 0o755) == 0 {
                try synchronize(folder)
            } else if errno != EEXIST {
                throw Failure("make the directory", inner)
            }
            folder = inner
        }
        let hidden = "\(folder)/.\(last).partial"
        do {
            try fill(hidden, file.bytes)
            guard unsafe rename(hidden, "\(folder)/\(last)") == 0 else {
                throw Failure("rename", hidden)
            }
        } catch {
            _ = unsafe unlink(hidden)
            throw error
        }
        try synchronize(folder)
    }

    private func fill(_ name: String, _ bytes: [UInt8]) throws {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
        let descriptor = unsafe open(name, flags, 0o644)
        guard descriptor >= 0 else { throw Failure("write", name) }
        defer { _ = close(descriptor) }
        var done = 0
        while done < bytes.count {
            let put = unsafe bytes[done...].withUnsafeBytes { raw in
                unsafe Glibc.write(descriptor, raw.baseAddress, raw.count)
            }
            if put >= 0 {
                done += put
            } else if errno != EINTR {
                throw Failure("write", name)
            }
        }
        guard fsync(descriptor) == 0 else { throw Failure("make durable", name) }
    }

    /// Makes the names in a directory durable.
    private func synchronize(_ folder: String) throws {
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure("open the directory", folder) }
        defer { _ = close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Failure("make durable", folder) }
    }
}
