import HTTPTypes
import MeteringEngine
import UsageModel
import WireFormat

/// What is mended by itself when it comes into quarantine.
extension Operation {
    private static let named = Parameter.path("key", .text, "The key of the rule.")

    private static let example: JSONValue = [
        "key": "old-clock", "match": ["reason": "time-missing-offset", "source": "pbx"],
        "repair": ["set": ["/time": "concat($.time, \"Z\")"]],
    ]

    static let listRepairRules = Operation(
        method: .get,
        id: "listRepairRules",
        topic: .quarantine,
        summary: "The repair rules, in the order of their keys.",
        outcomes: [
            .ok("All of them.", .json(.answer([.required("items", .list(of: .repairRule))])))
        ],
        problems: [.notFound]
    )

    static let createRepairRule = Operation(
        method: .post,
        id: "createRepairRule",
        topic: .quarantine,
        summary: "Mends and releases matching items by itself, from now on.",
        details: """
            An event that is rejected comes into quarantine first, as it was received. A rule then \
            does what the action `repair-and-release` does, once: an item that it cannot mend, or \
            that is rejected again, stays open, and no rule tries it again. Of several rules that \
            match, the first in the order of their keys has the item. Items that came before are \
            left alone, unless `applyToOpen` starts an action for them.
            """,
        parameters: [.contentEncoding],
        body: Body(
            what: "Which items, and the repair.",
            contents: [.json(.repairRuleCreation, example: example)]
        ),
        outcomes: [
            .ok("It stands already.", .json(.repairRule)),
            Outcome(
                status: 201,
                what: "The rule.",
                contents: [.json(.repairRule)],
                headers: [Header(name: "Location", schema: .text, what: "Where the rule is.")]
            ),
        ],
        problems: [.notFound, .unknownField, .alreadyExists]
    )

    static let readRepairRule = Operation(
        method: .get,
        id: "readRepairRule",
        topic: .quarantine,
        summary: "One repair rule.",
        parameters: [named],
        outcomes: [.ok("The rule.", .json(.repairRule))],
        problems: [.notFound]
    )

    static let putRepairRule = Operation(
        method: .put,
        id: "putRepairRule",
        topic: .quarantine,
        summary: "Another version of a repair rule.",
        details: """
            `version` is that of the rule as it was read: where another change came before, \
            nothing is done, and the answer has both sides. The same definition makes no version.
            """,
        parameters: [named, .contentEncoding],
        body: Body(
            what: "The whole rule, and the version that it replaces.",
            contents: [
                .json(
                    .repairRuleChange,
                    example: [
                        "version": 1, "match": ["reason": "time-missing-offset"],
                        "repair": ["set": ["/time": "concat($.time, \"+01:00\")"]],
                        "enabled": false,
                    ]
                )
            ]
        ),
        outcomes: [.ok("The rule as it stands now.", .json(.repairRule))],
        problems: [.notFound, .unknownField, .repairRuleChanged]
    )

    static let deleteRepairRule = Operation(
        method: .delete,
        id: "deleteRepairRule",
        topic: .quarantine,
        summary: "Takes a repair rule away; what it did stays.",
        parameters: [
            named,
            .query("version", .whole(in: 1...Int.max), "Only if this version of it stands."),
        ],
        outcomes: [.ok("The rule as it stood.", .json(.repairRule))],
        problems: [.notFound, .repairRuleChanged]
    )
}

extension Schema {
    private static let matchFields = filterFields.filter {
        RepairRuleDocument.matchFields.contains($0.name)
    }
    private static let key = text(
        atLeast: 1,
        atMost: MeterTypeKey.bytesMax,
        pattern: "^[a-z0-9][a-z0-9._-]*$"
    )

    private static let ruleFields: [Field] = [
        .optional("description", text(atMost: RepairRuleDocument.descriptionBytesMax)),
        .required("match", request(matchFields), "Which items; `{}` is all that come."),
        .required("repair", request(repairFields)),
        .optional("enabled", flag, "Whether it acts; true where left out."),
        .optional(
            "applyToOpen",
            flag,
            "Starts an action that does the same to the items that are open now."
        ),
    ]

    static let repairRuleCreation = request([.required("key", key)] + ruleFields)
        .named("RepairRuleCreation")

    static let repairRuleChange = request(
        [
            .optional("key", key, "That of the address, if any."),
            .required("version", whole(in: 1...Int.max), "That which is to be changed."),
        ] + ruleFields
    )
    .named("RepairRuleChange")

    static let repairRule = answer([
        .required("key", key), .optional("description", text),
        .required("match", answer(matchFields)), .required("repair", answer(repairFields)),
        .required("enabled", flag),
        .required("version", whole, "1, and one more with every change."),
        .optional("author", text, "Who wrote this version."),
        .required("createdAt", instant), .required("changedAt", instant),
        .required("repaired", count, "Items that it released."),
        .required("failed", count, "Items that it tried and left open."),
        .optional("action", text, "The action that was started for open items."),
    ])
    .named("RepairRule")

    static let repairRuleProblem = answer(
        problemFields + [
            .required("current", repairRule, "The rule as it stands."),
            .optional("sent", open([]), "The body of the call that came too late, if it had one."),
        ]
    )
    .named("RepairRuleProblem", "Why a repair rule was not changed, with both sides.")

    /// What a rule did to an item.
    static let repairedBy = answer([
        .required("rule", key, "The key of the rule."), .required("version", whole),
        .optional("item", text, "The item that the event was."),
    ])
    .named("RepairedBy")

    static let repairTried = answer([
        .required("rule", key, "The key of the rule."), .required("version", whole),
        .required("outcome", words(RepairMark.Outcome.self)),
        .required("detail", text, "Why the item was left open."),
    ])
    .named("RepairTried")
}
