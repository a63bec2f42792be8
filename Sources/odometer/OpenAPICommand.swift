import ArgumentParser
import Foundation
import HTTPAPI
import WireFormat

/// `odometer openapi`: the API, described.
struct OpenAPICommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "openapi",
        abstract: "Print the description of the API (OpenAPI 3.1), or render it as pages.",
        discussion: "A running server serves the same document at /openapi.json."
    )

    @Option(help: ArgumentHelp("Write Markdown pages into this directory.", valueName: "dir"))
    var render: String?

    func run() throws {
        guard let render else {
            let document = APIDescription.document.serialized(pretty: true)
            return Terminal.put(String(decoding: document, as: UTF8.self) + "\n")
        }
        let directory = URL(fileURLWithPath: render, isDirectory: true)
        do {
            try FileManager.default.createDirectory(
                at: directory,
                withIntermediateDirectories: true
            )
            for page in APIDescription.pages {
                try Data(page.text.utf8).write(to: directory.appending(path: page.name))
            }
        } catch {
            throw CommandFailure(.refused, "cannot write to \(render): \(Self.words(error))")
        }
    }

    private static func words(_ error: any Error) -> String {
        (error as NSError).localizedDescription
    }
}
