import CZlib

/// Unpacks gzip as it arrives, piece by piece, in 64 KiB of output memory. For one thread at a
/// time.
///
/// Members that follow one another are unpacked as one stream, as RFC 1952 asks. Zero bytes after
/// the last member (tapes and some tools pad) are accepted; anything else there is `malformed`.
@safe public final class GzipInflater {
    private enum Place { case beforeMember, inMember, inPadding }

    // On the heap by itself: the library keeps a pointer back to its stream.
    private let stream: UnsafeMutablePointer<z_stream>
    private let stage: UnsafeMutableBufferPointer<UInt8>
    private let isOpen: Bool
    private var place = Place.beforeMember
    private var members = 0

    public init() {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        unsafe stage = .allocate(capacity: 64 * 1024)
        let opened = unsafe inflateInit2_(
            stream,
            MAX_WBITS + 16,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        isOpen = opened == Z_OK
    }

    deinit {
        if isOpen { unsafe _ = inflateEnd(stream) }
        unsafe stream.deallocate()
        unsafe stage.deallocate()
    }

    /// Unpacks the next bytes of the stream.
    ///
    /// - Parameters:
    ///   - bytes: The next packed bytes, cut anywhere.
    ///   - body: Takes each unpacked piece, never empty and at most 64 KiB; valid within the call.
    /// - Throws: ``CompressionError``; after that the inflater is of no more use.
    public func inflate(
        _ bytes: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws(CompressionError) -> Void
    ) throws(CompressionError) {
        guard isOpen else { throw CompressionError(.memory, "gzip: no stream") }
        var rest = unsafe bytes[...]
        while unsafe !rest.isEmpty {
            if place != .inMember, try unsafe !enterMember(&rest) { return }
            // The library counts input in 32 bits.
            let piece = unsafe UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            let used = try unsafe step(piece, body)
            unsafe rest = unsafe rest.dropFirst(used)
        }
    }

    /// Says that no more bytes come.
    ///
    /// - Throws: `truncated` if the stream ends within a member, or before the first.
    public func finish() throws(CompressionError) {
        guard place != .inMember, members > 0 else {
            throw CompressionError(.truncated, "gzip: the stream is cut off")
        }
    }

    /// Skips padding; false if nothing but padding is left.
    private func enterMember(
        _ rest: inout Slice<UnsafeRawBufferPointer>
    ) throws(CompressionError) -> Bool {
        if members > 0 {
            let trimmed = unsafe rest.drop { $0 == 0 }
            if unsafe trimmed.count < rest.count { place = .inPadding }
            unsafe rest = unsafe trimmed
            guard unsafe !rest.isEmpty else { return false }
            guard place != .inPadding else {
                throw CompressionError(.malformed, "gzip: bytes after the padding")
            }
        }
        unsafe _ = inflateReset(stream)
        place = .inMember
        return true
    }

    /// Unpacks until the input is used up or the member ends; returns the bytes used.
    private func step(
        _ piece: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws(CompressionError) -> Void
    ) throws(CompressionError) -> Int {
        unsafe stream.pointee.next_in = UnsafeMutablePointer(
            mutating: piece.baseAddress?.assumingMemoryBound(to: UInt8.self)
        )
        unsafe stream.pointee.avail_in = UInt32(piece.count)
        repeat {
            unsafe stream.pointee.next_out = unsafe stage.baseAddress
            unsafe stream.pointee.avail_out = UInt32(stage.count)
            let result = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
            guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else {
                throw failure(result)
            }
            let made = unsafe stage.count - Int(stream.pointee.avail_out)
            if made > 0 {
                try unsafe body(
                    UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(stage)[..<made])
                )
            }
            if result == Z_STREAM_END {
                (place, members) = (.beforeMember, members + 1)
                break
            }
        } while unsafe stream.pointee.avail_out == 0 || stream.pointee.avail_in > 0
        return unsafe piece.count - Int(stream.pointee.avail_in)
    }

    private func failure(_ result: Int32) -> CompressionError {
        let reason =
            unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "code \(result)"
        return CompressionError(result == Z_MEM_ERROR ? .memory : .malformed, "gzip: " + reason)
    }
}
