/// What is where: one line a page.
enum ConsolePages {
    static let stack: [PageRoute] = [
        PageRoute("", OverviewPage.show),
        PageRoute("/meters", MetersPage.show),
        PageRoute("/meters/{id}", MeterPage.show),
        PageRoute("/search", SearchPage.answer),
        PageRoute("/search-page", SearchPage.show),
        PageRoute("/live", LivePage.show),
        PageRoute("/you", OverviewPage.showYou, post: OverviewPage.keepYou),
    ]
}
