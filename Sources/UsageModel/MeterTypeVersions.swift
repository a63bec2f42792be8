/// One version of a meter type, as the ledger keeps it: a series of its own, never counted again
/// under another definition.
public struct MeterType: Hashable, Sendable {
    /// The ledger's own number for the version: dense from 1 over all meter types, never used
    /// again.
    public var number: UInt32
    public var definition: MeterTypeDefinition
    /// 1 for the first of a key; dense.
    public var version: Int
    /// It counts events whose time is not before this; nil: since ever.
    public var effectiveFrom: Instant?
    /// It counts events whose time is before this, as far as is known; nil: for ever. Never stored:
    /// it follows from the versions made later, see ``Swift/Sequence/counting(at:)``.
    public var effectiveTo: Instant?
    public var createdAt: Instant
    /// Where the log ended when it was made.
    public var createdPosition: Position
    /// Events after this are counted as they come, those up to it by the backfill; nil while it
    /// waits for the backfills before its own.
    public var countsAfter: Position?
    /// Since which position readings follow it: that of its own entry in the log; that of the last
    /// event before, where no other version of its key was in force. nil until its history is
    /// counted.
    public var inForceSince: Position?
    /// Whether it has an entry in the log, at ``inForceSince``.
    public var hasEntry = false
    /// When its backfill was given up: it counts nothing, and no reading ever followed it.
    public var cancelledAt: Instant?
    public var retiredAt: Instant?
    /// The last event it counts; nil while it is not retired.
    public var retiredPosition: Position?
    /// How many of the events up to ``countsAfter`` the backfill has counted.
    public var backfilled: Position

    /// A first version whose history is counted from the start.
    public init(
        number: UInt32,
        definition: MeterTypeDefinition,
        createdAt: Instant,
        createdPosition: Position,
        retiredAt: Instant? = nil,
        retiredPosition: Position? = nil,
        backfilled: Position
    ) {
        (self.number, self.definition, version) = (number, definition, 1)
        (effectiveFrom, effectiveTo) = (nil, nil)
        (self.createdAt, self.createdPosition) = (createdAt, createdPosition)
        (countsAfter, inForceSince, cancelledAt) = (createdPosition, nil, nil)
        (self.retiredAt, self.retiredPosition) = (retiredAt, retiredPosition)
        self.backfilled = backfilled
    }

    public enum BackfillState: String, Hashable, Sendable {
        /// For the backfills that were asked for before.
        case waiting
        case running
        /// Readings follow it.
        case done
        case cancelled
    }

    public var backfillState: BackfillState {
        if cancelledAt != nil { return .cancelled }
        guard countsAfter != nil else { return .waiting }
        return isCounted && inForceSince != nil ? .done : .running
    }

    public var key: MeterTypeKey { definition.key }
    /// Whether readings follow it.
    public var isBackfilled: Bool { backfillState == .done }
    /// Whether all of its history is counted.
    public var isCounted: Bool { countsAfter.map { backfilled >= $0 } ?? false }

    /// Whether the event at a position is in the version's sums by now, if it means anything to it.
    public func covers(_ position: Position) -> Bool {
        guard let countsAfter, cancelledAt == nil else { return false }
        if let retiredPosition, position > retiredPosition { return false }
        return position > countsAfter || position <= backfilled
    }

    /// How far values are carried that may be carried until an instant: not past the end of the
    /// meter type.
    public func carries(until instant: Instant) -> Instant {
        [instant, definition.activeTo, retiredAt].compactMap(\.self).min() ?? instant
    }

    /// The times it counts, as far as is known.
    public var effective: Range<Instant> {
        let from = effectiveFrom ?? Instant(microseconds: .min)
        let to = effectiveTo ?? Instant(microseconds: .max)
        return from..<max(from, to)
    }
}

/// From when on, by the time of events, a version is to count.
public enum EffectiveTime: Hashable, Sendable {
    /// From the moment it is made.
    case now
    /// All of history.
    case always
    case at(Instant)
}

extension Sequence<MeterType> {
    /// The version that changes begin with: the one made last, those given up left aside while
    /// there is another.
    public var newest: MeterType? {
        let versions = sorted { $0.number < $1.number }
        return versions.last { $0.cancelledAt == nil } ?? versions.last
    }

    /// The newest version of each meter type, in the order of the keys.
    public var newestOfEach: [MeterType] {
        Dictionary(grouping: self, by: \.key).values.compactMap(\.newest)
            .sorted { $0.key < $1.key }
    }

    /// The versions that count the event at a position, each with the times it counts as was known
    /// when the event came.
    ///
    /// Of the versions in force, a time belongs to the one made last. One whose history is still
    /// being counted counts beside those that it will take over from.
    /// - Complexity: O(n log n) in the versions.
    public func counting(at position: Position) -> [MeterType] {
        filter { $0.covers(position) }.bounded { $0 < position }
    }

    /// The versions that readings follow, each with the times it rules, in the order of numbers.
    ///
    /// - Parameter position: As known when the log ended there; nil: as known now. Before the first
    ///   version of a key was in force, it is taken to be: a meter type is known of all history.
    public func inForce(asOf position: Position? = nil) -> [MeterType] {
        known(asOf: position).bounded { _ in true }
    }

    /// The versions that came into force by a position, also those that rule no time any more, in
    /// the order of numbers; nil: by now.
    public func known(asOf position: Position?) -> [MeterType] {
        let done = filter(\.isBackfilled).sorted { $0.number < $1.number }
        guard let position else { return done }
        var seen: Set<MeterTypeKey> = []
        return done.filter { version in
            // In the order of numbers the first of its key comes first.
            let isFirst = seen.insert(version.key).inserted
            return isFirst || (version.inForceSince.map { $0 <= position } ?? false)
        }
    }

    /// The versions in force; and of a meter type whose history is being counted for the first
    /// time, the one that will be: for what grows before their eyes.
    public func inForceOrFirst() -> [MeterType] {
        let inForce = inForce()
        var known = Set(inForce.map(\.key))
        let first = sorted { $0.number < $1.number }.filter { version in
            version.cancelledAt == nil && known.insert(version.key).inserted
        }
        return inForce + first
    }

    /// Over which time each of these versions carries values: the times that it rules, and those of
    /// its neighbours that read events as it does.
    ///
    /// - Returns: by the number of each version the last of these neighbours, with the times that
    ///   they rule together.
    /// - Complexity: O(n log n).
    public func carrying() -> [UInt32: MeterType] {
        var carrying: [UInt32: MeterType] = [:]
        for versions in Dictionary(grouping: self, by: \.key).values {
            var joined: [MeterType] = []
            func close() {
                guard let first = joined.first, var last = joined.last else { return }
                last.effectiveFrom = first.effectiveFrom
                for version in joined { carrying[version.number] = last }
                joined = []
            }
            for version in versions.sorted(by: {
                $0.effective.lowerBound < $1.effective.lowerBound
            }) {
                if let last = joined.last,
                    last.effective.upperBound != version.effective.lowerBound
                        || !last.definition.reads(as: version.definition)
                {
                    close()
                }
                joined.append(version)
            }
            close()
        }
        return carrying
    }

    /// Cuts off what later versions took over, and leaves out those with nothing left.
    private func bounded(_ tookOver: (Position) -> Bool) -> [MeterType] {
        var ends: [MeterTypeKey: Instant] = [:]
        var bounded: [MeterType] = []
        for var version in sorted(by: { $0.number > $1.number }) {
            version.effectiveTo = ends[version.key]
            if !version.effective.isEmpty { bounded.append(version) }
            guard let since = version.inForceSince, tookOver(since) else { continue }
            let from = version.effectiveFrom ?? Instant(microseconds: .min)
            ends[version.key] = Swift.min(ends[version.key] ?? from, from)
        }
        return bounded.reversed()
    }
}
