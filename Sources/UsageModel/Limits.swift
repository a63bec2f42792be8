/// The limits of the wire, in one place. `docs/limits.md` is this table for readers.
public enum Limits {
    /// The longest `source` or `id` of an event, in UTF-8 bytes after unescaping.
    public static let keyFieldBytesMax = 256
    /// The longest `type` of an event, in UTF-8 bytes.
    public static let eventTypeBytesMax = 256
    /// The longest `subject` of an event, in UTF-8 bytes.
    public static let subjectBytesMax = 256
    /// The largest single event as received, in bytes.
    public static let eventBytesMax = 256 * 1024
    /// The deepest nesting of arrays and objects in an event, the event itself being 1.
    public static let eventDepthMax = 64
    /// The longest number, in bytes.
    public static let numberBytesMax = 128
    /// The largest decimal exponent of a number, either sign.
    public static let numberExponentMax = 999
    /// The most members of one object in an event.
    public static let objectMembersMax = 4_096
    /// The most events of one call.
    public static let batchEventsMax = 100_000
    /// The largest body of one call, in bytes, as sent and also when unpacked.
    public static let bodyBytesMax = 64 * 1024 * 1024
    /// The most bytes of calls that wait to be committed; a call that finds the queue empty enters.
    public static let queueBytesMax = 192 * 1024 * 1024
    /// The most calls that wait to be committed.
    public static let queueCallsMax = 10_000
    /// The most further names by which a server is asked.
    public static let allowedHostsMax = 32
    /// The longest of them, in bytes.
    public static let hostNameBytesMax = 253
    /// The largest form that a page of the Console takes, in bytes.
    public static let formBytesMax = 1024 * 1024
    /// The most live streams that pages of the Console listen to.
    public static let liveStreamsMax = 64
    /// Positions of the log that one call of `GET /v1/events?after=` looks at.
    public static let eventsFollowedMax = 10_000
    /// Positions that a live tail may lie behind; of more it passes the older ones over, and says
    /// so.
    public static let liveBehindMax = 10_000
    /// The most dimensions of one meter type.
    public static let dimensionsMax = 16
    /// The longest value of a dimension, in UTF-8 bytes; longer makes the value unreadable.
    public static let dimensionValueBytesMax = 256
    /// The most meter types that are not retired.
    public static let meterTypesMax = 1_000
    /// The most versions of one meter type.
    public static let meterTypeVersionsMax = 100
    /// The most events that a preview looks at.
    public static let previewEventsMax = 10_000_000
    /// The most events that a preview of the newest ones is made of.
    public static let previewNewestMax = 1_000
    /// The most blocks that are unpacked for the newest events of some event types.
    public static let previewBlocksMax = 256
    /// The most blocks of which it is looked up whether they may hold such events.
    public static let previewSummariesMax = 10_000
    /// The most subjects of a preview, of the draft and of the live meter type.
    public static let previewSubjectsMax = 100_000
    /// The most states and unique elements that a preview holds.
    public static let previewStatesMax = 2_000_000
    /// The most differences that a preview lists.
    public static let previewDifferencesMax = 100
    /// The most names and rollup cells that one page of a list of meters looks at.
    public static let meterStepsMax = 1_000_000
    /// The most rows of a meter by its dimensions.
    public static let meterDimensionRowsMax = 100
    /// The most questions for events by which one edge of a meter's time is looked for.
    public static let meterEdgeRoundsMax = 12
    /// The most blocks that are unpacked for one of these questions.
    public static let meterEdgeBlocksMax = 64
    /// The most meters of one call that enrols them.
    public static let enrolmentsPerCallMax = 100_000
    /// The most meters that are enrolled, suspended or closed by hand, closed ones included.
    public static let enrolmentsMax = 1_000_000
    /// The most changes of one meter: dates, notes, suspensions.
    public static let meterChangesMax = 1_000
    /// The most events that one correction changes.
    public static let correctionEventsMax = 1_000_000
    /// The most events that one correction names by their keys.
    public static let correctionKeysMax = 10_000
    /// The most backfill sets.
    public static let backfillSetsMax = 10_000
    /// The most events of one backfill set.
    public static let backfillSetEventsMax = 10_000_000
    /// The most meters of which the preview of a correction tells what becomes of them.
    public static let correctionPreviewMetersMax = 100
    /// The most corrections and versions between two states of knowledge that are compared.
    public static let differenceStepsMax = 100
    /// The longest reason of a change, in UTF-8 bytes.
    public static let reasonBytesMax = 1_024
    /// The longest name of who makes a change, as the caller tells it, in UTF-8 bytes.
    public static let authorBytesMax = 256
    /// The longest name of a calling program that the audit trail keeps, in UTF-8 bytes.
    public static let auditClientBytesMax = 256
    /// The most bytes of documents in one page of the audit trail; one entry is told whole.
    public static let auditPageBytesMax = 8 * 1024 * 1024
    /// The longest key of a customer, in bytes.
    public static let customerKeyBytesMax = 128
    /// The most customers, retired ones included.
    public static let customersMax = 100_000
    /// The most bytes of customers that one page of a search looks at.
    public static let customerSearchBytesMax = 32 * 1024 * 1024
    /// The most subjects of one customer, each with a stretch of time.
    public static let customerSubjectsMax = 10_000
    /// The most things that the answer lists which use what was retired.
    public static let usersShownMax = 100
    /// The most rows by dimensions of one usage record.
    public static let recordPartsMax = 1_000
    /// The most usage records that are read for one statement.
    public static let statementRecordsMax = 10_000
    /// The longest grace period, in days.
    public static let graceDaysMax = 366
    /// The most destinations, retired ones included.
    public static let destinationsMax = 1_000
    /// The most records that are sent together.
    public static let deliveryBatchMax = 10_000
    /// The most sendings of one destination that are under way at one time.
    public static let deliveryConcurrencyMax = 64
    /// The most sendings in a second that a pace may say.
    public static let deliveryRateMax = 10_000
    /// The most tries of one sending.
    public static let deliveryAttemptsMax = 100
    /// The most tries of one sending of which it is kept how they went.
    public static let deliveryAttemptsKeptMax = 100
    /// The most tries of one sending, the newest ones, of which it is kept what they sent.
    public static let deliveryTriesToldMax = 3
    /// The most requests of one try that are kept, the last ones.
    public static let deliveryRequestsKeptMax = 5
    /// How far back, in deliveries of one destination, it is kept how those went that were taken at
    /// the first try.
    public static let deliveryPlainTriesKeptMax = 10_000
    /// The longest wait between two tries, for an answer, or for a batch to fill, in days.
    public static let deliveryWaitDaysMax = 7
    /// The most rows, of meter types and periods, in the books of one destination.
    public static let deliveryBooksMax = 10_000
    /// The most records that one call names to be sent again.
    public static let resendRecordsMax = 1_000
    /// The most secrets of one webhook.
    public static let webhookSecretsMax = 8
    /// The longest address of a destination, in bytes.
    public static let urlBytesMax = 2_048
    /// The longest template, in bytes.
    public static let templateBytesMax = 64 * 1024
    /// The most of an answer that is read, in bytes.
    public static let outletAnswerBytesMax = 64 * 1024
    /// The most fields of events that a record carries.
    public static let carriedFieldsMax = 16
    /// The longest name of one, in UTF-8 bytes.
    public static let carriedFieldNameBytesMax = 64
    /// The longest value of one, in UTF-8 bytes; what is longer is left out.
    public static let carriedFieldBytesMax = 1_024
    /// The most meters of a customer that are closed by one call.
    public static let closedTogetherMax = 1_000
    /// The most interim records of one period of a meter.
    public static let interimRecordsMax = 1_000
    /// The longest time that late events count after the close, in days.
    public static let lateDaysMax = 36_600
    /// The most thresholds of one meter type.
    public static let thresholdsMax = 20
    /// The longest name of a threshold, in UTF-8 bytes.
    public static let thresholdNameBytesMax = 64
    /// The most units of a reset schedule in one period.
    public static let resetIntervalMax = 10_000
    /// The longest cron expression, in UTF-8 bytes.
    public static let cronBytesMax = 256
    /// The longest text that items of the quarantine are searched for, in UTF-8 bytes.
    public static let quarantineTextBytesMax = 1_024
    /// The most items of the quarantine that one commit of an action changes.
    public static let quarantinePageItemsMax = 500
    /// The most bytes of events of one such page; one item more may take it over.
    public static let quarantinePageBytesMax = 8 * 1024 * 1024
    /// The most places that a repair sets, and as many that it removes.
    public static let repairPlacesMax = 100
    /// The most actions on the quarantine that are not done.
    public static let quarantineActionsMax = 100
    /// The most validation rules that are not retired.
    public static let validationRulesMax = 1_000
    /// The most versions of one validation rule.
    public static let validationRuleVersionsMax = 1_000
    /// The longest message of a validation rule, in UTF-8 bytes.
    public static let ruleMessageBytesMax = 1_024
    /// The most places that one rule requires.
    public static let rulePathsMax = 100
    /// The most subjects that one rule lists.
    public static let ruleSubjectsMax = 10_000
    /// The most stored events that a rule is tried on.
    public static let ruleTrialEventsMax = 100_000
    /// The most samples of events that would fail.
    public static let ruleTrialSamplesMax = 100
    /// The longest JSON Schema, in bytes without spaces.
    public static let schemaBytesMax = 64 * 1024
    /// The most schemas in one document, those within others included.
    public static let schemaNodesMax = 1_000
    /// The most schemas that are asked about one event.
    public static let schemaStepsMax = 100_000
    /// The most schemas within one another that are asked about one event.
    public static let schemaDepthMax = 256
    /// The most significant digits of a `multipleOf`, and digits of a count.
    public static let schemaDivisorDigitsMax = 18
    /// The most stored events that are read for the fields of an event type.
    public static let catalogueEventsMax = 10_000
    /// The most fields that are told of one event type.
    public static let catalogueFieldsMax = 1_000
    /// The longest example of a field, in bytes of JSON; a longer one is left out.
    public static let catalogueExampleBytesMax = 256
    /// The most repair rules, those that are off included.
    public static let repairRulesMax = 100
    /// The most settled items of the quarantine whose bytes one commit of retention drops.
    public static let quarantineDropItemsMax = 1_000
    /// The most events in the blocks that one comparison of a manifest looks at.
    public static let manifestEventsMax = 10_000_000
    /// The most open items of a source that one comparison of a manifest looks at.
    public static let manifestItemsMax = 100_000
    /// The most elements of an array that one event may add to a unique count.
    public static let uniqueElementsPerEventMax = 10_000
    /// The most decimal places of a percentile, such as the 3 of `99.995`.
    public static let percentilePlacesMax = 6
    /// The deepest path, in steps.
    public static let pathStepsMax = 32
    /// The longest expression, in bytes.
    public static let expressionBytesMax = 4_096
    /// The most parts of an expression: literals, paths, operations.
    public static let expressionNodesMax = 500
    /// The deepest nesting of an expression.
    public static let expressionDepthMax = 64
    /// The most elements of a list `[a, b]` in an expression.
    public static let expressionListMax = 200
    /// The longest text that an expression computes, in bytes.
    public static let expressionTextBytesMax = 64 * 1024
    /// The longest pattern of `matches`, in bytes.
    public static let patternBytesMax = 512
    /// The most memory that one pattern takes, in bytes; one that needs more is refused.
    public static let patternMemoryBytesMax = 1024 * 1024
}
