import UsageModel
import WireFormat

/// What has to be done so that a server holds what files declare.
struct DeclaredPlan {
    enum Action: Equatable {
        case make, none
        case change([DeclaredChange])
        /// It differs, and what differs cannot be changed; or it is over.
        case refuse([DeclaredChange], because: String)

        var word: String {
            switch self {
            case .make: "make"
            case .none: "none"
            case .change: "change"
            case .refuse: "refuse"
            }
        }

        var changes: [DeclaredChange] {
            switch self {
            case .change(let changes), .refuse(let changes, because: _): changes
            case .make, .none: []
            }
        }
    }

    struct Step {
        var kind: DeclaredKind
        var key: String
        /// The normal form as declared.
        var document: JSONObject
        var action: Action
        /// Of what the server holds, where a change is one of that version.
        var version: JSONValue?
    }

    /// In the order of the kinds, within a kind in that of the files.
    private(set) var steps: [Step] = []

    /// - Parameter held: What the server holds, by the name of the kind.
    /// - Throws: ``CommandCode/usage`` for a document that no server could take.
    init(_ documents: [DeclaredDocument], held: [String: [JSONObject]]) throws(CommandFailure) {
        var places: [String: String] = [:]
        var found: [(kind: Int, step: Step)] = []
        var standing: [String: [String: Held]] = [:]
        for kind in DeclaredKind.all {
            standing[kind.name] = try Self.standing(kind, held[kind.name] ?? [])
        }
        for document in documents {
            let (kind, declared) = try Self.read(document)
            let key = kind.key(declared)
            if let other = places.updateValue(document.place, forKey: kind.name + " " + key) {
                let what = "\(kind.name) \(key) is declared twice"
                throw CommandFailure(.usage, "\(what): in \(other) and in \(document.place)")
            }
            let known = standing[kind.name]?[key]
            let action = Self.action(kind, declared, known)
            var step = Step(kind: kind, key: key, document: declared, action: action)
            if kind.saysVersion { step.version = known?.version }
            let place = DeclaredKind.all.firstIndex { $0.name == kind.name } ?? 0
            found.append((place, step))
        }
        for place in DeclaredKind.all.indices {
            steps += found.filter { $0.kind == place }.map(\.step)
        }
    }

    /// Whether the server holds something else than the files declare.
    var differs: Bool { steps.contains { $0.action != .none } }

    /// What stands in the way of applying it.
    var refusals: [Step] {
        steps.filter { if case .refuse = $0.action { true } else { false } }
    }

    /// The kinds of some documents, whose holdings a plan has to know.
    static func kinds(_ documents: [DeclaredDocument]) throws(CommandFailure) -> [DeclaredKind] {
        var names: Set<String> = []
        for document in documents { names.insert(try read(document).kind.name) }
        return DeclaredKind.all.filter { names.contains($0.name) }
    }

    private static func read(
        _ document: DeclaredDocument
    ) throws(CommandFailure) -> (kind: DeclaredKind, normal: JSONObject) {
        let known = DeclaredKind.all.map(\.name).joined(separator: ", ")
        guard let kind = document.value["kind"]?.stringValue.flatMap(DeclaredKind.named) else {
            let said = document.value["kind"].map { "kind \(Self.spelled($0))" } ?? "no kind"
            throw CommandFailure(.usage, "\(document.place): \(said); known: \(known)")
        }
        var declared = document.value
        declared["kind"] = nil
        do throws(DeclaredFault) {
            return (kind, try kind.normal(declared))
        } catch {
            let lines = error.faults.map { "  \($0.pointer): \($0.reason); \($0.remedy)" }
            let words = ([document.place + ":"] + lines).joined(separator: "\n")
            throw CommandFailure(.usage, Table.visibleLines(words))
        }
    }

    /// What the server holds of one document.
    private struct Held {
        var normal: JSONObject
        var over: String?
        var version: JSONValue?
    }

    /// What the server holds of a kind, by the keys.
    private static func standing(
        _ kind: DeclaredKind,
        _ held: [JSONObject]
    ) throws(CommandFailure) -> [String: Held] {
        var standing: [String: Held] = [:]
        for told in held where kind.isDeclared(told) {
            do throws(DeclaredFault) {
                let normal = try kind.normal(told)
                standing[kind.key(normal)] = Held(
                    normal: normal,
                    over: kind.over(told),
                    version: told["version"]
                )
            } catch {
                // A server that is younger than this program may say more than it knows.
                let faults = error.faults.map(\.pointer).joined(separator: ", ")
                let words = "the server's \(kind.name) is not understood here: \(faults)"
                throw CommandFailure(.refused, words)
            }
        }
        return standing
    }

    private static func action(
        _ kind: DeclaredKind,
        _ declared: JSONObject,
        _ held: Held?
    ) -> Action {
        guard let held else { return .make }
        let changes = DeclaredChange.between(held.normal, declared)
        if let over = held.over { return .refuse(changes, because: over) }
        if changes.isEmpty { return .none }
        let fixed = changes.map(\.name).filter(kind.fixed.contains)
        if fixed.isEmpty { return .change(changes) }
        return .refuse(changes, because: "it keeps its \(fixed.joined(separator: " and "))")
    }

    /// The calls that bring it about, in order, each with the steps that it does.
    var calls: [(call: DeclaredCall, steps: [Step])] {
        var calls: [(call: DeclaredCall, steps: [Step])] = []
        var made: [Step] = []
        func make() {
            guard let kind = made.first?.kind else { return }
            calls.append((kind.make(made.map(\.document)), made))
            made = []
        }
        for step in steps {
            if let kind = made.first?.kind, kind.name != step.kind.name { make() }
            switch step.action {
            case .make:
                made.append(step)
                if made.count == step.kind.madeMax { make() }
            case .change(let changes):
                var call = step.kind.change(step.document, changes)
                if let version = step.version { call.body["version"] = version }
                calls.append((call, [step]))
            case .none, .refuse: continue
            }
        }
        make()
        return calls
    }

    // MARK: For people and programs

    static func spelled(_ value: JSONValue?) -> String {
        value.map { String(decoding: $0.serialized(), as: UTF8.self) } ?? "nothing"
    }

    /// A line for each thing that differs, and one below it for each member.
    var text: String {
        var text = ""
        for step in steps {
            let mark =
                switch step.action {
                case .make: "+"
                case .change: "~"
                case .refuse: "!"
                case .none: "="
                }
            text += "\(mark) \(step.kind.name) \(step.key)"
            if case .refuse(_, let because) = step.action { text += ": \(because)" }
            text += "\n"
            for change in step.action.changes {
                let (from, to) = (Self.spelled(change.from), Self.spelled(change.to))
                text += "    \(change.name): \(from) -> \(to)\n"
            }
        }
        return Table.visibleLines(text)
    }

    var document: JSONValue {
        .array(
            steps.map { step in
                var entry: JSONObject = [
                    "kind": .string(step.kind.name), "key": .string(step.key),
                    "action": .string(step.action.word),
                ]
                if case .refuse(_, let because) = step.action {
                    entry["because"] = .string(because)
                }
                entry["changes"] = .array(
                    step.action.changes.map { change in
                        var difference: JSONObject = ["field": .string(change.name)]
                        difference["from"] = change.from
                        difference["to"] = change.to
                        return .object(difference)
                    }
                )
                return .object(entry)
            }
        )
    }
}
