import UsageModel

// What becomes of periods that are over.
extension DefinitionReader {
    mutating func readRecordRules() -> RecordRules {
        var rules = RecordRules.standard
        if let grace = length("gracePeriod", daysMax: Limits.graceDaysMax) {
            rules.gracePeriod = grace
        }
        rules.makesZeroUsage = flag("zeroUsageRecords") ?? rules.makesZeroUsage
        rules.latePolicy = word("latePolicy") ?? rules.latePolicy
        rules.lateAdjustments = word("lateAdjustments") ?? rules.lateAdjustments
        rules.lateUntil = length("lateUntil", daysMax: Limits.lateDaysMax)
        if rules.latePolicy == .quarantine {
            for name in ["lateAdjustments", "lateUntil"] where fields[name] != nil {
                fault("/" + name, "late events do not count at all", "leave it out")
            }
        }
        rules.thresholds = thresholds()
        rules.carriedFields = carriedFields()
        rules.hasEvidence = flag("recordEvidence") ?? !rules.carriedFields.isEmpty
        if !rules.hasEvidence, !rules.carriedFields.isEmpty {
            fault("/recordFields", "recordEvidence is false", "leave one of the two out")
        }
        return rules
    }

    private mutating func flag(_ name: String) -> Bool? {
        guard let value = fields[name] else { return nil }
        if let flag = value.boolValue { return flag }
        fault("/" + name, "it is neither true nor false", "give true or false")
        return nil
    }

    private mutating func carriedFields() -> [CarriedField] {
        let remedy = "such as [{\"name\":\"plan\",\"of\":\"last\",\"value\":\"$.data.plan\"}]"
        guard let value = fields["recordFields"] else { return [] }
        guard let elements = value.arrayValue, elements.count <= Limits.carriedFieldsMax else {
            let most = Limits.carriedFieldsMax
            fault("/recordFields", "it is no list, or too long", "give at most \(most), \(remedy)")
            return []
        }
        var carried: [CarriedField] = []
        for (index, element) in elements.enumerated() {
            let pointer = "/recordFields/\(index)"
            var reader = FieldReader(element, at: pointer, known: ["name", "of", "value"])
            let name = reader.text("name", bytesMax: Limits.carriedFieldNameBytesMax) ?? ""
            if name.isEmpty || carried.contains(where: { $0.name == name }) {
                reader.fault("name", "it is missing, or another has it", "give each its own")
            }
            let edge = reader.string("of").flatMap(CarriedField.Edge.init)
            if edge == nil {
                reader.fault("of", "it is neither first nor last", "say \"first\" or \"last\"")
            }
            let path = reader.string("value").flatMap { try? EventPath($0) }
            if path == nil {
                reader.fault("value", "it is no path", "give a path such as $.data.plan")
            }
            if let edge, let path { carried.append(.init(name: name, edge: edge, path: path)) }
            faults.unknown += reader.faults.unknown
            faults.invalid += reader.faults.invalid
        }
        return carried.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    private mutating func thresholds() -> [Threshold] {
        let remedy = "give a list such as [{\"name\":\"80\",\"percent\":\"80\"}]"
        guard let value = fields["thresholds"] else { return [] }
        guard let elements = value.arrayValue else {
            fault("/thresholds", "it is \(value.kindName)", remedy)
            return []
        }
        guard elements.count <= Limits.thresholdsMax else {
            let most = Limits.thresholdsMax
            fault("/thresholds", "there are \(elements.count)", "give at most \(most)")
            return []
        }
        var thresholds: [Threshold] = []
        for (index, element) in elements.enumerated() {
            let pointer = "/thresholds/\(index)"
            var reader = FieldReader(element, at: pointer, known: ["name", "percent", "amount"])
            if let threshold = Self.threshold(&reader, hasCapacity: fields["capacity"] != nil) {
                if thresholds.contains(where: { $0.name == threshold.name }) {
                    reader.fault("name", "another has the name", "give each a name of its own")
                }
                thresholds.append(threshold)
            }
            faults.unknown += reader.faults.unknown
            faults.invalid += reader.faults.invalid
        }
        return thresholds
    }

    private static func threshold(_ reader: inout FieldReader, hasCapacity: Bool) -> Threshold? {
        guard reader.isObject else { return nil }
        let (percent, amount) = (quantity("percent", &reader), quantity("amount", &reader))
        let level: Threshold.Level
        switch (percent, amount) {
        case (let percent?, nil):
            if percent <= .zero {
                reader.fault("percent", "it is not more than 0", "give a percentage")
            }
            if !hasCapacity {
                reader.fault("percent", "no capacity is said", "say capacity, or give an amount")
            }
            level = .percent(percent)
        case (nil, let amount?): level = .amount(amount)
        default:
            if reader.faults.all.isEmpty {
                reader.fault("", "it has no level, or two", "give one of percent and amount")
            }
            return nil
        }
        let bytesMax = Limits.thresholdNameBytesMax
        let standard: String =
            switch level {
            case .percent(let percent): percent.description + "%"
            case .amount(let amount): amount.description
            }
        let name = reader.text("name", bytesMax: bytesMax) ?? standard
        if name.isEmpty { reader.fault("name", "it is empty", "give a name, or leave it out") }
        return Threshold(name: name, level: level)
    }

    private static func quantity(_ name: String, _ reader: inout FieldReader) -> Quantity? {
        guard let value = reader.value(name) else { return nil }
        guard let text = value.stringValue ?? value.numberValue,
            let quantity = try? Quantity(text)
        else {
            reader.fault(name, "it is no quantity", "give a decimal such as \"80\"")
            return nil
        }
        return quantity
    }

    /// A length of time of at most some days.
    private mutating func length(_ name: String, daysMax: Int) -> TimeLength? {
        guard let length = length(name) else { return nil }
        if length.microseconds > Int64(daysMax) * TimeUnit.day.microseconds {
            fault("/" + name, "it is longer than \(daysMax) days", "give at most \(daysMax)d")
        }
        return length
    }

    /// A length of time.
    mutating func length(_ name: String) -> TimeLength? {
        guard let text = string(name, "/" + name) else { return nil }
        if let length = TimeLength(text) { return length }
        fault("/" + name, "it is no length of time", "give a number of s, m, h or d: \"15m\"")
        return nil
    }
}
