import UsageModel
import WireFormat

/// What rows of files come to, source by source: the manifests of those who sent them.
///
/// A row counts as often as it stands in the files. Memory is that of the sources.
struct ManifestSheet: Sendable {
    /// The rows of one source.
    private struct Line {
        var rows: Int64 = 0
        var sum = Quantity.zero
        var first = Instant.latest
        var last = Instant.earliest
        /// Rows whose time cannot be read, or that state none: that of their arrival no source
        /// knows.
        var untimed: Int64 = 0
        /// Why it has no sum.
        var fault: String?
    }

    /// A source that can claim nothing, and why.
    struct Failure: Hashable {
        var source: String
        var reason: String
    }

    private let path: EventPath?
    private let range: Range<Instant>?
    private var lines: [String: Line] = [:]
    /// Rows whose source cannot be read.
    private(set) var nameless = 0

    /// - Parameters:
    ///   - path: Of the field that is added up; nil: none is.
    ///   - range: The times that are claimed; nil: those that the rows have.
    init(path: EventPath?, range: Range<Instant>?) { (self.path, self.range) = (path, range) }

    /// Adds events, one a line.
    mutating func add(_ ndjson: [UInt8]) throws {
        let decoded = try decodeEvents(ndjson, framing: .ndjson)
        for event in decoded.events {
            let source = String(decoding: decoded.bytes[event.source.range], as: UTF8.self)
            var line = lines[source] ?? Line()
            line.rows += 1
            if event.hasTime {
                line.first = min(line.first, event.time)
                line.last = max(line.last, event.time)
            } else {
                line.untimed += 1
            }
            add(decoded.bytes[event.whole.range], to: &line)
            lines[source] = line
        }
        // What breaks a rule was sent all the same.
        for event in decoded.rejected {
            let source = String(decoding: decoded.bytes[event.source.range], as: UTF8.self)
            guard !source.isEmpty else {
                nameless += 1
                continue
            }
            var line = lines[source] ?? Line()
            line.rows += 1
            let value = try? JSONValue.parse(Array(decoded.bytes[event.whole.range]))
            if let time = value?["time"]?.stringValue.flatMap({ Instant(rfc3339: $0) }) {
                line.first = min(line.first, time)
                line.last = max(line.last, time)
            } else {
                line.untimed += 1
            }
            add(decoded.bytes[event.whole.range], to: &line)
            lines[source] = line
        }
    }

    private func add(_ event: ArraySlice<UInt8>, to line: inout Line) {
        guard let path, let text = (try? JSONValue.parse(Array(event)))?.scalar(at: path),
            let quantity = try? Quantity(text)
        else { return }
        do throws(QuantityOverflow) {
            line.sum = try line.sum.adding(quantity)
        } catch {
            line.fault = "the sum does not fit a quantity"
        }
    }

    /// A claim for each source, in their order, and those that have none.
    func claims() -> (claims: [SourceManifest.Claim], failures: [Failure]) {
        var (claims, failures) = ([SourceManifest.Claim](), [Failure]())
        for (source, line) in lines.sorted(by: { $0.key < $1.key }) {
            var reason = line.fault
            if range == nil, line.untimed > 0 {
                let remedy = "say --manifest-from and --manifest-to"
                reason = "\(line.untimed) rows have no time that can be read; \(remedy)"
            }
            if let reason {
                failures.append(Failure(source: source, reason: reason))
                continue
            }
            let end = Instant(microseconds: line.last.microseconds + 1)
            claims.append(
                SourceManifest.Claim(
                    source: source,
                    type: nil,
                    range: range ?? line.first..<end,
                    rows: line.rows,
                    sum: path.map { SourceManifest.Sum(path: $0, value: line.sum) }
                )
            )
        }
        return (claims, failures)
    }

    /// Registers a claim for each source, and shows how each stands. The same claim twice is one.
    ///
    /// - Parameter isAside: Whether what is shown must not stand among the output.
    /// - Throws: ``CommandFailure``; `incomplete` where a source has none.
    func register(_ server: ServerConnection, isAside: Bool) async throws {
        let (claims, failures) = claims()
        var table = ManifestAnswer.table
        for claim in claims {
            let manifest = try await ManifestAnswer.register(claim, token: nil, server)
            let path = ManifestsCommand.path(manifest.id)
            let got = try await server.ask(.get, path)
            table.add(try got.decoded(ManifestAnswer.self).row)
        }
        if !table.isEmpty { isAside ? Terminal.say(table.text()) : Terminal.put(table.text()) }
        for failure in failures {
            Terminal.say("\(failure.source): no manifest, \(failure.reason)")
        }
        if nameless > 0 { Terminal.say("\(nameless) rows have no source: in no manifest") }
        guard failures.isEmpty else { throw CommandFailure(.incomplete) }
    }
}
