/// What is where: one line a page.
enum ConsolePages {
    static let stack: [PageRoute] = [
        PageRoute("", OverviewPage.show),
        PageRoute("/you", OverviewPage.showYou, post: OverviewPage.keepYou),
    ]
}
