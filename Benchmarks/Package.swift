// swift-tools-version: 6.2
import PackageDescription

/// The dialect of the main package, so that code can move between the two.
let dialect: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

// A package of its own: nobody who builds Odometer resolves or builds a benchmark.
let package = Package(
    name: "odometer-benchmarks",
    targets: [
        .systemLibrary(
            name: "CPostgres",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"])]
        ),
        // Swift's Glibc module leaves this one header out.
        .systemLibrary(name: "CEpoll"),
        .executableTarget(
            name: "odometer-bench",
            dependencies: ["CEpoll", "CPostgres"],
            path: "Sources/OdometerBench",
            swiftSettings: dialect
        ),
    ],
    swiftLanguageModes: [.v6]
)
