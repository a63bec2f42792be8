import CZlib

/// gzip (RFC 1952) in single calls.
public enum Gzip {
    /// Unpacks one or more members.
    ///
    /// - Parameter sizeMax: The most bytes to hand back; memory stays within this and 128 KiB.
    /// - Throws: ``CompressionError``; `tooLarge` as soon as more than `sizeMax` bytes come out.
    public static func decompress(
        _ bytes: UnsafeRawBufferPointer,
        sizeMax: Int
    ) throws(CompressionError) -> [UInt8] {
        precondition(sizeMax >= 0)
        var unpacked: [UInt8] = []
        let inflater = GzipInflater()
        try unsafe inflater.inflate(bytes) { (piece) throws(CompressionError) in
            guard piece.count <= sizeMax - unpacked.count else {
                throw CompressionError(.tooLarge, "gzip: more than \(sizeMax) bytes")
            }
            unsafe unpacked.append(contentsOf: piece)
        }
        try inflater.finish()
        return unpacked
    }

    /// Packs bytes into one member without name or time, so that equal bytes pack equally.
    ///
    /// - Parameter level: 1 (fast) to 9 (small); other values are taken to the nearest.
    /// - Throws: ``CompressionError`` with `memory` only.
    public static func compress(
        _ bytes: UnsafeRawBufferPointer,
        level: Int32 = 6
    ) throws(CompressionError) -> [UInt8] {
        var stream = unsafe z_stream()
        let opened = unsafe deflateInit2_(
            &stream,
            min(max(level, 1), 9),
            Z_DEFLATED,
            MAX_WBITS + 16,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard opened == Z_OK else { throw CompressionError(.memory, "gzip: no stream") }
        defer { unsafe _ = deflateEnd(&stream) }

        var packed: [UInt8] = []
        let stage = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 64 * 1024)
        defer { unsafe stage.deallocate() }
        var rest = unsafe bytes[...]
        var result = Z_OK
        repeat {
            // The library counts input in 32 bits.
            let piece = unsafe UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            unsafe stream.next_in = UnsafeMutablePointer(
                mutating: piece.baseAddress?.assumingMemoryBound(to: UInt8.self)
            )
            unsafe stream.avail_in = UInt32(piece.count)
            unsafe rest = unsafe rest.dropFirst(piece.count)
            repeat {
                unsafe stream.next_out = stage.baseAddress
                unsafe stream.avail_out = UInt32(stage.count)
                result = unsafe deflate(&stream, rest.isEmpty ? Z_FINISH : Z_NO_FLUSH)
                unsafe packed.append(
                    contentsOf: stage[0..<(stage.count - Int(stream.avail_out))]
                )
            } while unsafe stream.avail_out == 0
        } while unsafe !rest.isEmpty
        guard result == Z_STREAM_END else { throw CompressionError(.memory, "gzip: not finished") }
        return packed
    }
}
