import ArgumentParser
import Foundation

/// The flags of every command that asks a server.
struct ServerFlags: ParsableArguments {
    static let addressDefault = "http://127.0.0.1:8337"

    @Option(
        help: "Address of the server; \(addressDefault) if not said. Environment: ODOMETER_SERVER."
    )
    var server: String?

    /// The address without a slash at its end.
    ///
    /// - Throws: ``CommandFailure`` with ``CommandCode/usage``.
    func address() throws(CommandFailure) -> String {
        var text = server ?? ProcessInfo.processInfo.environment["ODOMETER_SERVER"] ?? ""
        if text.isEmpty { text = Self.addressDefault }
        if !text.contains("://") { text = "http://" + text }
        while text.hasSuffix("/") { text.removeLast() }
        guard let url = URL(string: text), url.host() != nil,
            url.scheme == "http" || url.scheme == "https"
        else {
            throw CommandFailure(.usage, "\"\(text)\" is no address such as \(Self.addressDefault)")
        }
        return text
    }
}

/// The flags of commands that answer with the server's JSON, if asked.
struct AnswerFlags: ParsableArguments {
    @OptionGroup var server: ServerFlags

    @Flag(help: "Print the server's answer as it is: JSON for programs.")
    var json = false
}

/// The flags of commands that change something.
struct ChangeFlags: ParsableArguments {
    @OptionGroup var answer: AnswerFlags

    @Option(help: "Who changes it; $ODOMETER_ACTOR or $USER if not said. For the audit trail.")
    var actor: String?

    @Option(help: "Why a change is made, for the audit trail.")
    var reason: String?

    /// Who makes a change and why, as headers of the calls that make it.
    ///
    /// - Throws: ``CommandFailure`` with ``CommandCode/usage``.
    func author() throws(CommandFailure) -> [(name: String, value: String)] {
        let name = actor ?? Self.actorName
        let said = [("odometer-actor", name), ("odometer-reason", reason ?? "")]
        for (header, value) in said
        where value.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            throw CommandFailure(.usage, "\(header): it holds a line break or the like")
        }
        return said.filter { !$0.1.isEmpty }
    }

    private static var actorName: String {
        let environment = ProcessInfo.processInfo.environment
        return environment["ODOMETER_ACTOR"] ?? environment["USER"] ?? ""
    }

    /// Who makes a change, where no flag says it.
    static func author() -> [(name: String, value: String)] {
        [("odometer-actor", actorName)].filter { !$0.1.isEmpty }
    }

    var server: ServerFlags { answer.server }
    var json: Bool { answer.json }
}

/// The flags of commands that list.
struct ListFlags: ParsableArguments {
    @Option(help: "The most rows, 1 to 1000.")
    var limit = 100

    @Option(help: "Go on from the `next` of the answer before.")
    var cursor: String?

    var query: [(String, String)] {
        [("limit", "\(limit)")] + (cursor.map { [("cursor", $0)] } ?? [])
    }

    /// Says that there is more, and how to see it.
    func tell(next: String?) {
        if let next { Terminal.say("There is more: add --cursor \(next)") }
    }
}
