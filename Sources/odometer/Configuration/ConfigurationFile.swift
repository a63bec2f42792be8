import Yams

/// A configuration file: YAML, one level of sections, every key known.
struct ConfigurationFile: Sendable {
    /// As the user named it; for messages only.
    var path: String
    var text: String

    init(path: String, text: String) { (self.path, self.text) = (path, text) }

    /// What the file says, by setting.
    ///
    /// - Throws: ``ConfigurationFault`` for text that is no YAML, and for a key that is no
    ///   setting's: an unknown key is nearly always a typo, so it is never passed over.
    func settings() throws(ConfigurationFault) -> [ServeSetting: (text: String, line: Int)] {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw ConfigurationFault("\(path): \(error)")
        }
        guard let root, root.scalar?.string != "" else { return [:] }
        guard let sections = root.mapping else {
            throw ConfigurationFault("\(path): settings are `name: value` lines")
        }
        var said: [ServeSetting: (text: String, line: Int)] = [:]
        for (key, value) in sections {
            if let entries = value.mapping, let section = key.string {
                for (inner, leaf) in entries {
                    try note(leaf, under: "\(section).\(inner.string ?? "?")", at: inner, in: &said)
                }
            } else {
                try note(value, under: key.string ?? "?", at: key, in: &said)
            }
        }
        return said
    }

    private func note(
        _ leaf: Node,
        under name: String,
        at key: Node,
        in said: inout [ServeSetting: (text: String, line: Int)]
    ) throws(ConfigurationFault) {
        let line = key.mark?.line ?? 0
        guard let setting = ServeSetting(rawValue: name) else {
            let known = ServeSetting.allCases.map(\.name).joined(separator: ", ")
            throw ConfigurationFault(
                "\(path):\(line): unknown key \"\(name)\"; known keys are \(known)"
            )
        }
        guard let text = leaf.scalar?.string else {
            throw ConfigurationFault("\(path):\(line): \"\(name)\" takes one value")
        }
        guard said.updateValue((text, line), forKey: setting) == nil else {
            throw ConfigurationFault("\(path):\(line): \"\(name)\" is said twice")
        }
    }
}
