import ArgumentParser

/// The command line: one list of commands, each in a file of its own.
@main
struct Odometer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "odometer",
        abstract: "Meters usage: every event counted once, every number explained.",
        discussion: """
            Exit codes: 0 done; 1 the server refused; 2 the call was wrong; 3 the server cannot be \
            reached; 4 done, but some events were rejected or are in conflict; 5 something would \
            change, or did, where that was asked.
            """,
        subcommands: Self.commands
    )

    /// Add a command here, and nowhere else.
    static let commands: [any ParsableCommand.Type] = [
        ServeCommand.self, VerifyCommand.self, BackupCommand.self, RestoreCommand.self,
        DemoCommand.self, EvalCommand.self, IngestCommand.self, MeterTypesCommand.self,
        MetersCommand.self, CustomersCommand.self, UsageCommand.self, EventsCommand.self,
        QuarantineCommand.self, ValidationRulesCommand.self, EventTypesCommand.self,
        QuarantineCommand.self, RepairRulesCommand.self, ManifestsCommand.self,
        UnreadableCommand.self, RecordsCommand.self, CloseCommand.self, DestinationsCommand.self,
        DeliveriesCommand.self, ReconcileCommand.self, BooksCommand.self, AuditCommand.self,
        StatusCommand.self,
        ConfigCommand.self,
        ApplyCommand.self, ExportCommand.self, ExplainCommand.self, CorrectionsCommand.self,
        BackfillSetsCommand.self, DiffCommand.self,
        OpenAPICommand.self,
        CompletionsCommand.self,
    ]

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            failure.leave()
        } catch {
            leave(parsing: error)
        }
    }

    /// ArgumentParser leaves with 64 (`EX_USAGE`) where the call was wrong; ours is 2.
    private static func leave(parsing error: any Error) -> Never {
        let code = exitCode(for: error)
        guard code == .validationFailure else { exit(withError: error) }
        CommandFailure(.usage, fullMessage(for: error)).leave()
    }
}
