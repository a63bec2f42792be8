import ArgumentParser
import Foundation
import SQLiteLedger
import WireFormat

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
    @Flag(help: "Print JSON for programs.")
    var json = false

    func run() throws {
        let directory = try flags.configuration().data
        let quiet = quiet || json
        var verification = LedgerVerification(directory: directory) { step in
            if !quiet { Terminal.say(step + " …") }
        }
        let report: LedgerVerification.Report
        do {
            report = try verification.run()
        } catch {
            throw CommandFailure(.refused, "cannot verify \(directory): \(error)")
        }
        if json {
            Terminal.put(Self.document(report))
        } else {
            for finding in report.findings { Terminal.put("\(finding)\n") }
        }
        guard report.isClean else {
            throw CommandFailure(.refused, "\(report.findings.count) findings in \(directory)")
        }
        if json { return }
        Terminal.put(
            """
            clean: \(report.events) events in \(report.blocks) blocks, \(report.keys) keys, \
            \(report.cells) rollup cells; the books balance; \(report.audit.entries) audit \
            entries, head \(report.audit.head)\n
            """
        )
    }

    private static func document(_ report: LedgerVerification.Report) -> String {
        let document: JSONValue = [
            "isClean": .bool(report.isClean), "events": .string("\(report.events)"),
            "blocks": .string("\(report.blocks)"), "keys": .string("\(report.keys)"),
            "cells": .string("\(report.cells)"),
            "auditEntries": .string("\(report.audit.entries)"),
            "auditHead": .string("\(report.audit.head)"),
            "findings": .array(report.findings.map { .string("\($0)") }),
        ]
        return String(decoding: document.serialized(), as: UTF8.self) + "\n"
    }
}
