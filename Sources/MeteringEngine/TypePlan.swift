internal import Expressions
internal import Metering
internal import UsageModel
internal import WireFormat

/// What to read from an event of one type, and which meter types read it.
///
/// A class, so that an event that meets it counts one reference, and not one for each array in it.
final class TypePlan: Sendable {
    /// Where a value comes from.
    struct Source: Sendable {
        /// The slot of a value that stands in the event; -1 where there is none.
        var slot = -1
        /// Of a value that is computed, the place in ``ComputedParts/values``; -1 where there is
        /// none.
        var expression = -1
    }

    struct Program: Sendable {
        var meter: UInt32
        var aggregation: Aggregation
        var value = Source()
        /// The other half of a pair.
        var secondValue = Source()
        /// The place in ``ComputedParts/filters``; -1 where there is no filter.
        var filter = -1
        /// Whether the filter or the value could not be compiled: nothing can be read then.
        var isBroken = false
        var excessDigits: Quantity.ExcessDigits
        var activeFrom: Instant
        var activeTo: Instant
        /// The place in ``TypePlan/lateness``; -1 where events count however late they come.
        var lateness = -1
    }

    /// One dimension of a tuple.
    struct Piece: Sendable {
        /// `{"name":` or `,"name":`.
        var prefix: [UInt8]
        /// The slot of a value that stands in the event; -1 where there is none.
        var slot: Int
        /// The place in ``ComputedParts/values``; -1 where nothing is computed. Where the slot is
        /// -1 as well, the expression could not be compiled.
        var expression = -1
    }

    /// The programs whose dimensions are the same: they share a tuple, and so a cell.
    struct Group: Sendable {
        var pieces: [Piece]
        var programs: [Program]
        /// Whether some dimension is computed: the tuple is not known by slots then.
        var isComputed: Bool
    }

    let paths: PathSet
    let groups: [Group]
    /// For each group what it makes of an event.
    let shapes: [MeterShape]
    /// nil where nothing is computed.
    let computed: ComputedParts?
    /// When events come too late for some programs.
    let lateness: [Lateness]

    init(_ meterTypes: [MeterType], zones: any TimeZoneSource) {
        var compiling = PlanCompiling(zones: zones)
        var groups: [(dimensions: [Dimension], group: Group)] = []
        for meterType in meterTypes {
            let definition = meterType.definition
            let program = compiling.program(meterType)
            if let known = groups.firstIndex(where: { $0.dimensions == definition.dimensions }) {
                groups[known].group.programs.append(program)
                continue
            }
            let pieces = definition.dimensions.enumerated().map { index, dimension in
                compiling.piece(dimension, isFirst: index == 0)
            }
            let group = Group(
                pieces: pieces,
                programs: [program],
                isComputed: pieces.contains { $0.slot < 0 }
            )
            groups.append((definition.dimensions, group))
        }
        paths = PathSet(compiling.slots.paths)
        computed = compiling.computed
        lateness = compiling.lateness
        self.groups = groups.map(\.group)
        shapes = groups.map { _, group in
            MeterShape(
                lanes: group.programs.map { program in
                    MeterShape.Lane(meter: program.meter, aggregation: program.aggregation)
                }
            )
        }
    }
}

/// The expressions of a plan, each once. A class, so that a plan without any costs one nil.
final class ComputedParts: Sendable {
    let filters: [UsageExpression]
    /// Of values and dimensions.
    let values: [UsageExpression]
    /// The slot of `$.time` for expressions, apart from that of plain paths: where the event states
    /// no time it holds the arrival. -1 where no expression asks.
    let timeSlot: Int

    init(filters: [UsageExpression], values: [UsageExpression], timeSlot: Int) {
        (self.filters, self.values, self.timeSlot) = (filters, values, timeSlot)
    }
}

/// The slots that several expressions and paths share.
struct SharedSlots {
    private(set) var paths: [EventPath] = []
    /// See ``ComputedParts/timeSlot``.
    private(set) var timeSlot = -1

    static func isTime(_ path: EventPath) -> Bool { path.steps == [.member("time")] }

    /// The slot of a path that is no part of an expression.
    mutating func slot(of path: EventPath) -> Int {
        for slot in paths.indices where slot != timeSlot && paths[slot] == path { return slot }
        paths.append(path)
        return paths.count - 1
    }

    mutating func place(_ expression: UsageExpression) -> UsageExpression {
        let slots = expression.paths.map { path in
            guard Self.isTime(path) else { return slot(of: path) }
            if timeSlot < 0 {
                timeSlot = paths.count
                paths.append(path)
            }
            return timeSlot
        }
        return expression.placed(at: slots)
    }
}

/// Compiles what the meter types of a plan compute, equal expressions once.
private struct PlanCompiling {
    let zones: any TimeZoneSource
    var slots = SharedSlots()
    private var filters: [UsageExpression] = []
    private var values: [UsageExpression] = []
    private(set) var lateness: [Lateness] = []

    init(zones: any TimeZoneSource) { self.zones = zones }

    var computed: ComputedParts? {
        if filters.isEmpty, values.isEmpty { return nil }
        return ComputedParts(filters: filters, values: values, timeSlot: slots.timeSlot)
    }

    mutating func program(_ meterType: MeterType) -> TypePlan.Program {
        let definition = meterType.definition
        var program = TypePlan.Program(
            meter: meterType.number,
            aggregation: definition.aggregation,
            excessDigits: definition.excessDigits,
            activeFrom: max(
                definition.activeFrom ?? Instant(microseconds: .min),
                meterType.effective.lowerBound
            ),
            activeTo: min(
                definition.activeTo ?? Instant(microseconds: .max),
                meterType.effective.upperBound
            )
        )
        if let rule = Lateness(definition, zones: zones) {
            program.lateness = lateness.count
            lateness.append(rule)
        }
        if let text = definition.filter {
            if let filter = compiled(text, .bool, definition.excessDigits) {
                program.filter = Self.place(filter, in: &filters, &slots)
            } else {
                program.isBroken = true
            }
        }
        let expected = definition.aggregation.expectedValue
        if let value = definition.value {
            program.value = read(value, expected, definition.excessDigits)
            if program.value.slot < 0, program.value.expression < 0 { program.isBroken = true }
        }
        if let value = definition.secondValue {
            program.secondValue = read(value, expected, definition.excessDigits)
            let second = program.secondValue
            if second.slot < 0, second.expression < 0 { program.isBroken = true }
        }
        return program
    }

    mutating func piece(_ dimension: Dimension, isFirst: Bool) -> TypePlan.Piece {
        var writer = JSONWriter()
        writer.string(dimension.name)
        let prefix = [UInt8(ascii: isFirst ? "{" : ",")] + writer.bytes + [UInt8(ascii: ":")]
        // A dimension's digits past the 18th are rounded whatever becomes of a value's.
        let read = read(dimension.value, .scalar, .round)
        return TypePlan.Piece(prefix: prefix, slot: read.slot, expression: read.expression)
    }

    private mutating func read(
        _ rule: ValueRule,
        _ expected: ExpectedResult,
        _ excessDigits: Quantity.ExcessDigits
    ) -> TypePlan.Source {
        switch rule {
        case .path(let path): return .init(slot: slots.slot(of: path))
        case .expression(let text):
            guard let expression = compiled(text, expected, excessDigits) else { return .init() }
            // A path in brackets, or an attribute's name.
            if let path = expression.plainPath, !SharedSlots.isTime(path) {
                return .init(slot: slots.slot(of: path))
            }
            return .init(expression: Self.place(expression, in: &values, &slots))
        }
    }

    private func compiled(
        _ text: String,
        _ expected: ExpectedResult,
        _ excessDigits: Quantity.ExcessDigits
    ) -> UsageExpression? {
        try? UsageExpression(
            parsing: text,
            expecting: expected,
            zones: zones,
            excessDigits: excessDigits
        )
    }

    private static func place(
        _ expression: UsageExpression,
        in list: inout [UsageExpression],
        _ slots: inout SharedSlots
    ) -> Int {
        if let known = list.firstIndex(of: expression) { return known }
        list.append(slots.place(expression))
        return list.count - 1
    }
}

extension Aggregation {
    /// What an expression must give as the value; a distinct count only tells values apart.
    var expectedValue: ExpectedResult { needsNumber ? .number : .scalar }
}
