import ArgumentParser
import Foundation
import SQLiteLedger

/// `odometer verify`: reads everything that is stored and derives it again.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every block, every derived file, and that the books balance.",
        discussion: """
            The server must not run on the directory. Nothing is changed: damage of derived \
            files is mended by the next start of the server; damage of the log needs a backup.
            """
    )

    @OptionGroup var flags: ServeFlags
    @Flag(help: "Say nothing but the findings.")
    var quiet = false

    func run() throws {
        let directory = try flags.configuration().data
        let quiet = quiet
        var verification = LedgerVerification(directory: directory) { step in
            if !quiet { Terminal.say(step + " …") }
        }
        let report: LedgerVerification.Report
        do {
            report = try verification.run()
        } catch {
            throw CommandFailure(.refused, "cannot verify \(directory): \(error)")
        }
        for finding in report.findings { Terminal.put("\(finding)\n") }
        guard report.isClean else {
            throw CommandFailure(.refused, "\(report.findings.count) findings in \(directory)")
        }
        Terminal.put(
            """
            clean: \(report.events) events in \(report.blocks) blocks, \(report.keys) keys, \
            \(report.cells) rollup cells; the books balance\n
            """
        )
    }
}
