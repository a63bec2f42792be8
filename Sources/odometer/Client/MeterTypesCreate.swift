import ArgumentParser
import WireFormat

struct MeterTypesCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create meter types, from a file or by flags.",
        discussion: """
            The file is JSON or YAML in the words of the API: one definition, a list of them, or \
            several YAML documents; a directory is all its files. Creating a definition that \
            stands already is a success.

              odometer meter-types create --key tokens-in --event-type llm.request \\
                --aggregation sum --value '$.data.tokens.input' --dimension model='$.data.model'
            """
    )

    @Option(name: [.customShort("f"), .long], help: "File of definitions; - reads standard input.")
    var file: String?

    @Option(help: "The name it is known by, for ever.")
    var key: String?

    @OptionGroup var definition: DefinitionFlags
    @OptionGroup var answer: ChangeFlags

    func validate() throws {
        if file == nil, key == nil || definition.aggregation == nil || definition.eventTypes.isEmpty
        {
            throw ValidationError("say -f FILE, or --key, --event-type and --aggregation")
        }
        if file != nil, key != nil { throw ValidationError("say -f FILE or --key, not both") }
    }

    func run() async throws {
        let definitions = try file.map(DefinitionFile.read) ?? [spelled()]
        try await ServerConnection.open(answer) { server in
            for definition in definitions {
                let got = try await server.ask(
                    .post,
                    "/v1/meter-types",
                    body: ("application/json", Array(definition.utf8))
                )
                if answer.json {
                    Terminal.put(got)
                } else {
                    let type = try got.decoded(MeterTypeAnswer.self)
                    let verb = got.status == 201 ? "created" : "stands already:"
                    Terminal.put("\(verb) \(type.key) (\(type.aggregation), \(type.state))\n")
                }
            }
        }
    }

    /// The flags as a definition.
    private func spelled() throws(CommandFailure) -> String {
        var members = try definition.members()
        members.insert("\"key\":\(JSONText.quote(key ?? ""))", at: 0)
        return "{\(members.joined(separator: ","))}"
    }
}

/// Definitions in a file, JSON or YAML.
enum DefinitionFile {
    /// Each definition as JSON.
    static func read(_ path: String) throws(CommandFailure) -> [String] {
        try DeclaredDocuments.read(path).map { document in
            var definition = document.value
            // What `apply` takes is good here too.
            if definition["kind"]?.stringValue == DeclaredKind.meterType.name {
                definition["kind"] = nil
            }
            return String(decoding: JSONValue.object(definition).serialized(), as: UTF8.self)
        }
    }
}
