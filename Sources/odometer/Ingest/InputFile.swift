import Compression
import FileIntake
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A file or standard input, read forward, unpacked where it is gzip.
///
/// Reading waits for the disk or the pipe: it belongs on a thread that may wait.
final class InputFile {
    private static let pieceBytes = 256 * 1_024

    let name: String
    /// In bytes as stored; nil where nobody knows, as with a pipe.
    let size: Int64?
    /// How many bytes as stored have been read.
    private(set) var bytesRead: Int64 = 0

    private let descriptor: Int32
    private let isPipe: Bool
    private var inflater: GzipInflater?
    private var isBeginning = true

    /// - Parameter path: `-` is standard input.
    /// - Throws: ``CommandFailure`` with ``CommandCode/usage``.
    init(path: String) throws(CommandFailure) {
        name = path == "-" ? "standard input" : path
        descriptor = path == "-" ? 0 : unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure("open", name) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw Self.failure("read", name) }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw CommandFailure(.usage, "\(name) is a directory")
        }
        isPipe = status.st_mode & S_IFMT != S_IFREG
        size = isPipe ? nil : Int64(status.st_size)
    }

    deinit { if descriptor != 0 { close(descriptor) } }

    private static func failure(_ verb: String, _ name: String) -> CommandFailure {
        CommandFailure(.usage, "cannot \(verb) \(name): \(unsafe String(cString: strerror(errno)))")
    }

    /// The next bytes, unpacked.
    ///
    /// - Parameter waits: Whether to wait for a slow sender; without, half a second at most.
    /// - Returns: nil at the end; no bytes where none came in time.
    /// - Throws: ``CommandFailure`` where the file cannot be read or is no good gzip.
    func read(waits: Bool) throws(CommandFailure) -> [UInt8]? {
        while true {
            if isPipe, !waits {
                var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                if unsafe Glibc.poll(&poll, 1, 500) == 0 { return [] }
            }
            let stored = try readStored()
            if isBeginning, stored.starts(with: [0x1F, 0x8B]) { inflater = GzipInflater() }
            isBeginning = false
            guard let inflater else { return stored.isEmpty ? nil : stored }
            do {
                if stored.isEmpty {
                    try inflater.finish()
                    return nil
                }
                var unpacked: [UInt8] = []
                try unsafe stored.withUnsafeBytes { packed in
                    try unsafe inflater.inflate(packed) { piece in
                        unsafe unpacked.append(contentsOf: piece)
                    }
                }
                if !unpacked.isEmpty { return unpacked }
            } catch {
                throw CommandFailure(.refused, "\(name) is damaged gzip: \(error)")
            }
        }
    }

    /// The next bytes as stored; at the very beginning at least two, where there are two.
    private func readStored() throws(CommandFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        repeat {
            var piece = [UInt8](repeating: 0, count: Self.pieceBytes)
            let count = unsafe piece.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure("read", name) }
            if count == 0 { break }
            bytes += piece[..<count]
            bytesRead += Int64(count)
        } while isBeginning && bytes.count < 2
        return bytes
    }
}
