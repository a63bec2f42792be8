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
    static func say(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }

    /// Writes bytes to standard output as they are.
    static func put(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }

    /// Writes an answer as it is, with a line end after it.
    static func put(_ answer: ServerAnswer) {
        var bytes = Data(answer.bytes)
        if bytes.last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
        FileHandle.standardOutput.write(bytes)
    }
}
