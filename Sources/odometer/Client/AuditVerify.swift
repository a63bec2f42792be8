import ArgumentParser
import Foundation
import SQLiteLedger
import UsageModel
import WireFormat

/// `odometer audit verify`: whether anybody touched the audit trail.
struct AuditVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check the chain of the audit trail; a server may run on the directory.",
        discussion: """
            Names the first broken link: the number of the entry, and which of its fields or \
            hashes does not fit. Entries missing at the end show only against a head that was \
            noted before: --head NUMBER:HASH, as export and verify print it.
            """
    )

    @OptionGroup var flags: ServeFlags
    @Option(help: "Check a whole export instead of a directory; - is standard input.")
    var file: String?
    @Option(help: "The head that the trail had once, NUMBER:HASH: it must still be there.")
    var head: String?
    @Flag(help: "Print JSON for programs.")
    var json = false

    func run() throws {
        let remembered = try head.map { text throws(CommandFailure) in
            guard let head = AuditHead(text) else {
                throw CommandFailure(.usage, "\"\(text)\" is no head: it is NUMBER:HASH")
            }
            return head
        }
        let report = try file.map { try Self.check(file: $0, remembered) } ?? check(remembered)
        if json {
            Terminal.put(Self.document(report))
        } else {
            for finding in report.findings { Terminal.put("\(finding)\n") }
        }
        guard report.isSound else {
            let first = report.findings[0]
            let more = report.findings.count - 1
            throw CommandFailure(
                .refused,
                "the first broken link is entry \(first.number)" + (more > 0 ? ", +\(more)" : "")
            )
        }
        if !json { Terminal.put("sound: \(report.entries) entries, head \(report.head)\n") }
    }

    private func check(_ remembered: AuditHead?) throws -> AuditCheck.Report {
        let directory = try flags.configuration().data
        do {
            return try AuditVerification(directory: directory, remembered: remembered).run()
        } catch {
            throw CommandFailure(.refused, "cannot verify \(directory): \(error)")
        }
    }

    /// Checks what `odometer audit export` wrote.
    private static func check(
        file: String,
        _ remembered: AuditHead?
    ) throws(CommandFailure) -> AuditCheck.Report {
        let bytes = try CommandBody.read(file)
        var check = AuditCheck(remembered: remembered)
        for (place, line) in bytes.split(separator: UInt8(ascii: "\n")).enumerated() {
            let document = try? JSONValue.parse(Array(line)).objectValue
            if let text = document?[AuditDocument.headName]?.stringValue {
                check.meet(AuditHead(text))
                continue
            }
            guard let entry = document.flatMap(AuditDocument.read) else {
                throw CommandFailure(.refused, "\(file): line \(place + 1) is no audit entry")
            }
            check.take(entry)
        }
        return check.finish()
    }

    private static func document(_ report: AuditCheck.Report) -> String {
        let document: JSONValue = [
            "isSound": .bool(report.isSound), "entries": .string("\(report.entries)"),
            "head": .string("\(report.head)"),
            "findings": .array(
                report.findings.map { finding in
                    [
                        "number": .string("\(finding.number)"),
                        "what": .array(finding.what.map { .string($0) }),
                        "text": .string(finding.text),
                    ]
                }
            ),
        ]
        return String(decoding: document.serialized(), as: UTF8.self) + "\n"
    }
}
