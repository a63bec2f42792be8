import Crypto
import HTTPTypes
import WireFormat

/// Who is let in: until there is a sign-in, browsers on this machine only, and no page of another
/// site in their name.
struct Gate: Sendable {
    /// Why a request is turned away.
    struct Refusal: Error, Hashable {
        var status: Int
        var title: String
        var detail: String

        static func forged(_ detail: String) -> Refusal {
            Refusal(
                status: 403,
                title: "This form did not come from a page of this Console",
                detail: detail
                    + " Nothing was changed. Open the page again, and send it from there."
            )
        }

        static func method(_ detail: String) -> Refusal {
            Refusal(status: 405, title: "That is not how this page is asked", detail: detail)
        }

        static func type(_ detail: String) -> Refusal {
            Refusal(status: 415, title: "The form cannot be read", detail: detail)
        }

        static func tooLarge(_ detail: String) -> Refusal {
            Refusal(status: 413, title: "The form is too large", detail: detail)
        }
    }

    private let site: SiteGuard

    /// - Parameters:
    ///   - host: What the server listens on.
    ///   - names: Further names by which it is asked, through a proxy.
    init(host: String, allowing names: [String] = []) {
        site = SiteGuard(listensOn: host, allowing: names)
    }

    func refusal(of head: HTTPRequest) -> Refusal? {
        guard site.isLoopback else {
            return Refusal(
                status: 403,
                title: "The Console answers on this machine only",
                detail: """
                    It has no sign-in yet, and this server listens to other machines too. Start it \
                    with --listen 127.0.0.1:8337, and reach it through a tunnel: ssh -L.
                    """
            )
        }
        let fault = site.fault(
            authority: head.authority ?? "",
            isChange: head.method == .post,
            origin: head.headerFields[.origin],
            site: head.headerFields[.secFetchSite]
        )
        switch fault {
        case .foreignHost:
            return Refusal(
                status: 421,
                title: "The Console goes by the names of this machine",
                detail: """
                    Open it as http://localhost or http://127.0.0.1, with the port. A name that \
                    leads here through a proxy is given to the server with --allow-host.
                    """
            )
        case .foreignPage(let page): return .forged("The browser says that it came from \(page).")
        case nil:
            let isStream = head.path?.split(separator: "?").first == "\(Console.root)/live"
            return isStream ? foreignListener(head) : nil
        }
    }

    /// A page of another site cannot read a stream, but each it opens would take a place of few.
    private func foreignListener(_ head: HTTPRequest) -> Refusal? {
        guard let site = head.headerFields[.secFetchSite], site != "same-origin", site != "none"
        else { return nil }
        return Refusal(
            status: 403,
            title: "Only pages of this Console listen here",
            detail: "The browser says that a page from elsewhere asks (\(site))."
        )
    }
}

/// The token that a form carries: it follows from the browser's cookie and a secret of this
/// process, so that no other site can know it.
struct FormSeal: Sendable {
    /// The name of the hidden field.
    static let field = "csrf"

    private let secret: SymmetricKey
    private let entropy: @Sendable (Int) -> [UInt8]

    init(entropy: @escaping @Sendable (Int) -> [UInt8]) {
        self.entropy = entropy
        secret = SymmetricKey(data: entropy(32))
    }

    /// The value of a cookie for a browser that has none.
    func session() -> String { Hex.text(entropy(16)) }

    func token(of session: String) -> String { Hex.text(code(session)) }

    func holds(_ token: String?, of session: String?) -> Bool {
        guard let token, let session, let bytes = Hex.bytes(token) else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(
            bytes,
            authenticating: Array(session.utf8),
            using: secret
        )
    }

    private func code(_ session: String) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: Array(session.utf8), using: secret)
    }
}

/// Bytes as hexadecimal digits.
enum Hex {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    static func bytes(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for at in stride(from: 0, to: digits.count, by: 2) {
            let pair = String(decoding: digits[at...at + 1], as: UTF8.self)
            guard let byte = UInt8(pair, radix: 16) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}

extension HTTPField.Name {
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
}
