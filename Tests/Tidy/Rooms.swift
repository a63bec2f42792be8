/// Which rooms a room may enter: the table of design.md §3, with what this package needed to add.
struct Room {
    var name: String
    var ours: Set<String>
    var theirs: Set<String>

    static let libraries = [
        // The three pure rooms: the standard library and nothing else.
        Room(name: "UsageModel", ours: [], theirs: ["Synchronization"]),
        Room(name: "Metering", ours: ["UsageModel"], theirs: ["Synchronization"]),
        Room(name: "WireFormat", ours: ["UsageModel"], theirs: ["Synchronization"]),
        // The standard library, and RE2 behind a C header.
        Room(
            name: "Expressions",
            ours: ["UsageModel", "Metering", "WireFormat", "CRE2"],
            theirs: ["Synchronization"]
        ),
        Room(
            name: "Validation",
            ours: ["UsageModel", "WireFormat", "Expressions"],
            theirs: ["Synchronization"]
        ),
        Room(name: "Compression", ours: ["CZlib", "CZstd"], theirs: ["Synchronization"]),
        Room(
            name: "FileIntake",
            ours: ["UsageModel", "Metering"],
            theirs: ["Crypto", "Synchronization"]
        ),
        Room(
            name: "MeteringEngine",
            ours: ["UsageModel", "Metering", "WireFormat", "Expressions", "Validation"],
            theirs: [
                "Logging", "Metrics", "ServiceLifecycle", "FoundationEssentials", "Glibc",
                "Synchronization",
            ]
        ),
        Room(
            name: "SQLiteLedger",
            // WireFormat: docs/decisions/0009-ledger-decodes-its-blocks.md.
            ours: [
                "CPrefetch", "UsageModel", "Metering", "WireFormat", "MeteringEngine",
                "Compression",
            ],
            theirs: [
                "GRDB", "Crypto", "Logging", "Foundation", "FoundationEssentials", "Dispatch",
                "Glibc", "Synchronization",
            ]
        ),
        Room(
            name: "HTTPAPI",
            ours: ["UsageModel", "MeteringEngine", "WireFormat", "Compression"],
            theirs: [
                "Hummingbird", "HummingbirdCore", "HTTPTypes", "NIOCore", "NIOHTTPTypes",
                "NIOPosix",
                "Logging", "Metrics", "ServiceLifecycle", "FoundationEssentials", "Synchronization",
            ]
        ),
        Room(
            name: "Console",
            ours: ["UsageModel", "WireFormat", "Compression"],
            theirs: [
                "Hummingbird", "HummingbirdCore", "HTTPTypes", "NIOCore", "Mustache", "Crypto",
                "ServiceLifecycle", "Synchronization",
            ]
        ),
        Room(
            name: "BillingExport",
            ours: ["UsageModel", "MeteringEngine", "WireFormat", "Compression"],
            theirs: [
                "AsyncHTTPClient", "Crypto", "NIOCore", "NIOHTTP1", "NIOPosix",
                "FoundationEssentials", "Glibc", "Synchronization",
            ]
        ),
        Room(
            name: "MeteringTestKit",
            ours: ["UsageModel", "Metering", "WireFormat", "MeteringEngine"],
            theirs: ["Foundation", "FoundationEssentials", "Glibc", "Synchronization"]
        ),
    ]

    /// The one place of wiring: everything of ours but the test kit.
    static let executable = Room(
        name: "odometer",
        ours: [
            "CMalloc", "UsageModel", "Metering", "WireFormat", "Expressions", "Compression",
            "MeteringEngine", "FileIntake", "SQLiteLedger", "HTTPAPI", "BillingExport", "Console",
        ],
        theirs: [
            "ArgumentParser", "AsyncHTTPClient", "Yams", "Crypto", "Logging", "Metrics",
            "ServiceLifecycle", "UnixSignals", "Hummingbird", "HummingbirdCore", "HTTPTypes",
            "NIOCore",
            "NIOPosix", "NIOHTTP1", "Foundation", "FoundationEssentials", "Glibc",
            "Synchronization",
        ]
    )

    static let all = libraries + [executable]

    static func named(_ name: String) -> Room? { all.first { $0.name == name } }

    /// C libraries of which a target of ours is the face.
    static let libraryFaces: Set = ["CZlib", "CZstd", "CRE2", "CMalloc", "CPrefetch"]

    /// The C library goes by three names; a room that may enter one may enter all.
    static let namesOfTheCLibrary: Set = ["Glibc", "Musl", "Darwin"]

    /// Rooms in which no value may pass through a binary float.
    static let ofValues: Set = [
        "UsageModel", "Metering", "WireFormat", "Expressions", "Validation", "FileIntake",
        "MeteringEngine", "SQLiteLedger", "BillingExport", "Console",
    ]
}

/// Judges the imports of one file against the table.
func roomViolations(_ file: SwiftText) -> [Violation] {
    let found = imports(of: file)
    if file.top == "Tests" {
        return found.filter { $0.module == "XCTest" }.map {
            Violation(file.path, line: $0.line, "import of XCTest", remedy: "use Swift Testing")
        }
    }
    guard file.top == "Sources" else { return [] }
    guard let room = Room.named(file.room) else {
        let remedy = "add it to Tests/Tidy/Rooms.swift and to docs/internals/architecture.md"
        return [Violation(file.path, "a room that the table does not know", remedy: remedy)]
    }
    return found.compactMap { entry in
        if entry.isOpening {
            let remedy = "import plainly; Sources neither test nor re-export"
            return Violation(
                file.path,
                line: entry.line,
                "@testable or @_exported",
                remedy: remedy
            )
        }
        let isOurs = Room.named(entry.module) != nil || Room.libraryFaces.contains(entry.module)
        let module = Room.namesOfTheCLibrary.contains(entry.module) ? "Glibc" : entry.module
        if (isOurs ? room.ours : room.theirs).contains(module) { return nil }
        let allowed = (isOurs ? room.ours : room.theirs).sorted().joined(separator: ", ")
        return Violation(
            file.path,
            line: entry.line,
            "\(room.name) may not import \(entry.module)",
            remedy: "it may enter: \(allowed.isEmpty ? "nothing" : allowed)"
        )
    }
}

struct ImportLine: Hashable {
    var module: String
    var line: Int
    /// `@testable` or `@_exported`.
    var isOpening: Bool
}

func imports(of file: SwiftText) -> [ImportLine] {
    let kinds: Set = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
    return file.code.enumerated().compactMap { number, bytes in
        var words = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == ";" }
        guard let place = words.firstIndex(of: "import") else { return nil }
        let before = words[..<place]
        let access: Set<Substring> = ["public", "internal", "package", "private", "fileprivate"]
        guard before.allSatisfy({ $0.hasPrefix("@") || access.contains($0) }) else { return nil }
        words.removeFirst(place + 1)
        if let first = words.first, kinds.contains(String(first)) { words.removeFirst() }
        guard let module = words.first?.split(separator: ".").first else { return nil }
        let isOpening = before.contains("@testable") || before.contains("@_exported")
        return ImportLine(module: String(module), line: number + 1, isOpening: isOpening)
    }
}
