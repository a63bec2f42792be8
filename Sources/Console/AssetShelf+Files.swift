extension AssetShelf {
    /// What is in `Assets/`: a file that is not named here is not served.
    static let files: [(name: String, bytes: [UInt8])] = [
        ("console.css", PackageResources.console_css),
        ("builder.js", PackageResources.builder_js),
        ("chart.js", PackageResources.chart_js),
        ("console.js", PackageResources.console_js),
        ("copy.js", PackageResources.copy_js),
        ("element.js", PackageResources.element_js),
        ("filter.js", PackageResources.filter_js),
        ("json.js", PackageResources.json_js),
        ("keys.js", PackageResources.keys_js),
        ("live.js", PackageResources.live_js),
        ("palette.js", PackageResources.palette_js),
        ("times.js", PackageResources.times_js),
        ("icon.svg", PackageResources.icon_svg),
    ]
}
