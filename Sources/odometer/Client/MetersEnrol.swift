import ArgumentParser
import Foundation
import UsageModel
import WireFormat

/// What can be noted of a meter on the command line.
struct MeterNotes: ParsableArguments {
    @Option(help: "Count events from this time on, RFC 3339.") var start: String?
    @Option(help: "Count events before this time only, RFC 3339.") var end: String?
    @Option(help: "A word to sort meters by.") var category: String?
    @Option(name: .customLong("external-ref"), help: "What another system calls the meter.")
    var externalRef: String?
    @Option(name: .customLong("metadata"), help: "NAME=TEXT of your own; may repeat.")
    var metadata: [String] = []

    func document() throws -> JSONObject {
        var document = JSONObject()
        document["start"] = start.map { .string($0) }
        document["end"] = end.map { .string($0) }
        document["category"] = category.map { .string($0) }
        document["externalRef"] = externalRef.map { .string($0) }
        var members = JSONObject()
        for text in metadata {
            guard let cut = text.firstIndex(of: "="), cut > text.startIndex else {
                throw ValidationError("--metadata is NAME=TEXT, not \"\(text)\"")
            }
            members[String(text[..<cut])] = .string(String(text[text.index(after: cut)...]))
        }
        if !members.isEmpty { document["metadata"] = .object(members) }
        return document
    }
}

/// `odometer meters enrol`.
struct MetersEnrol: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enrol",
        abstract: "Enrol subjects for a meter type, or all meters of a file.",
        discussion: """
              odometer meters enrol prints printer-7 printer-8 --start 2026-11-01T00:00:00Z
              odometer meters enrol --file meters.json

            The file holds {"meters":[…]} as POST /v1/meters takes it, up to 100000 of them.
            """
    )

    @Argument(help: "Key of the meter type.") var meterType: String?
    @Argument(help: "Subjects.") var subjects: [String] = []
    @Option(help: "File of meters, JSON; - is standard input.") var file: String?
    @OptionGroup var notes: MeterNotes
    @OptionGroup var answer: ChangeFlags

    func validate() throws {
        if file != nil, meterType != nil {
            throw ValidationError("say a meter type and subjects, or --file")
        }
        if file == nil, meterType == nil || subjects.isEmpty {
            throw ValidationError("say a meter type and one or more subjects, or --file")
        }
    }

    func run() async throws {
        let bytes: [UInt8]
        if let file {
            bytes = try CommandBody.read(file)
        } else {
            let common = try notes.document()
            let meters = subjects.map { subject in
                var meter = common
                meter["meterType"] = meterType.map { .string($0) }
                meter["subject"] = .string(subject)
                return JSONValue.object(meter)
            }
            bytes = JSONValue.object(["meters": .array(meters)]).serialized()
        }
        try await ServerConnection.open(answer) { server in
            let body = (type: "application/json", bytes: bytes)
            let got = try await server.ask(.post, "/v1/meters", body: body)
            guard !answer.json else { return Terminal.put(got) }
            if let page = try? got.decoded(Outcome.self) {
                Terminal.say("enrolled \(page.enrolled), unchanged \(page.unchanged)")
            } else {
                Terminal.say("enrolled 1")
            }
        }
    }

    private struct Outcome: Decodable {
        var enrolled: String
        var unchanged: String
    }
}

/// `odometer meters change`.
struct MetersChange: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "change",
        abstract: "Change the dates and notes of an enrolled meter."
    )

    @Argument(help: "Id of the meter.") var id: String
    @OptionGroup var notes: MeterNotes
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        let bytes = JSONValue.object(try notes.document()).serialized()
        try await MeterWord.send(.patch, id, "", bytes, answer)
    }
}

/// `odometer meters suspend`.
struct MetersSuspend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspend",
        abstract: "Let a meter count nothing for a while."
    )

    @Argument(help: "Id of the meter.") var id: String
    @Option(help: "From this time on, RFC 3339; now if not said.") var from: String?
    @Option(help: "Up to this time, RFC 3339; until it is resumed if not said.") var to: String?
    @OptionGroup var answer: ChangeFlags

    func validate() throws { try MeterWord.require(answer.reason) }

    func run() async throws {
        let bytes = MeterWord.body(reason: answer.reason, from: from, to: to)
        try await MeterWord.send(.post, id, "/suspend", bytes, answer)
    }
}

/// `odometer meters resume`.
struct MetersResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let a meter count again that was suspended or closed."
    )

    @Argument(help: "Id of the meter.") var id: String
    @Option(help: "From this time on, RFC 3339; now if not said.") var from: String?
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        let bytes = MeterWord.body(reason: answer.reason, from: from, to: nil)
        try await MeterWord.send(.post, id, "/resume", bytes, answer)
    }
}

/// `odometer meters close`.
struct MetersClose: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close",
        abstract: "Let a meter count nothing any more; what it counted stays readable."
    )

    @Argument(help: "Id of the meter.") var id: String
    @Option(help: "From this time on, RFC 3339; now if not said.") var from: String?
    @OptionGroup var answer: ChangeFlags

    func validate() throws { try MeterWord.require(answer.reason) }

    func run() async throws {
        let bytes = MeterWord.body(reason: answer.reason, from: from, to: nil)
        try await MeterWord.send(.post, id, "/close", bytes, answer)
    }
}

/// What is said of one meter, sent and shown.
private enum MeterWord {
    private struct Shape: Decodable {
        var id: String
        var state: String
    }

    static func require(_ reason: String?) throws {
        guard reason?.isEmpty == false else {
            throw ValidationError("--reason is missing: say why")
        }
    }

    static func body(reason: String?, from: String?, to: String?) -> [UInt8] {
        var document = JSONObject()
        document["from"] = from.map { .string($0) }
        document["to"] = to.map { .string($0) }
        document["reason"] = reason.map { .string($0) }
        return JSONValue.object(document).serialized()
    }

    static func send(
        _ method: ServerConnection.Method,
        _ id: String,
        _ path: String,
        _ bytes: [UInt8],
        _ flags: ChangeFlags
    ) async throws {
        try await ServerConnection.open(flags) { server in
            let got = try await server.ask(
                method,
                "/v1/meters/" + ServerConnection.segment(id) + path,
                body: (type: "application/json", bytes: bytes)
            )
            guard !flags.json else { return Terminal.put(got) }
            let meter = try got.decoded(Shape.self)
            Terminal.say("\(meter.id) is \(meter.state) now")
        }
    }
}

/// A file that is sent as it is.
enum CommandBody {
    static func read(_ file: String) throws(CommandFailure) -> [UInt8] {
        let data =
            file == "-"
            ? FileHandle.standardInput.readDataToEndOfFile()
            : FileManager.default.contents(atPath: file)
        guard let data else { throw CommandFailure(.usage, "cannot read \(file)") }
        return Array(data)
    }
}
