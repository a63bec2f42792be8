import ArgumentParser
import WireFormat

/// `odometer apply`: makes a server hold what files declare.
struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Make a server hold what files declare; what stands already is left alone.",
        discussion: """
            Files are YAML or JSON, of one document or several, in the words of the API and with a \
            `kind`: meter-type, customer, meter or validation-rule. The whole is checked and the \
            difference shown before the first call; what no file declares is left as it is.

              odometer apply -f meters/ --dry-run

            With --dry-run, or --exit-code, the exit code is 5 where something would change, or \
            did.
            """
    )

    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: "A file, a directory of them, or - for standard input; may repeat."
    )
    var files: [String]

    @Flag(help: "Show what would change, and change nothing.")
    var dryRun = false

    @Flag(help: "Leave with 5 where something changed.")
    var exitCode = false

    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        var documents: [DeclaredDocument] = []
        for file in files { documents += try DeclaredDocuments.read(file) }
        guard !documents.isEmpty else {
            throw CommandFailure(.usage, "no document in \(files.joined(separator: ", "))")
        }
        let kinds = try DeclaredPlan.kinds(documents)
        try await ServerConnection.open(answer) { server in
            var held: [String: [JSONObject]] = [:]
            for kind in kinds { held[kind.name] = try await server.all(kind.listPath) }
            let plan = try DeclaredPlan(documents, held: held)
            if answer.json {
                let bytes = plan.document.serialized(pretty: true)
                Terminal.put(String(decoding: bytes, as: UTF8.self) + "\n")
            } else {
                Terminal.put(plan.text)
            }
            guard plan.refusals.isEmpty else {
                let count = plan.refusals.count
                throw CommandFailure(.refused, "nothing was changed: \(count) cannot be applied")
            }
            if !dryRun { try await apply(plan, server) }
            if plan.differs, dryRun || exitCode { throw CommandFailure(.changed) }
        }
    }

    private func apply(_ plan: DeclaredPlan, _ server: ServerConnection) async throws {
        var done = 0
        for (call, steps) in plan.calls {
            do throws(CommandFailure) {
                let body = JSONValue.object(call.body).serialized()
                _ = try await server.ask(call.method, call.path, body: ("application/json", body))
            } catch {
                let (first, more) = (steps[0], steps.count - 1)
                let which =
                    "\(first.kind.name) \(first.key)" + (more > 0 ? " and \(more) more" : "")
                let words = "\(which), after \(done) that were applied"
                throw CommandFailure(error.code, "\(words): \(error.message)")
            }
            done += steps.count
        }
        Terminal.say("\(done) applied, \(plan.steps.count - done) stood already")
    }
}

extension ServerConnection {
    /// The items of all pages of a list.
    func all(_ path: String) async throws(CommandFailure) -> [JSONObject] {
        var items: [JSONObject] = []
        var cursor: String?
        repeat {
            let query = [("limit", "1000")] + (cursor.map { [("cursor", $0)] } ?? [])
            let got = try await ask(.get, path, query: query)
            guard let page = try? JSONValue.parse(got.bytes),
                let found = page["items"]?.arrayValue?.compactMap(\.objectValue)
            else { throw CommandFailure(.refused, "the answer of \(path) is no list") }
            items += found
            cursor = page["next"]?.stringValue
        } while cursor != nil
        return items
    }
}
