import Glibc

/// Writes a file of derived state so that its name always names a whole file.
///
/// The bytes go to `path.tmp`; ``finish()`` makes them durable, gives them the name, and makes the
/// name durable. A writer let go before that removes what it wrote. Every 8 MiB are synchronized,
/// so that a merge of gigabytes never leaves a heap of dirty pages that the fsync of the next
/// commit would have to wait for.
@safe final class DerivedFileWriter {
    private static let bufferBytes = 1 << 20
    private static let stretchBytes = 8 << 20

    let path: String
    /// The bytes appended so far.
    private(set) var count = 0

    private let temporaryPath: String
    private var descriptor: Int32
    private let buffer: UnsafeMutableRawPointer
    private var buffered = 0
    private var written = 0
    private var synchronized = 0

    init(_ path: String) throws(DerivedFileError) {
        let temporaryPath = path + ".tmp"
        let descriptor = unsafe open(
            temporaryPath,
            O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
            0o600
        )
        guard descriptor >= 0 else {
            throw DerivedFile.failure(temporaryPath, offset: 0, "create")
        }
        (self.path, self.temporaryPath, self.descriptor) = (path, temporaryPath, descriptor)
        unsafe buffer = .allocate(byteCount: Self.bufferBytes, alignment: 4_096)
    }

    deinit {
        unsafe buffer.deallocate()
        guard descriptor >= 0 else { return }
        _ = close(descriptor)
        _ = unsafe unlink(temporaryPath)
    }

    /// Adds bytes at the end.
    func append(_ bytes: UnsafeRawBufferPointer) throws(DerivedFileError) {
        var taken = 0
        while taken < bytes.count {
            let size = min(bytes.count - taken, Self.bufferBytes - buffered)
            unsafe (buffer + buffered).copyMemory(
                from: bytes.baseAddress! + taken,
                byteCount: size
            )
            (taken, buffered) = (taken + size, buffered + size)
            if buffered == Self.bufferBytes { try flush() }
        }
        count += bytes.count
    }

    /// Overwrites bytes that were appended before; the header, once all else is known.
    func replace(_ bytes: [UInt8], at offset: Int) throws(DerivedFileError) {
        precondition(offset >= 0 && offset + bytes.count <= count)
        try flush()
        let target = descriptor
        try Self.write(bytes, to: target, at: offset, temporaryPath)
    }

    /// Makes the file durable under its name. The writer is of no more use after it.
    func finish() throws(DerivedFileError) {
        try flush()
        guard fsync(descriptor) == 0 else { throw failure("fsync") }
        guard unsafe rename(temporaryPath, path) == 0 else { throw failure("rename") }
        _ = close(descriptor)
        descriptor = -1
        try Self.synchronizeDirectory(of: path)
    }

    private func flush() throws(DerivedFileError) {
        guard buffered > 0 else { return }
        try unsafe Self.write(
            UnsafeRawBufferPointer(start: buffer, count: buffered),
            to: descriptor,
            at: written,
            temporaryPath
        )
        (written, buffered) = (written + buffered, 0)
        if written - synchronized >= Self.stretchBytes {
            guard fdatasync(descriptor) == 0 else { throw failure("fdatasync") }
            synchronized = written
        }
    }

    private func failure(_ call: String) -> DerivedFileError {
        DerivedFile.failure(temporaryPath, offset: written, call)
    }

    /// Writes a small file whole, in the place of the one that had its name; durable on return.
    static func write(_ bytes: [UInt8], replacing path: String) throws(DerivedFileError) {
        let writer = try DerivedFileWriter(path)
        unsafe try withRawBytes(bytes) { (raw) throws(DerivedFileError) in
            try unsafe writer.append(raw)
        }
        try writer.finish()
    }

    /// Writes bytes behind the first `offset` bytes of a file, which is made if there is none, and
    /// cuts off what stood behind them; durable on return.
    static func append(
        _ bytes: [UInt8],
        to path: String,
        at offset: Int
    ) throws(DerivedFileError) {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DerivedFile.failure(path, offset: 0, "open") }
        defer { _ = close(descriptor) }
        try write(bytes, to: descriptor, at: offset, path)
        guard ftruncate(descriptor, offset + bytes.count) == 0, fsync(descriptor) == 0 else {
            throw DerivedFile.failure(path, offset: offset, "truncate and fsync")
        }
        if offset == 0 { try synchronizeDirectory(of: path) }
    }

    /// Writes all the bytes at a place of an open file.
    static func write(
        _ bytes: [UInt8],
        to descriptor: Int32,
        at offset: Int,
        _ path: String
    ) throws(DerivedFileError) {
        var failure: DerivedFileError?
        unsafe bytes.withUnsafeBytes { raw in
            do throws(DerivedFileError) {
                try unsafe write(raw, to: descriptor, at: offset, path)
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private static func write(
        _ bytes: UnsafeRawBufferPointer,
        to descriptor: Int32,
        at offset: Int,
        _ path: String
    ) throws(DerivedFileError) {
        var done = 0
        while done < bytes.count {
            let put = unsafe pwrite(
                descriptor,
                bytes.baseAddress! + done,
                bytes.count - done,
                offset + done
            )
            if put >= 0 {
                done += put
            } else if errno != EINTR {
                throw DerivedFile.failure(path, offset: offset + done, "write")
            }
        }
    }

    /// Makes the names in a file's directory durable.
    static func synchronizeDirectory(of path: String) throws(DerivedFileError) {
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DerivedFile.failure(directory, offset: 0, "open") }
        defer { _ = close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw DerivedFile.failure(directory, offset: 0, "fsync")
        }
    }
}
