/// What is where: one line a page.
enum ConsolePages {
    static let stack: [PageRoute] = [
        PageRoute("", OverviewPage.show),
        PageRoute("/meters", MetersPage.show),
        PageRoute("/meters/new", MeterEnrolPage.show, post: MeterEnrolPage.enrol),
        PageRoute("/meters/{id}", MeterPage.show),
        PageRoute(
            "/meters/{id}/standing",
            MeterStandingPage.show,
            post: MeterStandingPage.change
        ),
        PageRoute("/meter-types", MeterTypesPage.show),
        PageRoute("/meter-types/new", MeterTypePage.showNew, post: MeterTypePage.make),
        PageRoute("/meter-types/preview", MeterTypePage.showNew, post: MeterTypePage.preview),
        PageRoute("/meter-types/{key}", MeterTypePage.show, post: MeterTypePage.change),
        PageRoute("/customers", CustomersPage.show, post: CustomersPage.make),
        PageRoute("/customers/{key}", CustomerPage.show, post: CustomerPage.change),
        PageRoute("/customers/{key}/statement", CustomerPage.statement),
        PageRoute("/search", SearchPage.answer),
        PageRoute("/search-page", SearchPage.show),
        PageRoute("/live", LivePage.show),
        PageRoute("/you", OverviewPage.showYou, post: OverviewPage.keepYou),
    ]
}
