import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import MeteringEngine
import NIOCore
import UsageModel
import WireFormat

/// Takes each call to its route, and answers; whatever goes wrong becomes a problem document.
struct FrontDesk: HTTPResponder {
    let ledger: any UsageLedger
    let records: RecordKeeping?
    let quarantine: (any QuarantineDesk)?
    let sets: (any BackfillSetStore)?
    let validation: (any ValidationDesk)?
    let zones: SystemTimeZones
    let bodies: BodyReading
    let budget: BodyBudget
    let logger: Logger
    let clock: @Sendable () -> Instant
    let pages: APIServer.Pages?
    let site: SiteGuard
    let counters = RequestCounters()

    init(
        ledger: any UsageLedger,
        records: RecordKeeping?,
        quarantine: (any QuarantineDesk)?,
        sets: (any BackfillSetStore)?,
        validation: (any ValidationDesk)?,
        zones: SystemTimeZones,
        configuration: APIConfiguration,
        logger: Logger,
        clock: @escaping @Sendable () -> Instant,
        pages: APIServer.Pages?
    ) {
        self.pages = pages
        site = SiteGuard(listensOn: configuration.host, allowing: configuration.namesAllowed)
        (self.ledger, self.zones, self.logger, self.clock) = (ledger, zones, logger, clock)
        (self.records, self.quarantine) = (records, quarantine)
        (self.sets, self.validation) = (sets, validation)
        bodies = BodyReading(bytesMax: configuration.bodyBytesMax)
        budget = BodyBudget(bytesMax: configuration.bodyBytesInFlightMax)
    }

    /// What the framework makes per request: where it came from.
    struct Visit: InitializableFromSource {
        private let channel: any Channel

        init(source: ApplicationRequestContextSource) { channel = source.channel }

        /// The peer of the connection; empty where it has none.
        var address: String { channel.remoteAddress?.ipAddress ?? "" }
    }

    func respond(to request: Request, context: Visit) async throws -> Response {
        if let pages {
            if isPage(request) {
                return try await pages(request, context.address) { request, address in
                    // A page speaks for itself: who asked for it was judged there.
                    let answer = try await answer(request, from: address, isOwnPage: true)
                    return (
                        HTTPResponse(status: answer.status, headerFields: answer.headers),
                        answer.body
                    )
                }
            }
            if Self.isBrowserAtTheDoor(request) {
                return Response(status: .seeOther, headers: [.location: APIServer.pagesRoot])
            }
        }
        return try await answer(request, from: context.address).response(for: request.method)
    }

    /// Answers a call of the API for somebody at an address.
    private func answer(
        _ request: Request,
        from address: String,
        isOwnPage: Bool = false
    ) async throws -> Answer {
        let call = Call(request)
        let answer: Answer
        do {
            if !isOwnPage { try judgeSite(call) }
            answer =
                call.route.isAudited(call.request.method)
                ? try await Author.$current.withValue(AuthorHeaders.author(call, address)) {
                    try await self.answer(call)
                } : try await self.answer(call)
        } catch let refusal as Refusal {
            answer = refusal.answer(instance: call.path, isPretty: call.isPretty)
        } catch let error as LedgerError {
            log(error, call)
            answer = Refusal(error).answer(instance: call.path, isPretty: call.isPretty)
        }
        // Anything else is the connection's: it broke while the body came in.
        counters.count(call.route, status: answer.status.code)
        return answer
    }

    /// - Throws: `host-unknown`, `page-foreign`: see ``SiteGuard``. Probes name whatever address
    ///   they found the server at, and are told nothing.
    private func judgeSite(_ call: Call) throws(Refusal) {
        if call.route == .health || call.route == .readiness { return }
        let head = call.request.head
        let fault = site.fault(
            authority: head.authority,
            isChange: !call.isRead,
            origin: head.headerFields[.origin],
            site: head.headerFields[.secFetchSite]
        )
        switch fault {
        case .foreignHost(let host):
            throw Refusal(.hostUnknown, "\"\(host)\" is none of the names of this server")
        case .foreignPage(let page):
            throw Refusal(.pageForeign, "the browser says that it came from \(page)")
        case nil: break
        }
    }

    /// Whether an address is that of a page for people.
    private func isPage(_ request: Request) -> Bool {
        let root = APIServer.pagesRoot
        guard let path = request.head.path, path.hasPrefix(root) else { return false }
        let next = path.utf8.dropFirst(root.utf8.count).first
        return next == nil || next == UInt8(ascii: "/") || next == UInt8(ascii: "?")
    }

    /// Somebody typed the server's address into a browser: the pages are what is looked for.
    private static func isBrowserAtTheDoor(_ request: Request) -> Bool {
        request.head.path == "/" && request.method == .get && Call(request).wants("text/html")
    }

    private func answer(_ call: Call) async throws -> Answer {
        guard call.route.allows(call.request.method) || call.route == .none else {
            var refusal = Refusal(.methodNotAllowed, "here go: \(call.route.allowed)")
            refusal.allowed = call.route.allowed
            throw refusal
        }
        switch call.route {
        case .events: return call.isRead ? try await listEvents(call) : try await record(call)
        case .event: return try await readEvent(call)
        case .meterTypes:
            return call.isRead ? try await listMeterTypes(call) : try await createMeterType(call)
        case .meterType: return try await answerMeterType(call)
        case .versions: return try await listVersions(call)
        case .backfill: return try await cancelBackfill(call)
        case .backfills: return try await listBackfills(call)
        case .preview: return try await previewMeterType(call)
        case .meters, .meter, .periods, .suspension, .resumption, .closure:
            return try await answerOnMeters(call)
        case .customers, .customer, .statement, .subjects:
            return try await answerOnCustomers(call)
        case .usage: return try await readUsage(call)
        case .difference: return try await explainDifference(call)
        case .unreadable: return try await listUnreadable(call)
        case .quarantine, .quarantineGroups, .quarantineItem, .quarantineRelease,
            .quarantineDiscard, .quarantineReopening, .quarantineActions, .quarantineAction,
            .quarantineCancelling:
            return try await answerOnQuarantine(call)
        case .repairRules, .repairRule: return try await answerOnRepairRules(call)
        case .manifests, .manifest: return try await answerOnManifests(call)
        case .reconciliation: return try await readBooks(call)
        case .records:
            return call.isRead ? try await listRecords(call) : try await makeRecords(call)
        case .record: return try await readRecord(call)
        case .recordEvents: return try await listRecordEvents(call)
        case .recordSchema: return try readRecordSchema(call)
        case .destinations, .destination, .destinationPause, .destinationResumption,
            .destinationTest, .destinationBooks:
            return try await answerOnDestinations(call)
        case .deliveries: return try await listDeliveries(call)
        case .delivery: return try await readDelivery(call)
        case .resending: return try await resendDeliveries(call)
        case .corrections, .correction, .correctedEvents:
            return try await answerOnCorrections(call)
        case .backfillSets, .backfillSet, .backfillSetEvents, .backfillSetClose,
            .backfillSetRevert:
            return try await answerOnBackfillSets(call)
        case .validationRules, .validationRule, .ruleVersions, .ruleTrial, .eventTypes, .eventType:
            return try await answerOnValidation(call)
        case .audit: return try await listAudit(call)
        case .status: return try await readStatus(call)
        case .health: return .text("alive\n")
        case .readiness: return await readReadiness(call)
        case .metrics: return await readMetrics()
        case .problem: return try readProblem(call)
        case .description: return try readDescription(call)
        case .none: throw Refusal.notFound("there is no such address")
        }
    }

    private func answerMeterType(_ call: Call) async throws -> Answer {
        switch call.request.method {
        case .patch: try await reviseMeterType(call)
        case .delete: try await retireMeterType(call)
        default: try await readMeterType(call)
        }
    }

    private func answerOnMeters(_ call: Call) async throws -> Answer {
        switch call.route {
        case .meters: return call.isRead ? try await listMeters(call) : try await enrol(call)
        case .meter: return call.isRead ? try await readMeter(call) : try await alterMeter(call)
        case .suspension: return try await change(call, .suspended)
        case .resumption: return try await change(call, .active)
        case .closure: return try await change(call, .closed)
        default: return try await listPeriods(call)
        }
    }

    private func answerOnCustomers(_ call: Call) async throws -> Answer {
        switch call.route {
        case .customers: return try await listCustomers(call)
        case .subjects: return try await listSubjects(call)
        case .statement: return try await readStatement(call)
        default: break
        }
        if call.isRead { return try await readCustomer(call) }
        if call.request.method == .put { return try await putCustomer(call) }
        return try await retireCustomer(call)
    }

    /// What the caller cannot mend is logged in full; what it is told names no paths.
    private func log(_ error: LedgerError, _ call: Call) {
        switch error.code {
        case .device, .corrupt, .full, .unavailable:
            var metadata: Logger.Metadata = [
                "code": "\(error.code.rawValue)", "route": "\(call.route.pattern)",
            ]
            if let cause = error.cause { metadata["cause"] = "\(String(reflecting: cause))" }
            logger.error("the ledger failed: \(error.message)", metadata: metadata)
        default: break
        }
    }
}
