import ArgumentParser
import SQLiteLedger
import WireFormat

/// `odometer backup`: a copy of the log at one moment, while the server runs.
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the log to a directory, while the server runs.",
        discussion: """
            The copy is the log as of one position: every call that was answered before the \
            copy began is in it. Derived files are not copied; the first start on the copy \
            rebuilds them. A new directory each time: a copy is never written over another.
            """
    )

    @OptionGroup var flags: ServeFlags
    @Option(help: "The directory of the copy; it must hold no ledger.")
    var to: String
    @Flag(help: "Print JSON for programs.")
    var json = false

    func run() throws {
        let directory = try flags.configuration().data
        try Copying(from: directory, to: to, json: json).run()
    }
}

/// `odometer restore`: makes a data directory from a backup, and checks it.
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make a data directory from a backup, and verify it.",
        discussion: "The data directory must hold no ledger: a restore never replaces one."
    )

    @OptionGroup var flags: ServeFlags
    @Option(help: "The directory that `odometer backup` wrote.")
    var from: String
    @Flag(inversion: .prefixedNo, help: "Check every block of the restored log.")
    var verify = true
    @Flag(help: "Print JSON for programs: a line for the copy, and one for the check.")
    var json = false

    func run() throws {
        let directory = try flags.configuration().data
        try Copying(from: from, to: directory, json: json).run()
        guard verify else { return }
        var command = VerifyCommand()
        command.flags = flags
        (command.quiet, command.json) = (false, json)
        try command.run()
    }
}

private struct Copying {
    let from: String
    let to: String
    let json: Bool

    func run() throws {
        do {
            let summary = try LedgerBackup(from: from, to: to).run()
            guard json else {
                let (position, bytes) = (summary.position, summary.bytes)
                return Terminal.put("\(to): position \(position), \(bytes) bytes\n")
            }
            let document: JSONValue = [
                "directory": .string(to), "position": .string("\(summary.position)"),
                "bytes": .string("\(summary.bytes)"),
            ]
            Terminal.put(String(decoding: document.serialized(), as: UTF8.self) + "\n")
        } catch {
            throw CommandFailure(.refused, "\(error)")
        }
    }

    init(from: String, to: String, json: Bool) {
        (self.from, self.to, self.json) = (from, to, json)
    }
}
