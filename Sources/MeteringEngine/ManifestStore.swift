public import UsageModel

/// What sources say that they sent, held against what the ledger has.
public protocol ManifestStore: Sendable {
    /// Keeps a claim.
    ///
    /// - Throws: `alreadyExists` for a token that another claim bore.
    func register(_ request: ManifestRequest) async throws(LedgerError) -> ManifestOutcome

    /// Manifests, the newest first.
    func manifests(_ query: ManifestQuery) async throws(LedgerError) -> ManifestAnswer

    func manifest(_ number: Int64) async throws(LedgerError) -> SourceManifest?

    /// Compares a claim with the ledger as it is now.
    ///
    /// - Throws: `limitExceeded` for more than ``UsageModel/Limits/manifestEventsMax`` events or
    ///   ``UsageModel/Limits/manifestItemsMax`` open items; `valueOverflow`.
    /// - Complexity: unpacks each block of the time that may hold an event of the type, some 0.5 ms
    ///   and with a sum 1 µs an event; and reads the open items of the source.
    func standing(
        of claim: SourceManifest.Claim
    ) async throws(LedgerError) -> ManifestStanding
}

/// A claim that is to be kept.
public struct ManifestRequest: Sendable, Hashable {
    public var claim: SourceManifest.Claim
    /// The caller's own name for the request: made twice, it is one manifest.
    public var token: String?

    public init(claim: SourceManifest.Claim, token: String? = nil) {
        (self.claim, self.token) = (claim, token)
    }
}

public struct ManifestOutcome: Sendable, Hashable {
    public var manifest: SourceManifest
    /// Whether it was registered before, under the same token.
    public var isKnown: Bool

    public init(_ manifest: SourceManifest, isKnown: Bool) {
        (self.manifest, self.isKnown) = (manifest, isKnown)
    }
}

public struct ManifestQuery: Sendable {
    public var source: String?
    public var limit: Int
    /// The number of the last item of the page before.
    public var before: Int64?

    public init(source: String? = nil, limit: Int, before: Int64? = nil) {
        (self.source, self.limit, self.before) = (source, limit, before)
    }
}

public struct ManifestAnswer: Sendable {
    public var manifests: [SourceManifest]
    public var hasMore: Bool

    public init(manifests: [SourceManifest], hasMore: Bool) {
        (self.manifests, self.hasMore) = (manifests, hasMore)
    }
}

/// What the ledger has of what a source says that it sent.
public struct ManifestStanding: Sendable, Hashable {
    /// How a claim stands. The rows are looked at first.
    public enum Status: String, CaseIterable, Hashable, Sendable {
        /// As many rows as were claimed, and the sum.
        case balanced
        /// Rows are missing.
        case short
        /// There are more rows than were claimed.
        case over
        /// As many rows as were claimed, and another sum.
        case differs
    }

    public var claim: SourceManifest.Claim
    /// All up to here was looked at.
    public var position: Position
    /// Events in the log, each key once; those that are void now too.
    public var received: Int64 = 0
    /// Of these, how many count no more by a correction.
    public var voided: Int64 = 0
    /// Open items in quarantine whose time lies in the claim's or cannot be read.
    public var quarantined: Int64 = 0
    /// Events that count and have no number at the path.
    public var unreadable: Int64 = 0
    /// Of the field, over the events that count, replacements in the place of what they replace;
    /// nil where no sum was claimed.
    public var sum: Quantity?

    public init(_ claim: SourceManifest.Claim, position: Position) {
        (self.claim, self.position) = (claim, position)
    }

    /// What was received less what was claimed: below zero where rows are missing.
    public var rowsDifference: Int64 { received - claim.rows }

    /// The sum less what was claimed; nil where no sum was claimed.
    public func sumDifference() throws(QuantityOverflow) -> Quantity? {
        guard let sum, let claimed = claim.sum else { return nil }
        return try sum.subtracting(claimed.value)
    }

    public var status: Status {
        if received < claim.rows { return .short }
        if received > claim.rows { return .over }
        return sum == claim.sum?.value ? .balanced : .differs
    }
}
