import ArgumentParser
import FileIntake
import Foundation
import MeteringEngine

/// How rows become events, by flags or a mapping file. A flag beats the file.
struct MappingFlags: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How the files are written; by their names if not said.",
            valueName: "ndjson|json|csv|tsv|access-log"
        )
    )
    var format: String?

    @Option(
        help: "Mapping file (YAML): the flags below by their names, `data` as name: column.",
        completion: .file(extensions: ["yaml", "yml"])
    )
    var mapping: String?

    @Option(help: "Source of all events; \(RowMapping.defaultSource) if not said.")
    var source: String?

    @Option(help: ArgumentHelp("Column of the source.", valueName: "column"))
    var sourceColumn: String?

    @Option(help: "Type of all events.")
    var type: String?

    @Option(help: ArgumentHelp("Column of the type.", valueName: "column"))
    var typeColumn: String?

    @Option(help: ArgumentHelp("Column of the subject.", valueName: "column"))
    var subject: String?

    @Option(help: ArgumentHelp("Subject of all events.", valueName: "subject"))
    var subjectText: String?

    @Option(
        help: ArgumentHelp(
            "Column of the id. Without, a row's id follows from the rows up to it.",
            valueName: "column"
        )
    )
    var id: String?

    @Option(
        help: ArgumentHelp("Column of the time. Without, arrival counts.", valueName: "column")
    )
    var time: String?

    @Option(
        help: ArgumentHelp(
            "rfc3339 (default), unix, unix-ms, unix-us, unix-ns, or as \"%Y-%m-%d %H:%M:%S.%f\".",
            valueName: "format"
        )
    )
    var timeFormat: String?

    @Option(help: ArgumentHelp("Zone of times that say no offset.", valueName: "zone"))
    var timezone: String?

    @Option(
        help: ArgumentHelp("What unix times count from, if not 1970.", valueName: "rfc3339")
    )
    var timeEpoch: String?

    @Option(
        help: ArgumentHelp(
            "A member of `data`; may repeat. Without, all columns not used otherwise.",
            valueName: "name=column"
        )
    )
    var data: [String] = []

    @Option(
        help: ArgumentHelp(
            "A column that stays text where it looks like a number; may repeat.",
            valueName: "column"
        )
    )
    var text: [String] = []

    @Option(
        help: ArgumentHelp(
            "Names of the columns of a file whose first line is a row, with commas.",
            valueName: "a,b,…"
        )
    )
    var columns: String?

    @Option(help: ArgumentHelp("Character between fields.", valueName: "character"))
    var delimiter: String?

    @Flag(help: "JSON objects are records to be mapped, not events.")
    var records = false

    /// - Throws: ``CommandFailure`` with ``CommandCode/usage``, naming the flag or key at fault.
    func resolved() throws(CommandFailure) -> (format: FileFormat?, mapping: RowMapping) {
        do {
            let words = try MappingWords(flags: self)
            return (try words.format, try words.mapping())
        } catch {
            throw CommandFailure(.usage, "\(error)")
        }
    }
}
