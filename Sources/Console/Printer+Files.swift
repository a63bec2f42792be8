extension Printer {
    /// What is in `Templates/`, by the names that pages and partials go by.
    static let stackFiles: [(name: String, bytes: [UInt8])] = [
        ("layout", PackageResources.layout_mustache),
        ("refused", PackageResources.refused_mustache),
        ("failed", PackageResources.failed_mustache),
        ("csrf", PackageResources.csrf_mustache),
        ("author", PackageResources.author_mustache),
        ("reason", PackageResources.reason_mustache),
        ("q", PackageResources.q_mustache),
        ("t", PackageResources.t_mustache),
        ("option", PackageResources.option_mustache),
        ("pager", PackageResources.pager_mustache),
        ("call", PackageResources.call_mustache),
        ("overview", PackageResources.overview_mustache),
        ("overview-empty", PackageResources.overview_empty_mustache),
        ("you", PackageResources.you_mustache),
    ]
}
