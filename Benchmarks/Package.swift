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
    dependencies: [
        .package(name: "odometer", path: ".."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .systemLibrary(
            name: "CPostgres",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"])]
        ),
        // Swift's Glibc module leaves these headers out.
        .systemLibrary(name: "CEpoll"),
        .executableTarget(
            name: "odometer-bench",
            dependencies: [
                "CEpoll", "CPostgres",
                .product(name: "OdometerRooms", package: "odometer"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/OdometerBench",
            swiftSettings: dialect
        ),
    ],
    swiftLanguageModes: [.v6]
)
