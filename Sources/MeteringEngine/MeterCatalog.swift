internal import Synchronization
public import UsageModel
internal import WireFormat

/// The meter types that count, compiled per event type as types come by.
///
/// A catalog never changes: a new or retired meter type makes a new catalog of the next generation.
/// - Complexity: one look-up for each distinct event type of a batch.
public final class MeterCatalog: Sendable {
    /// The most event types whose plan is kept; past it the plans are made anew.
    static let plansMax = 10_000

    public let generation: UInt64
    /// In the order of their numbers.
    public let meterTypes: [MeterType]
    private let plans = Mutex<[[UInt8]: TypePlan]>([:])

    public init(generation: UInt64, meterTypes: [MeterType]) {
        self.generation = generation
        self.meterTypes = meterTypes.sorted { $0.number < $1.number }
    }

    func plan(for type: [UInt8]) -> TypePlan {
        if let plan = plans.withLock({ $0[type] }) { return plan }
        let matching = meterTypes.filter { meterType in
            meterType.definition.eventTypes.contains { $0.matches(type) }
        }
        let plan = TypePlan(matching)
        plans.withLock { plans in
            if plans.count >= Self.plansMax { plans.removeAll() }
            plans[type] = plan
        }
        return plan
    }
}

/// What to read from an event of one type, and which meter types read it.
struct TypePlan: Sendable {
    struct Program: Sendable {
        var meter: UInt32
        var aggregation: Aggregation
        /// The slot of the value; -1 for count.
        var valueSlot: Int
        var excessDigits: Quantity.ExcessDigits
        var activeFrom: Instant
        var activeTo: Instant
    }

    /// The programs whose dimensions are the same: they share a tuple, and so a cell.
    struct Group: Sendable {
        /// For each dimension, `{"name":` or `,"name":`, and the slot of its value.
        var pieces: [(prefix: [UInt8], slot: Int)]
        var programs: [Program]
    }

    var paths: PathSet
    var groups: [Group]

    init(_ meterTypes: [MeterType]) {
        var paths: [EventPath] = []
        func slot(_ path: EventPath) -> Int {
            if let known = paths.firstIndex(of: path) { return known }
            paths.append(path)
            return paths.count - 1
        }
        var groups: [(dimensions: [Dimension], group: Group)] = []
        for meterType in meterTypes {
            let definition = meterType.definition
            let program = Program(
                meter: meterType.number,
                aggregation: definition.aggregation,
                valueSlot: definition.value.map(slot) ?? -1,
                excessDigits: definition.excessDigits,
                activeFrom: definition.activeFrom ?? Instant(microseconds: .min),
                activeTo: definition.activeTo ?? Instant(microseconds: .max)
            )
            if let known = groups.firstIndex(where: { $0.dimensions == definition.dimensions }) {
                groups[known].group.programs.append(program)
                continue
            }
            let pieces = definition.dimensions.enumerated().map { index, dimension in
                var writer = JSONWriter()
                writer.string(dimension.name)
                let prefix = [UInt8(ascii: index == 0 ? "{" : ",")] + writer.bytes
                return (prefix + [UInt8(ascii: ":")], slot(dimension.path))
            }
            groups.append((definition.dimensions, Group(pieces: pieces, programs: [program])))
        }
        self.paths = PathSet(paths)
        self.groups = groups.map(\.group)
    }
}
