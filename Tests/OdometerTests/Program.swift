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
            // Files, so that no pipe fills up.
            let files = try ["input", "output", "words"].map { name in
                let file = folder.appending(path: name)
                try Data(name == "input" ? input.utf8 : "".utf8).write(to: file)
                return file
            }
            let streams = files.map { unsafe open($0.path, O_RDWR | O_APPEND | O_CLOEXEC) }
            defer { for stream in streams { close(stream) } }
            let child = try Child(
                Self.executable.path,
                arguments,
                server: server ?? "http://127.0.0.1:1",
                streams: streams
            )
            return Outcome(
                code: child.wait(),
                output: try String(contentsOf: files[1], encoding: .utf8),
                words: try String(contentsOf: files[2], encoding: .utf8)
            )
        }
    }

    /// A server on an empty directory, for as long as the work takes.
    static func serving(_ work: (Program, _ folder: URL) throws -> Void) throws {
        try Folder.with { folder in
            let data = folder.appending(path: "data").path
            let log = Pipe()
            let end = log.fileHandleForWriting.fileDescriptor
            let child = try Child(
                executable.path,
                ["serve", "--data", data, "--listen", "127.0.0.1:0"],
                server: "",
                streams: [end, end, end]
            )
            try log.fileHandleForWriting.close()
            defer {
                kill(child.id, SIGTERM)
                _ = child.wait()
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

/// A process of its own.
///
/// Not Foundation's: that walks all descriptors of this process, which other tests open and close
/// meanwhile, and now and then it takes the whole run of tests with it.
struct Child {
    let id: pid_t

    /// - Parameter streams: Its standard input, output and error.
    init(_ path: String, _ arguments: [String], server: String, streams: [Int32]) throws {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (target, stream) in streams.enumerated() {
            unsafe posix_spawn_file_actions_adddup2(&actions, stream, Int32(target))
        }
        var environment = ProcessInfo.processInfo.environment
        environment["ODOMETER_SERVER"] = server.isEmpty ? nil : server
        var words = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        var settings = unsafe environment.map { unsafe strdup("\($0)=\($1)") } + [nil]
        defer { unsafe (words + settings).forEach { unsafe free($0) } }
        var id: pid_t = 0
        let fault = unsafe posix_spawn(&id, path, &actions, nil, &words, &settings)
        try #require(fault == 0, "cannot start \(path): \(fault)")
        self.id = id
    }

    /// Its exit code; 128 and the signal where one ended it.
    func wait() -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(id, &status, 0) == -1, errno == EINTR {}
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
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
