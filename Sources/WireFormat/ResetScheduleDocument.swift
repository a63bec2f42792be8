public import UsageModel

/// How a reset schedule is spelled, in definitions and answers:
///
///     "monthly"
///     {"every":"month","interval":2,"anchor":"2026-01-31T10:30:00+01:00"}
///     {"cron":"0 0 L * *"}
///
/// Words are those of ``ResetSchedule/words``. `interval` and `anchor` may be left out or null. The
/// anchor names an instant: its offset says nothing of the zone in which periods are cut.
public enum ResetScheduleDocument {
    /// Reads a schedule; all faults in the order of the fields, each with its pointer.
    ///
    /// - Parameter pointer: Where the value stands in its document, such as `/resetSchedule`.
    public static func read(
        _ value: JSONValue,
        at pointer: String = ""
    ) throws(MeterTypeDocument.Faults) -> ResetSchedule {
        var reader = ResetScheduleReader(pointer: pointer)
        let schedule = reader.read(value)
        guard let schedule, reader.faults.all.isEmpty else { throw reader.faults }
        return schedule
    }

    /// Writes a schedule in the one spelling it has: the word where there is one, an interval of 1
    /// left out, the anchor in UTC. Reading it gives an equal schedule.
    public static func write(_ schedule: ResetSchedule) -> JSONValue {
        if let word = schedule.word { return .string(word) }
        switch schedule {
        case .never: return "never"
        case .cron(let cron): return ["cron": .string(cron.text)]
        case .every(let cadence):
            var object: JSONObject = ["every": .string(cadence.unit.rawValue)]
            if cadence.interval != 1 { object["interval"] = .number(String(cadence.interval)) }
            object["anchor"] = cadence.anchor.map { .string($0.rfc3339) }
            return .object(object)
        }
    }
}

private struct ResetScheduleReader {
    let pointer: String
    var faults = MeterTypeDocument.Faults()
    private var fields: [String: JSONValue] = [:]

    private static let known = ["every", "interval", "anchor", "cron"]
    private static let form =
        "write a word such as \"monthly\", {\"every\":\"month\",…} or {\"cron\":\"0 0 1 * *\"}"

    init(pointer: String) { self.pointer = pointer }

    mutating func read(_ value: JSONValue) -> ResetSchedule? {
        switch value {
        case .string(let word):
            do throws(ResetScheduleError) { return try ResetSchedule(word: word) } catch {
                fault("", error)
                return nil
            }
        case .object(let object): return read(object)
        default:
            fault("", "it is \(value.kindName)", Self.form)
            return nil
        }
    }

    private mutating func read(_ object: JSONObject) -> ResetSchedule? {
        for member in object.members {
            if Self.known.contains(member.name) {
                if !member.value.isNull { fields[member.name] = member.value }
            } else {
                unknown(member.name)
            }
        }
        if let cron = fields["cron"] {
            for name in ["every", "interval", "anchor"] where fields[name] != nil {
                fault("/" + name, "cron has none", "leave out one of the two")
            }
            return readCron(cron)
        }
        guard let every = fields["every"] else {
            fault("/every", "it is missing, and so is cron", Self.form)
            return nil
        }
        let unit = every.stringValue.flatMap { ResetSchedule.Unit(rawValue: $0) }
        if unit == nil {
            let words = ResetSchedule.Unit.allCases.map(\.rawValue).joined(separator: ", ")
            fault("/every", "it is not one of its words", "choose from: \(words)")
        }
        let (interval, anchor) = (readInterval(), readAnchor())
        guard let unit, let interval, faults.all.isEmpty else { return nil }
        do throws(ResetScheduleError) {
            return .every(try .init(unit, interval: interval, anchor: anchor))
        } catch {
            fault("/" + error.part.rawValue, error)
            return nil
        }
    }

    private mutating func readCron(_ value: JSONValue) -> ResetSchedule? {
        guard let text = value.stringValue else {
            let remedy = "write five fields in a text: \"0 0 1 * *\""
            fault("/cron", "it is \(value.kindName)", remedy)
            return nil
        }
        do throws(ResetScheduleError) { return .cron(try CronSchedule(text)) } catch {
            fault("/cron", error)
            return nil
        }
    }

    private mutating func readInterval() -> Int? {
        guard let value = fields["interval"] else { return 1 }
        if let interval = value.integerValue.flatMap({ Int(exactly: $0) }) { return interval }
        let most = Limits.resetIntervalMax
        let found = value.numberValue ?? value.kindName
        fault("/interval", "it is \(found)", "give a whole number from 1 to \(most)")
        return nil
    }

    private mutating func readAnchor() -> Instant? {
        guard let value = fields["anchor"] else { return nil }
        if let text = value.stringValue, let anchor = Instant(rfc3339: text) { return anchor }
        let remedy = "give RFC 3339 with an offset: 2026-01-31T10:30:00+01:00"
        fault("/anchor", "it is not a time", remedy)
        return nil
    }

    // MARK: Faults

    private mutating func fault(_ field: String, _ error: ResetScheduleError) {
        let place = error.part == .cron ? "at byte \(error.position): " : ""
        let reason = "\(place)found \(error.found), expected \(error.expected)"
        fault(field, reason, error.remedy)
    }

    private mutating func fault(_ field: String, _ reason: String, _ remedy: String) {
        let pointer = pointer + field
        faults.invalid.append(FieldFault(pointer: pointer, reason: reason, remedy: remedy))
    }

    private mutating func unknown(_ name: String) {
        let step = name.replacing("~", with: "~0").replacing("/", with: "~1")
        faults.unknown.append(
            FieldFault(
                pointer: "\(pointer)/\(step)",
                reason: "there is no such field",
                remedy: "known: " + Self.known.joined(separator: ", ")
            )
        )
    }
}
