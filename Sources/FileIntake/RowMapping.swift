public import Metering

/// How rows become events: what each attribute of an event is taken from.
public struct RowMapping: Sendable {
    /// Where an attribute comes from.
    public enum Term: Hashable, Sendable {
        /// The same for every row.
        case text(String)
        /// A column by its name in the first line, or by its number (`#1` is the first).
        case column(String)
    }

    /// One member of an event's `data`.
    public struct Member: Hashable, Sendable {
        public var name: String
        public var column: String

        public init(name: String, column: String) { (self.name, self.column) = (name, column) }
    }

    /// The source of events whose rows name none, where no other is said.
    public static let defaultSource = "odometer-ingest"

    public var source: Term?
    public var type: Term?
    public var subject: Term?
    /// nil: rows have no id of their own, see ``RowKey``.
    public var id: String?
    /// nil: events have no time of their own; the server takes their arrival.
    public var time: String?
    public var timeFormat: TimeFormat?
    public var zone: TimeZoneRules?
    /// What `unix…` times count from.
    public var epoch: String?
    /// Empty: all columns that are not used otherwise.
    public var data: [Member] = []
    /// Columns that stay texts even where they look like numbers.
    public var text: [String] = []
    /// The names of the columns where the file has no first line that names them.
    public var columns: [String]?
    /// The character between fields, where the format has one.
    public var delimiter: UInt8?
    /// Whether JSON values are records to be mapped like rows of a table, not events.
    public var isRecords = false

    public init() {}

    /// Whether anything asks for a column: then JSON values are records.
    public var namesColumns: Bool {
        let terms = [source, type, subject].contains { term in
            if case .column = term { true } else { false }
        }
        return terms || id != nil || time != nil || !data.isEmpty || !text.isEmpty
    }

    /// - Throws: ``IntakeFault`` for the first thing that is missing or does not go together.
    func check(for format: FileFormat) throws(IntakeFault) {
        guard type != nil else {
            throw IntakeFault("say the type of the events: --type TYPE or --type-column COLUMN")
        }
        guard subject != nil else {
            throw IntakeFault(
                "say whose usage it is: --subject COLUMN, or --subject-text SUBJECT for all rows"
            )
        }
        guard id == nil || source != nil else {
            throw IntakeFault(
                "an id is unique within its source: name the source of the ids with --source"
            )
        }
        guard time != nil || (timeFormat == nil && epoch == nil) else {
            throw IntakeFault("a time format goes with a time column: --time COLUMN")
        }
        guard columns == nil || format == .csv || format == .tsv else {
            throw IntakeFault("only CSV and TSV files have columns to be named")
        }
    }

    func timeReader() throws(IntakeFault) -> TimeReader {
        try TimeReader(format: timeFormat ?? .rfc3339, zone: zone, epoch: epoch)
    }

    /// What tells this use of a file from another, for ids.
    var seed: [String] {
        func spelled(_ term: Term?) -> String {
            switch term {
            case nil: ""
            case .text(let text): "text \(text)"
            case .column(let column): "column \(column)"
            }
        }
        return [spelled(source), spelled(type), spelled(subject)]
    }
}
