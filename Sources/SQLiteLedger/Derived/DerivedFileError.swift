/// Why a file of derived state could not be read or written.
///
/// Derived state is disposable: whoever meets `missing`, `corrupt` or `unreadable` rebuilds it from
/// the event blocks. Nothing that was read before the error may be trusted less for it: every page
/// is checked before a value of it is handed out.
struct DerivedFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Closed on purpose: a new code breaks every `switch` that has not yet decided about it.
    enum Code: String, CaseIterable, Sendable {
        /// There is no such file.
        case missing
        /// The bytes contradict their checksum, their order, or the file's length.
        case corrupt
        /// Whole, but not for us: another kind of file, format version or ledger.
        case unreadable
        /// The file system has no space left.
        case full
        /// Any other failure of the file system.
        case io
    }

    var code: Code
    /// The file at fault.
    var path: String
    /// Where the bytes at fault begin, counted from the start of the file.
    var offset: Int
    /// What was attempted and what was found.
    var message: String

    init(_ code: Code, _ path: String, offset: Int = 0, _ message: String) {
        (self.code, self.path, self.offset, self.message) = (code, path, offset, message)
    }

    var description: String { "\(code.rawValue): \(path) at byte \(offset): \(message)" }
}
