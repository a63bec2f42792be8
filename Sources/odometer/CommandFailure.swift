import Foundation

/// Why a command ends without success. The number is the process's exit code and documented.
enum CommandCode: Int32, CaseIterable, Sendable {
    /// The server answered with a problem, or the command failed on this machine.
    case refused = 1
    case usage = 2
    /// No answer from the server in the time given.
    case unreachable = 3
    /// The work is done, but some events were rejected or are in conflict.
    case incomplete = 4
    /// Where it was asked: something would change, or did.
    case changed = 5
}

/// An end without success: a code for programs, words for people.
struct CommandFailure: Error {
    var code: CommandCode
    /// What was attempted, on what, and what to do; empty where all is said already.
    var message: String

    init(_ code: CommandCode, _ message: String = "") {
        (self.code, self.message) = (code, message)
    }

    func leave() -> Never {
        if !message.isEmpty { Terminal.say(message) }
        exit(code.rawValue)
    }
}

/// The two streams a command writes to: answers on one, words about them on the other.
enum Terminal {
    /// Writes a line to standard error.
    static func say(_ line: String) { write(Array((line + "\n").utf8), to: STDERR_FILENO) }

    /// Writes bytes to standard output as they are.
    static func put(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }

    static func put(_ bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }

    /// Writes an answer as it is, with a line end after it.
    static func put(_ answer: ServerAnswer) {
        var bytes = answer.bytes
        if bytes.last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
        write(bytes, to: STDOUT_FILENO)
    }

    /// Writes all of it. Where nobody reads any more, as behind `| head`, the program ends by the
    /// signal that ends any other; where it cannot be written, with an exit code.
    private static func write(_ bytes: [UInt8], to stream: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.write(stream, bytes.baseAddress, bytes.count)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EPIPE {
                _ = signal(SIGPIPE, SIG_DFL)
                raise(SIGPIPE)
                exit(CommandCode.refused.rawValue)
            } else if errno != EINTR, errno != EAGAIN {
                exit(CommandCode.refused.rawValue)
            }
        }
    }
}
