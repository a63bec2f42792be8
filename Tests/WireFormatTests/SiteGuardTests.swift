import Testing
import UsageModel
import WireFormat

@Suite("Where a request is from") struct SiteGuardTests {
    private static let loopback = SiteGuard(listensOn: "127.0.0.1")

    @Test(
        "a server on loopback goes by the names of this machine alone",
        arguments: [
            ("localhost", true), ("LOCALHOST:8337", true), ("127.0.0.1:80", true),
            ("127.255.0.9", true), ("[::1]", true), ("[::1]:8337", true), ("", false),
            ("evil.example", false), ("localhost.evil.example", false), ("[::2]", false),
            ("127.0.0.1.evil.example", false), ("127.0.0", false), ("127.0.0.1.", false),
            ("127.0.0.256", false), ("127.0.0.0001", false), ("10.0.0.1", false),
            ("128.0.0.1", false), ("127..0.1", false), ("[::1", false), ("evil.example:127", false),
        ]
    )
    func names(host: String, isOurs: Bool) {
        let fault = Self.loopback.fault(authority: host, isChange: false, origin: nil, site: nil)
        #expect(fault == (isOurs ? nil : .foreignHost(host)))
        let open = SiteGuard(listensOn: "0.0.0.0")
        #expect(open.fault(authority: host, isChange: false, origin: nil, site: nil) == nil)
    }

    @Test("a name that was given is a name of the server, and of its pages")
    func given() {
        for listens in ["127.0.0.1", "0.0.0.0"] {
            let site = SiteGuard(listensOn: listens, allowing: ["Meters.example"])
            for (host, isOurs) in [
                ("meters.EXAMPLE:8443", true), ("localhost", true), ("xmeters.example", false),
                ("10.0.0.1", false),
            ] {
                let fault = site.fault(authority: host, isChange: false, origin: nil, site: nil)
                #expect((fault == nil) == isOurs, "\(host)")
            }
            for (origin, isOurs) in [
                ("https://meters.example", true), ("https://evil.example", false),
            ] {
                let fault = site.fault(
                    authority: "localhost:8337",
                    isChange: true,
                    origin: origin,
                    site: "cross-site"
                )
                #expect((fault == nil) == isOurs, "\(origin)")
            }
        }
    }

    @Test(
        "what changes something is sent by no page of another origin",
        arguments: [
            (nil, nil, true), (nil, "same-origin", true), (nil, "none", true),
            ("http://localhost:8337", "same-origin", true), ("https://LOCALHOST:8337", nil, true),
            (nil, "cross-site", false), (nil, "same-site", false),
            ("http://localhost:3000", nil, false), ("http://localhost", nil, false),
            ("http://localhost:8337", "same-site", false), ("null", nil, false), ("", nil, false),
            ("https://evil.example", nil, false), ("ftp://localhost:8337", nil, false),
            ("localhost:8337", nil, false), ("http://localhost:8337.evil.example", nil, false),
        ] as [(String?, String?, Bool)]
    )
    func pages(origin: String?, site: String?, isOurs: Bool) {
        for listens in ["127.0.0.1", "0.0.0.0"] {
            let server = SiteGuard(listensOn: listens)
            func isLetIn(_ isChange: Bool) -> Bool {
                let host = "localhost:8337"
                return server.fault(
                    authority: host,
                    isChange: isChange,
                    origin: origin,
                    site: site
                ) == nil
            }
            #expect(isLetIn(true) == isOurs, "\(listens)")
            #expect(isLetIn(false))
        }
    }
}
