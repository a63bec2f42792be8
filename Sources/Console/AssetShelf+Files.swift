extension AssetShelf {
    /// What is in `Assets/`: a file that is not named here is not served.
    static let files: [(name: String, bytes: [UInt8])] = [
        ("console.css", PackageResources.console_css),
        ("console.js", PackageResources.console_js),
        ("icon.svg", PackageResources.icon_svg),
    ]
}
