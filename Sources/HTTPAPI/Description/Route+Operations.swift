import HTTPTypes

/// What each address does. A route without a description does not compile; one that describes
/// nothing takes no method, and fails the tests.
extension Route {
    /// The calls of the address, `GET` first. `HEAD` goes wherever `GET` goes.
    var operations: [Operation] {
        switch self {
        case .events: [.listEvents, .recordEvents]
        case .event: [.readEvent]
        case .meterTypes: [.listMeterTypes, .createMeterType]
        case .meterType: [.readMeterType, .reviseMeterType, .retireMeterType]
        case .versions: [.listVersions]
        case .backfill: [.cancelBackfill]
        case .backfills: [.listBackfills]
        case .preview: [.previewMeterType]
        case .meters: [.listMeters, .enrolMeters]
        case .meter: [.readMeter, .alterMeter]
        case .periods: [.listPeriods]
        case .suspension: [.suspendMeter]
        case .resumption: [.resumeMeter]
        case .closure: [.closeMeter]
        case .customers: [.listCustomers]
        case .customer: [.readCustomer, .putCustomer, .retireCustomer]
        case .statement: [.readStatement]
        case .subjects: [.listSubjects]
        case .usage: [.readUsage]
        case .difference: [.explainDifference]
        case .unreadable: [.listUnreadable]
        case .quarantine, .quarantineGroups, .quarantineItem, .quarantineRelease,
            .quarantineDiscard, .quarantineReopening, .quarantineActions, .quarantineAction,
            .quarantineCancelling:
            quarantineOperations
        case .repairRules, .repairRule, .manifests, .manifest: repairOperations
        case .reconciliation: [.readBooks]
        case .records: [.listRecords, .makeRecords]
        case .record: [.readRecord]
        case .recordEvents: [.listRecordEvents]
        case .recordSchema: [.readRecordSchema]
        case .destinations: [.listDestinations]
        case .destination: [.readDestination, .putDestination, .retireDestination]
        case .destinationPause: [.pauseDestination]
        case .destinationResumption: [.resumeDestination]
        case .destinationTest: [.testDestination]
        case .destinationBooks: [.readDestinationBooks]
        case .deliveries: [.listDeliveries]
        case .delivery: [.readDelivery]
        case .resending: [.resendDeliveries]
        case .corrections: [.listCorrections, .correct]
        case .correction: [.readCorrection]
        case .correctedEvents: [.listCorrected]
        case .backfillSets, .backfillSet, .backfillSetEvents, .backfillSetClose,
            .backfillSetRevert:
            setOperations
        case .validationRules, .validationRule, .ruleVersions, .ruleTrial, .eventTypes, .eventType:
            validationOperations
        case .audit: [.listAudit]
        case .status: [.readStatus]
        case .health: [.readHealth]
        case .readiness: [.readReadiness]
        case .metrics: [.readMetrics]
        case .problem: [.readProblem]
        case .description: [.readDescription]
        case .none: []
        }
    }

    private var quarantineOperations: [Operation] {
        switch self {
        case .quarantineGroups: [.listQuarantineGroups]
        case .quarantineItem: [.readQuarantined, .editQuarantined]
        case .quarantineRelease: [.releaseQuarantined]
        case .quarantineDiscard: [.discardQuarantined]
        case .quarantineReopening: [.reopenQuarantined]
        case .quarantineActions: [.startQuarantineAction]
        case .quarantineAction: [.readQuarantineAction]
        case .quarantineCancelling: [.cancelQuarantineAction]
        default: [.listQuarantine]
        }
    }

    private var setOperations: [Operation] {
        switch self {
        case .backfillSetEvents: [.recordIntoBackfillSet]
        case .backfillSetClose: [.closeBackfillSet]
        case .backfillSetRevert: [.revertBackfillSet]
        case .backfillSets: [.listBackfillSets, .openBackfillSet]
        default: [.readBackfillSet]
        }
    }

    /// The methods an address takes. Asked for with every call, so made once.
    private static let methods: [Route: [HTTPRequest.Method]] = of { route in
        route.operations.flatMap { $0.method == .get ? [.get, .head] : [$0.method] }
    }

    var methods: [HTTPRequest.Method] { Self.methods[self] ?? [] }

    private static let audited: [Route: [HTTPRequest.Method]] = of { route in
        route.operations.filter(\.isAudited).map(\.method)
    }

    private static func of<Value>(_ body: (Route) -> Value) -> [Route: Value] {
        Dictionary(uniqueKeysWithValues: allCases.map { ($0, body($0)) })
    }

    /// Whether a call leaves an entry in the audit trail, where it changes something.
    func isAudited(_ method: HTTPRequest.Method) -> Bool {
        Self.audited[self]?.contains(method) ?? false
    }

    /// What `Allow` lists.
    var allowed: String { methods.map(\.rawValue).joined(separator: ", ") }

    func allows(_ method: HTTPRequest.Method) -> Bool { methods.contains(method) }
}
