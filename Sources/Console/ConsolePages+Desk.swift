extension ConsolePages {
    /// The pages of work: events, quarantine, corrections, records, deliveries, audit.
    static let desk: [PageRoute] = [
        work("/events") { await $0.events() },
        work("/events/{source}/{id}") { await $0.event() },

        work("/quarantine") { await $0.quarantineGroups() },
        work("/quarantine/items") { await $0.quarantineItems() },
        work("/quarantine/items/{id}", post: { await $0.changeItem() }) {
            await $0.quarantineItem()
        },
        work("/quarantine/actions/new", post: { await $0.startAction() }) {
            await $0.draftAction()
        },
        work("/quarantine/actions/{id}", post: { await $0.cancelAction() }) {
            await $0.quarantineAction()
        },

        work("/corrections") { await $0.corrections() },
        work("/corrections/new", post: { await $0.makeCorrection() }) {
            await $0.draftCorrection()
        },
        work("/corrections/{id}") { await $0.correction() },
        work("/backfill-sets", post: { await $0.openSet() }) { await $0.backfillSets() },
        work("/backfill-sets/{id}", post: { await $0.changeSet() }) { await $0.backfillSet() },

        work("/records") { await $0.records() },
        work("/records/{id}") { await $0.record() },
        work("/destinations") { await $0.destinations() },
        work("/destinations/new", post: { await $0.makeDestination() }) {
            await $0.draftDestination()
        },
        work("/destinations/{key}", post: { await $0.changeDestination() }) {
            await $0.destination()
        },
        work("/deliveries", post: { await $0.resendFailed() }) { await $0.deliveries() },
        work("/deliveries/{destination}/{number}", post: { await $0.resend() }) {
            await $0.delivery()
        },

        work("/audit") { await $0.audit() },
        work("/audit/{number}") { await $0.auditEntry() },
    ]

    private typealias Work = @Sendable (Desk) async -> Desk.Answer

    private static func work(
        _ path: String,
        post: Work? = nil,
        _ get: @escaping Work
    ) -> PageRoute {
        let names = path.split(separator: "/").filter { $0.hasPrefix("{") }
            .map { String($0.dropFirst().dropLast()) }
        func answering(_ work: @escaping Work) -> PageRoute.Answering {
            { visit in await work(Desk(visit, names)).reply }
        }
        return PageRoute(path, answering(get), post: post.map(answering))
    }
}

extension Printer {
    /// Their templates.
    static let deskFiles: [(name: String, bytes: [UInt8])] = [
        ("sheet", PackageResources.sheet_mustache),
        ("pieces", PackageResources.pieces_mustache),
        ("piece-cell", PackageResources.piece_cell_mustache),
        ("piece-field", PackageResources.piece_field_mustache),
        ("piece-form", PackageResources.piece_form_mustache),
        ("piece-lines", PackageResources.piece_lines_mustache),
        ("piece-notice", PackageResources.piece_notice_mustache),
        ("piece-table", PackageResources.piece_table_mustache),
        ("piece-toolbar", PackageResources.piece_toolbar_mustache),
        ("piece-way", PackageResources.piece_way_mustache),
    ]
}
