import ArgumentParser
import Foundation
import UsageModel
import WireFormat

/// A change of one item, as it is sent.
private struct ItemChange {
    var id: String
    var step: String
    var document: JSONObject
    var method = ServerConnection.Method.post

    func send(_ server: ServerConnection) async throws -> ServerAnswer {
        let path = "/v1/quarantine/" + ServerConnection.segment(id) + step
        let bytes = JSONValue.object(document).serialized()
        return try await server.ask(method, path, body: ("application/json", bytes))
    }
}

/// Which item, as far as it stands as it was looked at, and who says so.
struct ItemFlags: ParsableArguments {
    @Argument(help: "Id of the item, such as q-7.") var id: String
    @Option(help: "Only if this version of it stands.") var version: Int?
    @OptionGroup var note: NoteFlags
    @OptionGroup var answer: AnswerFlags

    fileprivate func change(_ step: String) -> ItemChange {
        var document = note.members
        document["version"] = version.map { .number(String($0)) }
        return ItemChange(id: id, step: step, document: document)
    }
}

struct QuarantineEdit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit",
        abstract: "Change what a release of an item counts.",
        discussion: """
              odometer quarantine edit q-7 --version 1 --patch '{"time":"2026-11-01T12:00:00Z"}'
              odometer quarantine edit q-7 --version 1 --event event.json

            The version is that of `show`: where somebody else came before, nothing is changed.
            """
    )

    @Argument(help: "Id of the item, such as q-7.") var id: String
    @Option(help: "The version that is to be changed.") var version: Int
    @Option(help: "A JSON merge patch of the event: members to set, null to take out.")
    var patch: String?
    @Option(help: "A file with the whole event; - for standard input.") var event: String?
    @OptionGroup var note: NoteFlags
    @OptionGroup var answer: AnswerFlags

    func validate() throws {
        guard (patch == nil) != (event == nil) else {
            throw ValidationError("say one of --patch and --event")
        }
    }

    func run() async throws {
        var document = note.members
        document["version"] = .number(String(version))
        if let patch { document["patch"] = try Self.parsed(Array(patch.utf8), "--patch") }
        if let event { document["event"] = try Self.parsed(try Self.read(event), event) }
        let change = ItemChange(id: id, step: "", document: document, method: .patch)
        try await ServerConnection.open(answer.server) { server in
            let got = try await change.send(server)
            guard !answer.json else { return Terminal.put(got) }
            Terminal.put(try got.decoded(QuarantinedAnswer.self).text)
        }
    }

    private static func read(_ name: String) throws(CommandFailure) -> [UInt8] {
        let file = name == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: name)
        guard let file, let data = try? file.read(upToCount: Limits.eventBytesMax + 1),
            data.count <= Limits.eventBytesMax
        else { throw CommandFailure(.usage, "cannot read \(name), or it is too long for an event") }
        return Array(data)
    }

    private static func parsed(
        _ bytes: [UInt8],
        _ what: String
    ) throws(CommandFailure) -> JSONValue {
        do throws(MalformedBody) { return try JSONValue.parse(bytes) } catch {
            throw CommandFailure(.usage, "\(what) is not JSON: \(error.description)")
        }
    }
}

struct QuarantineRelease: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Judge an item's event again, and count it.",
        discussion: "Where it is rejected again, or in conflict, the exit code is 4."
    )

    private struct Released: Decodable {
        var verdict: String
        var position: String?
        var item: QuarantinedAnswer
    }

    @OptionGroup var item: ItemFlags

    func run() async throws {
        let (id, answer, change) = (item.id, item.answer, item.change("/release"))
        try await ServerConnection.open(answer.server) { server in
            let got = try await change.send(server)
            let released = try got.decoded(Released.self)
            if answer.json {
                Terminal.put(got)
            } else if let position = released.position {
                Terminal.put("\(id) is released: \(released.verdict) at position \(position)\n")
            } else {
                let item = released.item
                Terminal.put("\(id) stays open: \(item.reason) \(item.pointer) \(item.detail)\n")
            }
            if released.position == nil { throw CommandFailure(.incomplete) }
        }
    }
}

struct QuarantineDiscard: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard",
        abstract: "Say that an item shall not count, and why."
    )

    @OptionGroup var item: ItemFlags

    func validate() throws {
        guard item.note.reason?.isEmpty == false else { throw ValidationError("say why: --reason") }
    }

    func run() async throws {
        let (id, answer, change) = (item.id, item.answer, item.change("/discard"))
        try await ServerConnection.open(answer.server) { server in
            let got = try await change.send(server)
            answer.json ? Terminal.put(got) : Terminal.put("\(id) is discarded\n")
        }
    }
}

struct QuarantineReopen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reopen",
        abstract: "Make a discarded item open again."
    )

    @OptionGroup var item: ItemFlags

    func run() async throws {
        let (id, answer, change) = (item.id, item.answer, item.change("/reopen"))
        try await ServerConnection.open(answer.server) { server in
            let got = try await change.send(server)
            answer.json ? Terminal.put(got) : Terminal.put("\(id) is open\n")
        }
    }
}
