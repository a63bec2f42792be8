@testable import Console
import Foundation
import HTTPTypes
import Testing
import WireFormat

@Suite("The Console: who is let in, and what every page carries") struct SkeletonTests {
    private static let pages = [
        "", "/meters", "/meter-types", "/meter-types/new", "/meter-types/all",
        "/meter-types/all?tab=change", "/meters/all~acme", "/meters/all~acme?tab=records",
        "/meters/all~acme?tab=changes", "/customers", "/search-page", "/search-page?q=ac", "/you",
        "/events", "/quarantine", "/corrections", "/backfill-sets", "/records", "/destinations",
        "/deliveries", "/audit",
    ]

    @Test("every part that a template names is there: one that is not would be left out in silence")
    func parts() throws {
        let files = Printer.stackFiles + Printer.deskFiles
        let known = Set(files.map(\.name))
        for (name, bytes) in files {
            let text = String(decoding: bytes, as: UTF8.self)
            for piece in text.components(separatedBy: "{{>").dropFirst() {
                let part = try #require(piece.components(separatedBy: "}}").first)
                    .trimmingCharacters(in: .whitespaces)
                // With a star it is named by the page.
                #expect(part.hasPrefix("*") || known.contains(part), "\(name): \(part)")
            }
        }
    }

    @Test("every page answers with the policy, and holds no script and no style of its own")
    func pages() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        for path in Self.pages {
            let seen = try await house.page("/console" + path)
            #expect(seen.headers[.xContentTypeOptions] == "nosniff", "\(path)")
            #expect(seen.headers[.cacheControl] == "no-store", "\(path)")
            #expect(seen.text.contains("<main id=\"main\""), "\(path)")
            #expect(!seen.text.contains(DeskHouse.hostile), "\(path)")
        }
    }

    @Test("a browser at the door is led to the Console, and the API answers as it did")
    func door() async throws {
        let house = try await DeskHouse()
        let browser = try await house.ask(.get, "/", nil, [.accept: "text/html"])
        let program = try await house.ask(.get, "/", nil, [.accept: "*/*"])
        let api = try await house.ask(.get, "/consoles")
        let missing = try await house.ask(.get, "/console/nothing-here")
        #expect((browser.status, browser.location) == (303, "/console"))
        #expect(program.status == 404)
        #expect(api.headers[.contentType]?.hasPrefix("application/problem+json") == true)
        #expect(missing.status == 404)
        #expect(missing.text.contains("There is no such page"))
    }

    @Test("a form that another site sends, or that has no token, changes nothing")
    func forged() async throws {
        let house = try await DeskHouse()
        let first = try await house.ask(.get, "/console/customers")
        let token = try #require(first.field("csrf"))
        let cookie = String(try #require(first.headers[.setCookie]?.split(separator: ";").first))
        let good = "csrf=\(token)&key=acme&name=Acme"
        let form = "application/x-www-form-urlencoded"
        let site = HTTPField.Name("Sec-Fetch-Site")!
        let forged: [(String, HTTPFields)] = [
            (good, [.cookie: cookie, .origin: "http://evil.example"]),
            (good, [.cookie: cookie, .origin: "null"]),
            (good, [.cookie: cookie, .origin: "http://localhost:1"]),
            (good, [.cookie: cookie, site: "cross-site"]),
            (good, [.cookie: cookie, site: "same-site"]),
            (good, [:]),
            (good, [.cookie: "odometer-session=00"]),
            ("csrf=&key=acme&name=Acme", [.cookie: cookie]),
            ("csrf=00ff&key=acme&name=Acme", [.cookie: cookie]),
            ("key=acme&name=Acme", [.cookie: cookie]),
        ]
        for (body, headers) in forged {
            var headers = headers
            headers[.contentType] = form
            let seen = try await house.ask(.post, "/console/customers", body, headers)
            #expect(seen.status == 403, "\(body) \(headers)")
            #expect(seen.text.contains("did not come from a page"), "\(body)")
        }
        #expect(try await house.ask(.get, "/v1/customers/acme").status == 404)

        let sent = try await house.ask(
            .post,
            "/console/customers",
            good,
            [.cookie: cookie, .contentType: form, site: "same-origin", .origin: "http://localhost"]
        )
        #expect((sent.status, sent.location) == (303, "/console/customers/acme"))
        #expect(try await house.ask(.get, "/v1/customers/acme").status == 200)
    }

    @Test("a form that is too large, or no form, is refused")
    func largeForms() async throws {
        let house = try await DeskHouse()
        let large = String(repeating: "a", count: 1024 * 1024 + 1)
        let seen = try await house.ask(
            .post,
            "/console/you",
            large,
            [.contentType: "application/x-www-form-urlencoded"]
        )
        let json = try await house.ask(.post, "/console/you", "{}", [.contentType: "text/plain"])
        #expect(seen.status == 413)
        #expect(json.status == 415)
    }

    @Test("what was typed is kept where the API refuses it, with the status of the refusal")
    func kept() async throws {
        let house = try await DeskHouse()
        let seen = try await house.post(
            "/console/customers",
            ["key": "acme", "name": "Acme \"GmbH\"", "timezone": "Mars/Base"]
        )
        #expect(seen.status == 422)
        #expect(seen.text.contains("value=\"Acme &quot;GmbH&quot;\""))
        #expect(seen.text.contains("value=\"Mars/Base\""))
        #expect(seen.text.contains("notice--bad"))
    }

    @Test("who sits there is remembered, and goes into the audit trail with the reason")
    func author() async throws {
        let house = try await DeskHouse()
        let seen = try await house.post(
            "/console/customers",
            ["key": "acme", "name": "Acme", "author": "Ada Ö", "reason": "she asked"]
        )
        let cookies = seen.headers[values: .setCookie]
        #expect(cookies.contains { $0.hasPrefix("odometer-author=Ada%20%C3%96;") })
        #expect(cookies.allSatisfy { $0.contains("HttpOnly; SameSite=Strict") })
        let entry = try await house.get("/v1/audit")["items"]?.arrayValue?.first
        #expect(entry?["actor"]?.stringValue == "Ada Ö")
        #expect(entry?["reason"]?.stringValue == "she asked")
    }

    @Test("style and scripts are immutable, packed, and within their budgets")
    func assets() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        let gzip: HTTPFields = [.acceptEncoding: "gzip, br"]
        let page = try await house.ask(.get, "/console", nil, gzip)
        let plain = try await house.page("/console").text
        #expect(page.headers[.contentEncoding] == "gzip")
        var (all, scripts) = (try #require(Int(page.headers[.contentLength] ?? "")), 0)
        var waiting = Self.assets(in: plain)
        var seen: Set<String> = []
        while let path = waiting.popLast() {
            guard seen.insert(path).inserted else { continue }
            let packed = try await house.ask(.get, path, nil, gzip)
            #expect(packed.status == 200, "\(path)")
            #expect(packed.headers[.cacheControl]?.contains("immutable") == true, "\(path)")
            let size = try #require(Int(packed.headers[.contentLength] ?? ""))
            all += size
            guard path.hasSuffix(".js") else { continue }
            scripts += size
            let text = try await house.ask(.get, path).text
            let folder = "/console/assets/"
            waiting += text.split(separator: "\"").filter {
                $0.hasPrefix("./") && $0.hasSuffix(".js")
            }
            .map { folder + $0.dropFirst(2) }
        }
        #expect(seen.count { $0.hasSuffix(".js") } > 5)
        #expect(scripts < 20 * 1024, "\(scripts) bytes of scripts")
        #expect(all < 60 * 1024, "\(all) bytes in all")
    }

    private static func assets(in text: String) -> [String] {
        text.split(separator: "\"").map(String.init).filter { $0.hasPrefix("/console/assets/") }
    }

    @Test("no template writes what is not escaped") func templates() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Sources/Console/Templates").path
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(names.count > 20)
        for name in names {
            let text = try String(contentsOfFile: folder + "/" + name, encoding: .utf8)
            #expect(!text.contains("{{{"), "\(name)")
            #expect(!text.contains("{{&"), "\(name)")
        }
    }

    @Test("the Console goes by this machine's names, and only where none else is listened to")
    func loopback() async throws {
        let house = try await DeskHouse()
        for (host, status) in [
            ("localhost:8337", 200), ("127.0.0.1:8337", 200), ("[::1]:8337", 200),
            ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("10.0.0.1", 421),
        ] {
            let seen = try await house.ask(.get, "/console/you", at: host)
            #expect(seen.status == status, "\(host)")
        }
        let named = Gate(host: "127.0.0.1", allowing: ["Meters.example"])
        for (host, refusal) in [("meters.example:443", nil), ("other.example", 421)] {
            let head = HTTPRequest(method: .get, scheme: "http", authority: host, path: "/console")
            #expect(named.refusal(of: head)?.status == refusal, "\(host)")
        }
        let open = try await DeskHouse(host: "0.0.0.0")
        let seen = try await open.ask(.get, "/console")
        #expect(seen.status == 403)
        #expect(seen.text.contains("on this machine only"))
        #expect(try await open.ask(.get, "/v1/status").status == 200)
    }
}
