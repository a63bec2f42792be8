import ArgumentParser
import Foundation

/// `odometer customers statement`: what one used, as a page to print.
struct CustomersStatement: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "statement",
        abstract: "Make a statement of a customer's usage records: an HTML page to print.",
        discussion: """
              odometer customers statement acme --from 2026-11-01T00:00:00+01:00 \\
                --to 2026-12-01T00:00:00+01:00 --out acme-2026-11.html

            It shows the periods that end after --from and not after --to.
            """
    )

    @Argument(help: "Key of the customer.") var key: String
    @Option(help: "Periods that end after this, RFC 3339.") var from: String
    @Option(help: "Periods that end at this or before, RFC 3339.") var to: String
    @Option(help: ArgumentHelp("Write it into this file.", valueName: "file")) var out: String?
    @OptionGroup var server: ServerFlags

    func run() async throws {
        try await ServerConnection.open(server) { server in
            let path = "/v1/customers/\(ServerConnection.segment(key))/statement"
            let got = try await server.ask(
                .get,
                path,
                query: [("from", from), ("to", to)],
                accept: "text/html"
            )
            guard let out else { return Terminal.put(got) }
            do {
                try Data(got.bytes).write(to: URL(fileURLWithPath: out), options: .atomic)
            } catch {
                let words = (error as NSError).localizedDescription
                throw CommandFailure(.refused, "cannot write to \(out): \(words)")
            }
        }
    }
}
