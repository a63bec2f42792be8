import WireFormat

/// A form: filters are asked for with GET, changes are sent with POST.
struct Form {
    enum Method: String {
        case get
        case post
    }

    struct Button {
        var label: String
        /// `primary`, `danger` or `quiet`.
        var look = "primary"
        /// Sent along where one form has several.
        var name: String?
        var value: String?
    }

    /// Names its fields, so that two forms of a page do not share one.
    var id: String
    var method = Method.post
    var action: String
    var heading: String?
    var fields: [Field] = []
    var hidden: [(name: String, value: String)] = []
    var buttons: [Button]
    /// Whether what it filters grows by itself, and can be paused.
    var isLive = false
    /// A link beside the buttons: back to where nothing was asked for.
    var way: Link?

    /// Puts what was at fault to the fields that it is about.
    mutating func mark(_ problem: Problem?) {
        guard let problem else { return }
        for index in fields.indices where fields[index].error == nil {
            let places = fields[index].places
            let fault = problem.errors.first { places.contains($0.pointer) }
            fields[index].error = fault.map {
                [$0.reason, $0.remedy].compactMap(\.self).joined(separator: ": ")
            }
        }
    }

    var view: [String: Any] {
        var view: [String: Any] = [
            "id": id, "method": method.rawValue, "action": action,
            "isPost": method == .post, "isLive": isLive,
            "fields": fields.map { $0.view(in: id) }, "groups": groups,
            "hidden": hidden.map { ["name": $0.name, "value": $0.value] },
            "buttons": buttons.map(view(of:)),
        ]
        view["heading"] = heading
        view["way"] = way?.view
        return view
    }

    /// Short fields stand side by side, areas below each other.
    private var groups: [[String: Any]] {
        var groups: [[Field]] = []
        for field in fields {
            let joins = groups.last?.last.map { !$0.isArea && !field.isArea } ?? false
            if joins, !field.startsGroup {
                groups[groups.count - 1].append(field)
            } else {
                groups.append([field])
            }
        }
        return groups.map { group in
            ["isGrid": group.count > 1, "fields": group.map { $0.view(in: id) }]
        }
    }

    private func view(of button: Button) -> [String: Any] {
        var view: [String: Any] = ["label": button.label, "look": button.look]
        view["name"] = button.name
        view["value"] = button.value ?? ""
        return view
    }
}

/// One control of a form with its label.
struct Field {
    struct Choice {
        var value: String
        var label: String

        init(_ value: String, _ label: String) { (self.value, self.label) = (value, label) }
    }

    enum Control {
        case text
        case secret
        case area(rows: Int)
        case choice([Choice])
    }

    var name: String
    var label: String
    var value: String
    var control = Control.text
    var hint: String?
    var error: String?
    /// What is known to be the matter with the value as it stands; nobody typed it just now.
    var remark: String?
    var isRequired = false
    var isCode = false
    /// Whether it stands below those before it, and not beside them.
    var startsGroup = false
    var example: String?
    /// Other names of the field in an answer of the API: pointers and parameters.
    var pointers: [String] = []

    init(
        _ name: String,
        _ label: String,
        _ value: String,
        _ control: Control = .text,
        hint: String? = nil,
        example: String? = nil,
        isRequired: Bool = false,
        isCode: Bool = false,
        pointers: [String] = []
    ) {
        (self.name, self.label, self.value) = (name, label, value)
        (self.control, self.hint, self.example) = (control, hint, example)
        (self.isRequired, self.isCode, self.pointers) = (isRequired, isCode, pointers)
    }

    var isArea: Bool { if case .area = control { true } else { false } }

    /// The field at the start of a line.
    func onNewLine() -> Field {
        var field = self
        field.startsGroup = true
        return field
    }

    /// How an answer of the API may call it.
    var places: [String] { [name, "/" + name] + pointers }

    func view(in form: String) -> [String: Any] {
        let id = form + "-" + Spelled.word(name)
        var view: [String: Any] = [
            "fieldId": id, "name": name, "label": label, "value": value,
            "isRequired": isRequired, "isCode": isCode, "hasFault": error != nil,
        ]
        switch control {
        case .text: view["input"] = ["type": "text"]
        case .secret: view["input"] = ["type": "password"]
        case .area(let rows): view["area"] = ["rows": String(rows)]
        case .choice(let choices):
            view["choices"] = choices.map { choice in
                [
                    "value": choice.value, "label": choice.label,
                    "isChosen": choice.value == value,
                ] as [String: Any]
            }
            view["isChoice"] = true
        }
        view["hint"] = hint
        view["error"] = error ?? remark
        view["example"] = example
        let describing = [
            hint.map { _ in id + "-hint" }, (error ?? remark).map { _ in id + "-error" },
        ]
        let names = describing.compactMap(\.self)
        if !names.isEmpty { view["describedBy"] = names.joined(separator: " ") }
        return view
    }
}

/// A place to go to, with its name.
struct Link {
    var label: String
    var href: String
    var isCurrent = false
    /// Of a button: `primary`, `danger`, `quiet`; empty is the plain one.
    var look = ""

    init(_ label: String, _ href: String, isCurrent: Bool = false, look: String = "") {
        (self.label, self.href, self.isCurrent, self.look) = (label, href, isCurrent, look)
    }

    var view: [String: Any] {
        ["label": label, "linkHref": href, "isCurrent": isCurrent, "look": look]
    }
}
