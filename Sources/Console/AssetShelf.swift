import Compression
import Crypto
import HTTPTypes
import HummingbirdCore

/// Style and scripts: embedded, named by their content, packed once.
struct AssetShelf: Sendable {
    static let shared = AssetShelf(files)

    struct Asset: Sendable {
        var type: String
        var bytes: [UInt8]
        /// nil where packing makes it no smaller.
        var packed: [UInt8]?
    }

    private var assets: [String: Asset] = [:]
    private var paths: [String: String] = [:]

    /// Scripts are named by the content of all of them, for they name one another.
    init(_ files: [(name: String, bytes: [UInt8])]) {
        let scripts = files.filter { $0.name.hasSuffix(".js") }
        let age = Self.hash(scripts.flatMap { Array($0.name.utf8) + $0.bytes })
        for file in files {
            let parts = file.name.split(separator: ".").map(String.init)
            let (stem, ending) = (parts.dropLast().joined(separator: "."), parts.last ?? "")
            var bytes = file.bytes
            if ending == "css" { bytes = Self.withoutRemarks(bytes, from: "/*") }
            if ending == "js" {
                bytes = Self.withoutRemarks(bytes, from: "/**")
                var text = String(decoding: bytes, as: UTF8.self)
                for other in scripts.map({ String($0.name.dropLast(3)) }) {
                    for quote in ["\"", "'"] {
                        let named = "./\(other).\(age).js\(quote)"
                        text = text.replacing("./\(other).js\(quote)", with: named)
                    }
                }
                bytes = Array(text.utf8)
            }
            let hash = ending == "js" ? age : Self.hash(bytes)
            let path = "\(Console.root)/assets/\(stem).\(hash).\(ending)"
            let packed = Self.pack(bytes, level: 9)
            assets[path] = Asset(type: Self.type(ending), bytes: bytes, packed: packed)
            paths[file.name] = path
        }
    }

    /// The address of a file of `Assets/`; nil where there is none.
    func path(of name: String) -> String? { paths[name] }

    func asset(at path: String) -> Asset? { assets[path] }

    /// All of them by their file's name, for budgets.
    var all: [(name: String, asset: Asset)] {
        paths.compactMap { name, path in assets[path].map { (name, $0) } }
    }

    func response(_ asset: Asset, to headers: HTTPFields) -> Response {
        var answered = Console.headers
        answered[.contentType] = asset.type
        answered[.cacheControl] = "public, max-age=31536000, immutable"
        answered[.vary] = "Accept-Encoding"
        if let packed = asset.packed, Self.takesGzip(headers) {
            answered[.contentEncoding] = "gzip"
            return Console.response(.ok, answered, packed)
        }
        return Console.response(.ok, answered, asset.bytes)
    }

    static func takesGzip(_ headers: HTTPFields) -> Bool {
        headers[.acceptEncoding]?.lowercased().contains("gzip") == true
    }

    /// nil where packing makes it no smaller.
    static func pack(_ bytes: [UInt8], level: Int32) -> [UInt8]? {
        let packed = unsafe bytes.withUnsafeBytes { buffer in
            try? unsafe Gzip.compress(buffer, level: level)
        }
        guard let packed, packed.count < bytes.count else { return nil }
        return packed
    }

    /// The text without comments: those that begin with a mark and end with `*/`, and lines of
    /// `//`. It knows no strings: ours hold no such marks.
    private static func withoutRemarks(_ bytes: [UInt8], from mark: String) -> [UInt8] {
        var text = ""
        var rest = String(decoding: bytes, as: UTF8.self)[...]
        while let open = rest.firstRange(of: mark) {
            text += rest[..<open.lowerBound]
            rest = rest[open.upperBound...]
            guard let close = rest.firstRange(of: "*/") else { break }
            rest = rest[close.upperBound...]
        }
        let lines = (text + rest).split(separator: "\n").map { $0.drop { $0 == " " } }
            .filter { !$0.isEmpty && !$0.hasPrefix("//") }
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    private static func hash(_ bytes: [UInt8]) -> String {
        Hex.text(Array(SHA256.hash(data: bytes)).prefix(8))
    }

    private static func type(_ ending: String) -> String {
        switch ending {
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        default: "application/octet-stream"
        }
    }
}
