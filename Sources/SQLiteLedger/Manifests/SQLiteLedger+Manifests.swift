internal import GRDB
public import MeteringEngine
public import UsageModel
internal import WireFormat

extension SQLiteLedger: ManifestStore {
    public func register(
        _ request: ManifestRequest
    ) async throws(LedgerError) -> ManifestOutcome {
        try keeping("registering a manifest") {
            try core.truth.register(request, at: core.clock())
        }
    }

    public func manifests(_ query: ManifestQuery) async throws(LedgerError) -> ManifestAnswer {
        try keeping("reading manifests") { try core.truth.manifests(query) }
    }

    public func manifest(_ number: Int64) async throws(LedgerError) -> SourceManifest? {
        try keeping("reading a manifest") { try core.truth.manifest(number) }
    }

    public func standing(
        of claim: SourceManifest.Claim
    ) async throws(LedgerError) -> ManifestStanding {
        try reading("comparing a manifest") {
            try ManifestReader(core: core, claim: claim).standing()
        }
    }
}

// The table of manifests: claims are added, and never changed.
extension Truth {
    func register(_ request: ManifestRequest, at: Instant) throws -> ManifestOutcome {
        let author = Author.current
        let claim = JSONValue.object(ManifestDocument.write(request.claim))
        let text = String(decoding: claim.serialized(pretty: false), as: UTF8.self)
        return try pool.write { database in
            if let known = try Self.manifest(token: request.token, database) {
                guard known.claim == request.claim else {
                    let what = "another manifest was registered under this token"
                    throw LedgerError(.alreadyExists, what)
                }
                return ManifestOutcome(known, isKnown: true)
            }
            try database.execute(
                sql: """
                    INSERT INTO manifest (source, claim, at, author, token) VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    request.claim.source, text, at.microseconds, author.name, request.token,
                ]
            )
            let manifest = SourceManifest(
                number: database.lastInsertedRowID,
                claim: request.claim,
                at: at,
                author: author.name
            )
            try Self.audit([.of(manifest, by: author)], at: at, database)
            return ManifestOutcome(manifest, isKnown: false)
        }
    }

    private static func manifest(
        token: String?,
        _ database: Database
    ) throws -> SourceManifest? {
        guard let token else { return nil }
        return try Row.fetchOne(
            database,
            sql: "SELECT * FROM manifest WHERE token = ?",
            arguments: [token]
        ).map(manifest)
    }

    func manifest(_ number: Int64) throws -> SourceManifest? {
        try pool.read { database in
            try Row.fetchOne(
                database,
                sql: "SELECT * FROM manifest WHERE number = ?",
                arguments: [number]
            ).map(Self.manifest)
        }
    }

    func manifests(_ query: ManifestQuery) throws -> ManifestAnswer {
        var (sql, arguments) = ("number < ?", StatementArguments([query.before ?? .max]))
        if let source = query.source {
            sql += " AND source = ?"
            arguments += [source]
        }
        let found = try pool.read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM manifest WHERE \(sql) ORDER BY number DESC LIMIT ?",
                arguments: arguments + [query.limit + 1]
            ).map(Self.manifest)
        }
        return ManifestAnswer(
            manifests: Array(found.prefix(query.limit)),
            hasMore: found.count > query.limit
        )
    }

    private static func manifest(_ row: Row) throws -> SourceManifest {
        let (number, text): (Int64, String) = (row["number"], row["claim"])
        guard let value = try? JSONValue.parse(Array(text.utf8)),
            let claim = try? ManifestDocument.read(value)
        else { throw LedgerError(.corrupt, "the manifest m-\(number) makes no sense") }
        return SourceManifest(
            number: number,
            claim: claim,
            at: Instant(microseconds: row["at"]),
            author: row["author"]
        )
    }
}
