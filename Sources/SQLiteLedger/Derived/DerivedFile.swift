import Glibc

/// An open file of derived state, read by position: from any thread, without a shared cursor.
///
/// It stays readable after its name is gone, so a run may be deleted while readers still hold it.
final class DerivedFile: Sendable {
    let path: String
    /// The file's length when it was opened, in bytes.
    let count: Int
    private let descriptor: Int32

    init(reading path: String) throws(DerivedFileError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(path, offset: 0, "open") }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            let error = Self.failure(path, offset: 0, "stat")
            _ = close(descriptor)
            throw error
        }
        (self.path, self.descriptor, count) = (path, descriptor, Int(status.st_size))
    }

    deinit { _ = close(descriptor) }

    /// Fills the whole target from `offset` on.
    ///
    /// - Throws: `corrupt` if the file ends before the target is full; `io`.
    func read(
        _ target: UnsafeMutableRawBufferPointer,
        at offset: Int
    ) throws(DerivedFileError) {
        var done = 0
        while done < target.count {
            let got = unsafe pread(
                descriptor,
                target.baseAddress! + done,
                min(target.count - done, 1 << 30),
                offset + done
            )
            if got > 0 {
                done += got
            } else if got == 0 {
                throw DerivedFileError(.corrupt, path, offset: offset + done, "the file is cut off")
            } else if errno != EINTR {
                throw Self.failure(path, offset: offset + done, "read")
            }
        }
    }

    /// Bytes of the file as an array, for headers and other small things.
    func bytes(at offset: Int, count: Int) throws(DerivedFileError) -> [UInt8] {
        var failure: DerivedFileError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(DerivedFileError) {
                let raw = UnsafeMutableRawBufferPointer(buffer)
                try unsafe read(UnsafeMutableRawBufferPointer(rebasing: raw[..<count]), at: offset)
                filled = count
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }

    /// The error that `errno` stands for now.
    static func failure(_ path: String, offset: Int, _ call: String) -> DerivedFileError {
        let number = errno
        let code: DerivedFileError.Code =
            switch number {
            case ENOENT: .missing
            case ENOSPC, EDQUOT: .full
            default: .io
            }
        let reason = unsafe String(cString: strerror(number))
        return DerivedFileError(code, path, offset: offset, "\(call): \(reason)")
    }
}
