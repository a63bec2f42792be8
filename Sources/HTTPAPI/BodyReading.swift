import Compression
import HTTPTypes
import HummingbirdCore
import NIOCore

/// How a body is packed.
enum ContentCoding {
    case identity, gzip, zstd

    /// - Throws: `unsupported-encoding`.
    init(_ headers: HTTPFields) throws(Refusal) {
        guard let text = headers[.contentEncoding] else {
            self = .identity
            return
        }
        switch MediaType.trimmed(text[...]).lowercased() {
        case "", "identity": self = .identity
        case "gzip", "x-gzip": self = .gzip
        case "zstd": self = .zstd
        default: throw Refusal(.unsupportedEncoding, "bodies are unpacked from gzip and zstd only")
        }
    }
}

/// Reads one call's body, within the limits.
struct BodyReading {
    /// As sent and as unpacked.
    let bytesMax: Int

    /// What the headers say of a body.
    struct Announcement {
        var coding: ContentCoding
        /// nil where the body comes in chunks.
        var bytes: Int?
    }

    /// - Throws: `unsupported-encoding`; `body-too-large` where the caller announces the length.
    func announcement(_ headers: HTTPFields) throws(Refusal) -> Announcement {
        let coding = try ContentCoding(headers)
        let bytes = headers[.contentLength].flatMap { Int($0) }
        if let bytes, bytes > bytesMax { throw tooLarge(closes: true) }
        return Announcement(coding: coding, bytes: bytes)
    }

    /// Reads a body whole and unpacks it. Each byte is copied once, from the socket's buffer.
    ///
    /// - Parameter share: Pays for the bytes before they are read.
    /// - Throws: ``Refusal``: `body-too-large` as soon as it is; `unsupported-encoding` where it
    ///   is damaged; `busy`. Also what the connection throws.
    func read(
        _ body: RequestBody,
        _ announced: Announcement,
        share: inout BodyShare
    ) async throws -> [UInt8] {
        try share.take(announced.bytes ?? 0)
        var bytes: [UInt8] = []
        // The decoder may append a mark of its own behind the end.
        bytes.reserveCapacity((announced.bytes ?? 0) + 16)
        for try await piece in body {
            let count = piece.readableBytes
            guard count <= bytesMax - bytes.count else { throw tooLarge(closes: true) }
            let missing = bytes.count + count - share.bytes
            if missing > 0 { try share.take(missing) }
            bytes.append(contentsOf: piece.readableBytesView)
        }
        if case .identity = announced.coding { return bytes }
        return try unpacked(bytes, announced.coding, &share)
    }

    private func tooLarge(closes: Bool) -> Refusal {
        var refusal = Refusal(.bodyTooLarge, "a body has at most \(bytesMax) bytes")
        refusal.closesConnection = closes
        return refusal
    }

    /// Unpacks within what is paid for: first for an ordinary ratio, then for the most there can
    /// be.
    private func unpacked(
        _ packed: [UInt8],
        _ coding: ContentCoding,
        _ share: inout BodyShare
    ) throws(Refusal) -> [UInt8] {
        let ordinary = min(bytesMax, max(packed.count * 16, 64 * 1024))
        for sizeMax in ordinary < bytesMax ? [ordinary, bytesMax] : [bytesMax] {
            try share.take(sizeMax)
            do throws(CompressionError) {
                let bytes = try unpack(packed, coding, sizeMax: sizeMax)
                share.giveBack(sizeMax - bytes.count + packed.count)
                return bytes
            } catch {
                share.giveBack(sizeMax)
                switch error.code {
                case .tooLarge: continue
                case .memory: throw .busy("no memory to unpack the body")
                case .malformed, .truncated:
                    throw Refusal(.unsupportedEncoding, "the body is damaged: \(error.message)")
                }
            }
        }
        throw tooLarge(closes: false)
    }

    private func unpack(
        _ packed: [UInt8],
        _ coding: ContentCoding,
        sizeMax: Int
    ) throws(CompressionError) -> [UInt8] {
        // A closure would widen the error's type.
        var result: Result<[UInt8], CompressionError> = .success([])
        unsafe packed.withUnsafeBytes { raw in
            do throws(CompressionError) {
                result = .success(
                    try coding == .zstd
                        ? unsafe Zstd.decompress(raw, sizeMax: sizeMax)
                        : unsafe Gzip.decompress(raw, sizeMax: sizeMax)
                )
            } catch { result = .failure(error) }
        }
        return try result.get()
    }
}
