import Foundation
import Testing

/// The program as it is built, beside the tests.
struct Program {
    /// Where its commands look for a server; nil: wherever they look unless told.
    var server: String?

    struct Outcome {
        var code: Int32
        var output: String
        var words: String
    }

    static var executable: URL {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "odometer")
    }

    /// Runs a command to its end.
    func run(_ arguments: [String], input: String = "") throws -> Outcome {
        try Folder.with { folder in
            let process = Process()
            process.executableURL = Self.executable
            process.arguments = arguments
            var environment = ProcessInfo.processInfo.environment
            environment["ODOMETER_SERVER"] = server ?? "http://127.0.0.1:1"
            process.environment = environment
            // Files, so that no pipe fills up.
            let files = try ["input", "output", "words"].map { name in
                let file = folder.appending(path: name)
                try Data(name == "input" ? input.utf8 : "".utf8).write(to: file)
                return file
            }
            process.standardInput = try FileHandle(forReadingFrom: files[0])
            process.standardOutput = try FileHandle(forWritingTo: files[1])
            process.standardError = try FileHandle(forWritingTo: files[2])
            try process.run()
            process.waitUntilExit()
            return Outcome(
                code: process.terminationStatus,
                output: try String(contentsOf: files[1], encoding: .utf8),
                words: try String(contentsOf: files[2], encoding: .utf8)
            )
        }
    }

    /// A server on an empty directory, for as long as the work takes.
    static func serving(_ work: (Program, _ folder: URL) throws -> Void) throws {
        try Folder.with { folder in
            let process = Process()
            process.executableURL = executable
            let data = folder.appending(path: "data").path
            process.arguments = ["serve", "--data", data, "--listen", "127.0.0.1:0"]
            let log = Pipe()
            process.standardError = log
            process.standardOutput = log
            try process.run()
            defer {
                process.terminate()
                process.waitUntilExit()
            }
            var said = ""
            let port = /listening on 127\.0\.0\.1:([0-9]+)/
            while said.firstMatch(of: port) == nil {
                let piece = log.fileHandleForReading.availableData
                try #require(!piece.isEmpty, "the server ended: \(said)")
                said += String(decoding: piece, as: UTF8.self)
            }
            let found = try #require(said.firstMatch(of: port))
            try work(Program(server: "http://127.0.0.1:\(found.output.1)"), folder)
        }
    }
}

/// A directory that is gone afterwards.
enum Folder {
    static func with<Value>(_ work: (URL) throws -> Value) throws -> Value {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "odometer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try work(folder)
    }
}
