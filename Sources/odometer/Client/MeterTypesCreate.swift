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

    @Option(help: "A name for people; the key if not said.")
    var name: String?

    @Option(help: "What it counts, in a sentence.")
    var description: String?

    @Option(help: "What one of it is called.")
    var unit: String?

    @Option(name: .customLong("event-type"), help: "Event type, or prefix.*; may repeat.")
    var eventTypes: [String] = []

    @Option(help: "One of count, sum, min, max, unique, latest, average.")
    var aggregation: String?

    @Option(help: "Expression that must hold, such as '$.data.status != \"error\"'.")
    var filter: String?

    @Option(help: "Path or expression of the value, such as $.data.tokens.input.")
    var value: String?

    @Option(
        name: .customLong("dimension"),
        help: ArgumentHelp(
            "A dimension, a path or an expression; may repeat.",
            valueName: "name=path"
        )
    )
    var dimensions: [String] = []

    @Option(help: ArgumentHelp("Rounding, such as half-even:2.", valueName: "mode:places"))
    var rounding: String?

    @Option(help: "IANA time zone that cuts periods, such as Europe/Berlin; UTC if not said.")
    var timezone: String?

    @Option(help: "What cuts periods: hourly … yearly, never, or an object of JSON.")
    var resetSchedule: String?

    @Option(help: "What a meter holds in one period.")
    var capacity: String?

    @Option(help: "A word to sort meter types by.")
    var category: String?

    @Option(help: "What another system calls it.")
    var externalRef: String?

    @Option(help: "Count only events from this time on (RFC 3339).")
    var activeFrom: String?

    @Option(help: "Count only events before this time (RFC 3339).")
    var activeTo: String?

    @Option(
        name: .customLong("metadata"),
        help: ArgumentHelp("Free text of yours; may repeat.", valueName: "name=text")
    )
    var metadata: [String] = []

    @OptionGroup var answer: AnswerFlags

    func validate() throws {
        if file == nil, key == nil || aggregation == nil || eventTypes.isEmpty {
            throw ValidationError("say -f FILE, or --key, --event-type and --aggregation")
        }
        if file != nil, key != nil { throw ValidationError("say -f FILE or --key, not both") }
    }

    func run() async throws {
        let definitions = try file.map(read) ?? [spelled()]
        try await ServerConnection.open(answer.server) { server in
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

    private func read(_ path: String) throws(CommandFailure) -> [String] {
        try DeclaredDocuments.read(path).map { document in
            var definition = document.value
            // What `apply` takes is good here too.
            if definition["kind"]?.stringValue == DeclaredKind.meterType.name {
                definition["kind"] = nil
            }
            return String(decoding: JSONValue.object(definition).serialized(), as: UTF8.self)
        }
    }

    /// The flags as a definition.
    private func spelled() throws(CommandFailure) -> String {
        var members: [String] = []
        func add(_ name: String, _ value: String?) {
            guard let value else { return }
            members.append("\(JSONText.quote(name)):\(JSONText.quote(value))")
        }
        func pairs(_ texts: [String], _ flag: String) throws(CommandFailure) -> String {
            var pairs: [String] = []
            for text in texts {
                let halves = text.split(separator: "=", maxSplits: 1).map(String.init)
                guard halves.count == 2 else {
                    throw CommandFailure(.usage, "--\(flag) \(text): say NAME=VALUE")
                }
                pairs.append("\(JSONText.quote(halves[0])):\(JSONText.quote(halves[1]))")
            }
            return "{\(pairs.joined(separator: ","))}"
        }
        add("key", key)
        add("name", name ?? key)
        add("description", description)
        add("unit", unit)
        let types = eventTypes.map(JSONText.quote).joined(separator: ",")
        members.append("\"eventTypes\":[\(types)]")
        add("aggregation", aggregation)
        add("filter", filter)
        add("value", value)
        if !dimensions.isEmpty {
            members.append("\"dimensions\":\(try pairs(dimensions, "dimension"))")
        }
        if let rounding {
            let halves = rounding.split(separator: ":").map(String.init)
            guard halves.count == 2, let places = Int(halves[1]) else {
                throw CommandFailure(.usage, "--rounding \(rounding): say MODE:PLACES")
            }
            let mode = JSONText.quote(halves[0])
            members.append("\"rounding\":{\"mode\":\(mode),\"places\":\(places)}")
        }
        add("timezone", timezone)
        if let resetSchedule, resetSchedule.hasPrefix("{") {
            members.append("\"resetSchedule\":\(resetSchedule)")
        } else {
            add("resetSchedule", resetSchedule)
        }
        add("capacity", capacity)
        add("category", category)
        add("externalRef", externalRef)
        add("activeFrom", activeFrom)
        add("activeTo", activeTo)
        if !metadata.isEmpty { members.append("\"metadata\":\(try pairs(metadata, "metadata"))") }
        return "{\(members.joined(separator: ","))}"
    }
}
