import ArgumentParser
import UsageModel
import WireFormat

/// `odometer export`: what a server holds, in the form that `apply` takes.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write what a server holds as documents that `apply` takes.",
        discussion: """
            YAML, or JSON with --json. Applying it to the same server changes nothing; applying \
            it to an empty one makes the same. What is retired or closed is left out, and so are \
            meters that opened by themselves.
            """
    )

    @Option(name: .customLong("kind"), help: "Only this kind; may repeat.")
    var kinds: [String] = []

    @OptionGroup var answer: AnswerFlags

    func validate() throws {
        for name in kinds where DeclaredKind.named(name) == nil {
            let known = DeclaredKind.all.map(\.name).joined(separator: ", ")
            throw ValidationError("--kind \(name): known: \(known)")
        }
    }

    func run() async throws {
        let kinds = DeclaredKind.all.filter { self.kinds.isEmpty || self.kinds.contains($0.name) }
        try await ServerConnection.open(answer.server) { server in
            var documents: [JSONObject] = []
            for kind in kinds {
                for told in try await server.all(kind.listPath)
                where kind.isDeclared(told) && kind.over(told) == nil {
                    documents.append(try Self.document(told, kind))
                }
            }
            guard answer.json else {
                return Terminal.put(documents.map(YAMLText.document).joined())
            }
            let bytes = JSONValue.array(documents.map { .object($0) }).serialized(pretty: true)
            Terminal.put(String(decoding: bytes, as: UTF8.self) + "\n")
        }
    }

    static func document(
        _ told: JSONObject,
        _ kind: DeclaredKind
    ) throws(CommandFailure) -> JSONObject {
        do throws(DeclaredFault) {
            var document: JSONObject = ["kind": .string(kind.name)]
            for member in try kind.normal(told).members { document[member.name] = member.value }
            return document
        } catch {
            let faults = error.faults.map(\.pointer).joined(separator: ", ")
            let words = "the server's \(kind.name) is not understood here: \(faults)"
            throw CommandFailure(.refused, words)
        }
    }
}
