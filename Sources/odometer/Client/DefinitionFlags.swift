import ArgumentParser

/// The flags that say what a meter type counts, in the words of the API.
struct DefinitionFlags: ParsableArguments {
    @Option(help: "A name for people.")
    var name: String?

    @Option(help: "What it counts, in a sentence.")
    var description: String?

    @Option(help: "What one of it is called.")
    var unit: String?

    @Option(name: .customLong("event-type"), help: "Event type, or prefix.*; may repeat.")
    var eventTypes: [String] = []

    @Option(help: "What becomes of the values: count, sum, max, unique, percentile and others.")
    var aggregation: String?

    @Option(help: "Expression that must hold, such as '$.data.status != \"error\"'.")
    var filter: String?

    @Option(
        name: .customLong("value"),
        help: "Path or expression, such as $.data.tokens.input; twice for unique-pairs."
    )
    var values: [String] = []

    @Option(help: "Of the aggregation percentile: which, such as 95.")
    var percentile: String?

    @Option(help: "Of the aggregation percentile: nearest-rank, if not said, or linear.")
    var method: String?

    @Option(help: "Of the aggregation time-weighted: second, minute, hour or day.")
    var timeUnit: String?

    @Option(help: "Of the aggregation time-weighted: for how long a value holds, such as 15m.")
    var carryMax: String?

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

    /// What was said, as members of a JSON object.
    func members() throws(CommandFailure) -> [String] {
        var members: [String] = []
        func add(_ name: String, _ value: String?) {
            guard let value else { return }
            members.append("\(JSONText.quote(name)):\(JSONText.quote(value))")
        }
        add("name", name)
        add("description", description)
        add("unit", unit)
        if !eventTypes.isEmpty {
            let types = eventTypes.map(JSONText.quote).joined(separator: ",")
            members.append("\"eventTypes\":[\(types)]")
        }
        add("aggregation", aggregation)
        add("filter", filter)
        if values.count > 1 {
            let list = values.map(JSONText.quote).joined(separator: ",")
            members.append("\"value\":[\(list)]")
        } else {
            add("value", values.first)
        }
        add("percentile", percentile)
        add("method", method)
        add("timeUnit", timeUnit)
        add("carryMax", carryMax)
        if !dimensions.isEmpty {
            members.append("\"dimensions\":\(try Self.pairs(dimensions, "dimension"))")
        }
        if let rounding { members.append("\"rounding\":\(try Self.rounding(rounding))") }
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
        if !metadata.isEmpty {
            members.append("\"metadata\":\(try Self.pairs(metadata, "metadata"))")
        }
        return members
    }

    private static func pairs(_ texts: [String], _ flag: String) throws(CommandFailure) -> String {
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

    private static func rounding(_ text: String) throws(CommandFailure) -> String {
        let halves = text.split(separator: ":").map(String.init)
        guard halves.count == 2, let places = Int(halves[1]) else {
            throw CommandFailure(.usage, "--rounding \(text): say MODE:PLACES")
        }
        return "{\"mode\":\(JSONText.quote(halves[0])),\"places\":\(places)}"
    }
}
