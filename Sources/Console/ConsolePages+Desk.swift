extension ConsolePages {
    /// The pages of work: events, quarantine, corrections, records, deliveries, audit.
    static let desk: [PageRoute] = []
}

extension Printer {
    /// Their templates.
    static let deskFiles: [(name: String, bytes: [UInt8])] = []
}
