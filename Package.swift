// swift-tools-version: 6.2
import PackageDescription

/// The dialect every target speaks; declared once.
let dialect: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// A room: a library target of ours. Which rooms it may enter is design.md §3, held by
/// `Tests/Tidy`.
func room(
    _ name: String,
    _ dependencies: [Target.Dependency] = [],
    resources: [Resource] = []
) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        resources: resources,
        swiftSettings: dialect
    )
}

func tests(
    _ name: String,
    _ dependencies: [Target.Dependency],
    resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies,
        resources: resources,
        swiftSettings: dialect
    )
}

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(
    name: "ServiceLifecycle",
    package: "swift-service-lifecycle"
)
let unixSignals = Target.Dependency.product(
    name: "UnixSignals",
    package: "swift-service-lifecycle"
)
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(
    name: "HummingbirdTesting",
    package: "hummingbird"
)
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let arguments = Target.Dependency.product(
    name: "ArgumentParser",
    package: "swift-argument-parser"
)
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

let package = Package(
    name: "odometer",
    products: [
        .executable(name: "odometer", targets: ["odometer"]),
        // For Benchmarks/, a package of its own.
        .library(
            name: "OdometerRooms",
            targets: [
                "UsageModel", "Metering", "WireFormat", "Expressions", "Compression",
                "MeteringEngine", "SQLiteLedger",
            ]
        ),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CZlib",
            pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"])]
        ),
        .systemLibrary(
            name: "CZstd",
            pkgConfig: "libzstd",
            providers: [.apt(["libzstd-dev"])]
        ),
        // A header that Swift's Glibc module leaves out.
        .systemLibrary(name: "CMalloc"),
        // An instruction that Swift has no word for.
        .systemLibrary(name: "CPrefetch"),
        room("UsageModel"),
        room("Metering", ["UsageModel"]),
        room("WireFormat", ["UsageModel"]),
        // RE2 is C++; a shim gives it a plain C face.
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
        room("Expressions", ["UsageModel", "Metering", "WireFormat", "CRE2"]),
        room("Validation", ["UsageModel", "WireFormat", "Expressions"]),
        room("Compression", ["CZlib", "CZstd"]),
        room(
            "MeteringEngine",
            [
                "UsageModel", "Metering", "WireFormat", "Expressions", "Validation", logging,
                lifecycle,
            ]
        ),
        room("FileIntake", ["UsageModel", "Metering", crypto]),
        room(
            "SQLiteLedger",
            [
                "CPrefetch", "UsageModel", "Metering", "WireFormat", "MeteringEngine",
                "Compression", grdb, crypto, logging,
            ]
        ),
        room(
            "HTTPAPI",
            [
                "UsageModel", "WireFormat", "MeteringEngine", "Compression", hummingbird, nioCore,
                lifecycle, logging,
            ]
        ),
        room(
            "Console",
            [
                "UsageModel", "WireFormat", "Compression", hummingbird, mustache, nioCore,
                lifecycle, crypto,
            ],
            resources: [.embedInCode("Assets"), .embedInCode("Templates")]
        ),
        room(
            "BillingExport",
            [
                "UsageModel", "WireFormat", "MeteringEngine", "Compression", httpClient, nioCore,
                nioHTTP1, nioPosix, crypto,
            ]
        ),
        .executableTarget(
            name: "odometer",
            dependencies: [
                "CMalloc", "UsageModel", "Metering", "WireFormat", "Expressions", "Compression",
                "MeteringEngine", "SQLiteLedger", "HTTPAPI", "Console", "BillingExport",
                "FileIntake", arguments,
                httpClient, nioCore, nioHTTP1, yams, crypto, lifecycle, unixSignals, logging,
            ],
            swiftSettings: dialect
        ),
        room("MeteringTestKit", ["UsageModel", "Metering", "WireFormat", "MeteringEngine"]),
        tests("UsageModelTests", ["UsageModel", "MeteringTestKit"]),
        tests(
            "MeteringTests",
            ["UsageModel", "Metering", "MeteringTestKit"],
            resources: [.copy("Fixtures/zones.tsv"), .copy("Fixtures/calendars.tsv")]
        ),
        tests("WireFormatTests", ["UsageModel", "WireFormat", "MeteringTestKit"]),
        tests(
            "ExpressionsTests",
            ["UsageModel", "Metering", "WireFormat", "Expressions", "MeteringTestKit"]
        ),
        tests("ValidationTests", ["UsageModel", "WireFormat", "Validation", "MeteringTestKit"]),
        tests("CompressionTests", ["Compression"]),
        tests("FileIntakeTests", ["Metering", "FileIntake", "MeteringTestKit"]),
        tests(
            "OdometerTests",
            ["Metering", "WireFormat", "FileIntake", "odometer", arguments, yams, logging]
        ),
        tests(
            "MeteringEngineTests",
            ["UsageModel", "Metering", "WireFormat", "MeteringEngine", "MeteringTestKit"]
        ),
        tests(
            "SQLiteLedgerTests",
            [
                "UsageModel", "Metering", "WireFormat", "MeteringEngine", "SQLiteLedger",
                "MeteringTestKit", grdb, logging,
            ]
        ),
        tests(
            "HTTPAPITests",
            [
                "UsageModel", "WireFormat", "MeteringEngine", "SQLiteLedger", "HTTPAPI",
                "Compression", "MeteringTestKit", hummingbirdTesting,
            ]
        ),
        tests(
            "ConsoleTests",
            [
                "UsageModel", "WireFormat", "MeteringEngine", "SQLiteLedger", "HTTPAPI", "Console",
                "Compression", "MeteringTestKit", hummingbirdTesting,
            ]
        ),
        tests(
            "BillingExportTests",
            [
                "UsageModel", "WireFormat", "MeteringEngine", "Compression", "BillingExport",
                "MeteringTestKit", nioCore, nioPosix, nioHTTP1, crypto,
            ]
        ),
        tests("Tidy", []),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
