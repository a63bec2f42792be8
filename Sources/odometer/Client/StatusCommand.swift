import ArgumentParser
import Foundation

/// `odometer status`: how the server is.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how the server is: position, storage, memory, queue, verdicts.",
        discussion: "The exit code is 0 if it is ready, 1 if it is not, 3 if it cannot be reached."
    )

    @OptionGroup var answer: AnswerFlags

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            let ready = await Self.isReady(server)
            let got = try await server.ask(.get, "/v1/status")
            if answer.json {
                Terminal.put(got)
            } else {
                var table = Table(["", ""])
                table.add(["server", server.address])
                table.add(["ready", ready ? "yes" : "no"])
                for row in try Self.rows(got) { table.add(row) }
                Terminal.put(table.text(withHead: false))
            }
            if !ready { throw CommandFailure(.refused, "the server is not ready") }
        }
    }

    private static func isReady(_ server: ServerConnection) async -> Bool {
        (try? await server.call(.get, "/readyz"))?.isSuccess ?? false
    }

    /// Every member of the answer, nested ones by their path, in the order of their names.
    private static func rows(_ answer: ServerAnswer) throws -> [[String]] {
        let object = try JSONSerialization.jsonObject(with: Data(answer.bytes))
        var rows: [[String]] = []
        func add(_ value: Any, _ path: String) {
            switch value {
            case let members as [String: Any]:
                for (name, value) in members.sorted(by: { $0.key < $1.key }) {
                    add(value, path.isEmpty ? name : "\(path).\(name)")
                }
            case let items as [Any]:
                rows.append([path, items.map { "\($0)" }.joined(separator: " ")])
            default: rows.append([path, "\(value)"])
            }
        }
        add(object, "")
        return rows
    }
}
