import ArgumentParser
import WireFormat

struct ValidationRulesCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make validation rules of a file.",
        discussion: """
            The file is JSON or YAML in the words of the API: one rule, a list of them, or several \
            YAML documents; a directory is all its files. Making a rule that stands already is a \
            success.

              key: calls-sane
              eventType: call
              action: reject
              range: {path: $.data.seconds, min: 0}
              message: a call takes time
            """
    )

    @Option(
        name: [.customShort("f"), .customLong("file"), .customLong("from")],
        help: "File of rules; - reads standard input."
    )
    var file: String
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        let rules = try ValidationRulesCommand.read(file)
        try await ServerConnection.open(answer) { server in
            for var rule in rules {
                rule["version"] = nil
                let body = ("application/json", JSONValue.object(rule).serialized())
                let got = try await server.ask(.post, "/v1/validation-rules", body: body)
                if answer.json {
                    Terminal.put(got)
                } else {
                    let made = try ValidationRuleAnswer(got)
                    let verb = got.status == 201 ? "created" : "stands already:"
                    Terminal.put("\(verb) \(made.text("key")) (\(made.text("action")))\n")
                }
            }
        }
    }
}

struct ValidationRulesUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Make a new version of a rule: the file says all there is.",
        discussion: """
              odometer validation-rules show calls-sane --json > rule.json
              odometer validation-rules update calls-sane -f rule.json

            The version is that of `show`, in the file or with --version: where somebody else came \
            before, nothing is changed.
            """
    )

    @Argument(help: "Key of the rule.") var key: String
    @Option(
        name: [.customShort("f"), .customLong("file"), .customLong("from")],
        help: "File of the rule; - reads standard input."
    )
    var file: String
    @Option(help: "The version that is to be changed.") var version: Int?
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        let rules = try ValidationRulesCommand.read(file)
        guard rules.count == 1, var rule = rules.first else {
            throw CommandFailure(.usage, "\(file) holds \(rules.count) rules, not one")
        }
        if let version { rule["version"] = .number(String(version)) }
        guard rule["version"] != nil else {
            throw CommandFailure(.usage, "say which version is to be changed: --version")
        }
        let body = ("application/json", JSONValue.object(rule).serialized())
        try await ServerConnection.open(answer) { server in
            let path = ValidationRulesCommand.path(key)
            let got = try await server.ask(.put, path, body: body)
            guard !answer.json else { return Terminal.put(got) }
            let made = try ValidationRuleAnswer(got)
            Terminal.put("\(key) is at version \(made.version)\n")
        }
    }
}

struct ValidationRulesRetire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract: "Retire a rule: it looks at nothing further; its versions stay."
    )

    @Argument(help: "Key of the rule.") var key: String
    @OptionGroup var answer: ChangeFlags

    func run() async throws {
        try await ServerConnection.open(answer) { server in
            let got = try await server.ask(.delete, ValidationRulesCommand.path(key))
            answer.json ? Terminal.put(got) : Terminal.put("\(key) is retired\n")
        }
    }
}

struct ValidationRulesTry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "try",
        abstract: "Say what a rule would have made of stored events; nothing is changed.",
        discussion:
            "With a key it is the rule as it stands, with a file one that need not be there."
    )

    private struct Trial: Decodable {
        struct Sample: Decodable {
            var source: String
            var id: String
            var subject: String
            var position: String
            var pointer: String
            var detail: String
        }
        var events: Int
        var failed: Int
        var samples: [Sample]
    }

    @Argument(help: "Key of the rule.") var key: String?
    @Option(
        name: [.customShort("f"), .customLong("file"), .customLong("from")],
        help: "File of the rule; - reads standard input."
    )
    var file: String?
    @Option(help: "How many of the newest events of its type; 10,000 if not said.")
    var events: Int?
    @Option(help: "How many samples; 10 if not said.") var samples: Int?
    @OptionGroup var answer: AnswerFlags

    func validate() throws {
        guard (key == nil) != (file == nil) else {
            throw ValidationError("say one of KEY and --file")
        }
    }

    func run() async throws {
        try await ServerConnection.open(answer.server) { server in
            for rule in try await rules(server) {
                var document: JSONObject = ["rule": .object(rule)]
                document["events"] = events.map { .number(String($0)) }
                document["samples"] = samples.map { .number(String($0)) }
                let body = ("application/json", JSONValue.object(document).serialized())
                let got = try await server.ask(.post, "/v1/validation-rules/try", body: body)
                if answer.json {
                    Terminal.put(got)
                } else {
                    Terminal.put(Self.text(try got.decoded(Trial.self), of: rule))
                }
            }
        }
    }

    private func rules(_ server: ServerConnection) async throws(CommandFailure) -> [JSONObject] {
        if let file { return try ValidationRulesCommand.read(file) }
        let got = try await server.ask(.get, ValidationRulesCommand.path(key ?? ""))
        guard let rule = try? JSONValue.parse(got.bytes).objectValue else {
            throw CommandFailure(.refused, "the server's answer has another shape")
        }
        return [rule]
    }

    private static func text(_ trial: Trial, of rule: JSONObject) -> String {
        let key = rule["key"]?.stringValue ?? "the rule"
        let head = "\(key): \(trial.failed) of the last \(trial.events) events would fail\n"
        guard !trial.samples.isEmpty else { return head }
        var table = Table(
            ["SOURCE", "EVENT", "SUBJECT", "POSITION", "AT", "BECAUSE"],
            numbers: [3]
        )
        for one in trial.samples {
            table.add([one.source, one.id, one.subject, one.position, one.pointer, one.detail])
        }
        return head + table.text()
    }
}
