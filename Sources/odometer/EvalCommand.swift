import ArgumentParser
import Expressions
import Foundation
import MeteringEngine
import UsageModel
import WireFormat

/// `odometer eval`: what an expression is worth, without a server.
struct EvalCommand: ParsableCommand {
    /// What the expression is meant for.
    enum Purpose: String, CaseIterable, ExpressibleByArgument {
        case filter, value, dimension

        var expected: ExpectedResult {
            switch self {
            case .filter: .bool
            case .value: .number
            case .dimension: .scalar
            }
        }
    }

    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Evaluate an expression on an event, without a server.",
        discussion: """
            Prints the value as JSON, or missing; a line for each event of the file. The language \
            is in docs/reference/expressions.md.
            """
    )

    @Argument(help: "The expression, in quotes for the shell.") var expression: String
    @Argument(help: "A file of one event, an array, or lines of events; - for standard input.")
    var event: String
    @Option(name: .customLong("as"), help: "What it is for: filter, value or dimension.")
    var purpose: Purpose = .dimension

    func run() throws {
        let compiled = try compile()
        let batch = try readEvents()
        let paths = PathSet(compiled.paths)
        var slots = [PathValue](repeating: .missing, count: paths.count)
        var scratch = ExpressionScratch()
        var faults = 0
        unsafe batch.bytes.withUnsafeBytes { bytes in
            for event in batch.events {
                unsafe slots.withUnsafeMutableBufferPointer { slots in
                    unsafe paths.extract(event, bytes: bytes, into: slots)
                    let known = UnsafeBufferPointer(slots)
                    let isSound = unsafe answer(compiled, known, bytes, &scratch)
                    if !isSound { faults += 1 }
                }
            }
        }
        for rejected in batch.rejected {
            Terminal.say("event \(rejected.index): \(rejected.reason.rawValue): \(rejected.detail)")
        }
        if faults + batch.rejected.count > 0 { throw CommandFailure(.refused) }
    }

    private func compile() throws -> UsageExpression {
        do {
            return try UsageExpression(
                parsing: expression,
                expecting: purpose.expected,
                zones: SystemTimeZones()
            )
        } catch {
            let indent = String(repeating: " ", count: error.column - 1)
            let shown = expression.contains("\n") ? "" : "\(expression)\n\(indent)^\n"
            throw CommandFailure(.usage, shown + error.description)
        }
    }

    private func readEvents() throws -> DecodedBatch {
        let file = event == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: event)
        guard let file, let data = try? file.read(upToCount: Limits.bodyBytesMax + 1) else {
            throw CommandFailure(.usage, "cannot read \(event)")
        }
        guard data.count <= Limits.bodyBytesMax else {
            throw CommandFailure(.usage, "\(event) has over \(Limits.bodyBytesMax) bytes")
        }
        do {
            return try decodeEvents(Array(data), framing: .plain)
        } catch let whole {
            // One event or an array it is not; lines, perhaps.
            let lines = try? decodeEvents(Array(data), framing: .ndjson)
            if let lines, !lines.events.isEmpty { return lines }
            throw CommandFailure(.usage, "\(event) holds no events: \(whole)")
        }
    }

    /// Prints the answer for one event; `false` where it is a fault.
    private func answer(
        _ compiled: UsageExpression,
        _ slots: UnsafeBufferPointer<PathValue>,
        _ bytes: UnsafeRawBufferPointer,
        _ scratch: inout ExpressionScratch
    ) -> Bool {
        switch unsafe compiled.evaluate(slots, in: bytes, &scratch) {
        case .bool(let bool):
            Terminal.put("\(bool)\n")
            guard purpose == .filter, !bool else { return true }
            if let sentence = unsafe compiled.explain(slots, in: bytes, &scratch) {
                Terminal.say(Table.visible(sentence))
            }
        case .number(let quantity): Terminal.put("\(quantity)\n")
        case .text(let text):
            let plain = unsafe compiled.withBytes(of: text, in: bytes, scratch) {
                unsafe String(decoding: $0, as: UTF8.self)
            }
            Terminal.put(JSONText.quote(plain) + "\n")
        case .missing: Terminal.put("missing\n")
        case .fault(let fault):
            Terminal.put("fault: \(fault.reason.rawValue)\n")
            Terminal.say("\(fault.reason.rawValue) at column \(compiled.column(fault.offset))")
            return false
        }
        return true
    }
}
