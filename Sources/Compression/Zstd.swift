import CZstd

/// Zstandard in single calls. Each call makes a context (a few µs); who packs often keeps a
/// ``ZstdCompressor`` or ``ZstdDecompressor``.
public enum Zstd {
    /// A level of our own for events on their way in: 5 % larger than level 1, a third quicker.
    public static let quick: Int32 = 0

    /// Packs bytes into one frame that states its content size and carries a checksum.
    ///
    /// - Parameter level: ``quick``, or 1 (fast) to 19 (small); others are taken to the nearest.
    /// - Throws: ``CompressionError`` with `memory` only.
    public static func compress(
        _ bytes: UnsafeRawBufferPointer,
        level: Int32
    ) throws(CompressionError) -> [UInt8] {
        try unsafe ZstdCompressor().compress(bytes, level: level)
    }

    /// Unpacks one or more frames, also frames that do not state their size.
    ///
    /// - Parameter sizeMax: The most bytes to hand back. Never more than this, and a window of at
    ///   most 8 MiB or `sizeMax`, whichever is greater, is allocated, whatever the frames claim.
    /// - Throws: ``CompressionError``; `tooLarge` if the frames hold more than `sizeMax` bytes.
    public static func decompress(
        _ bytes: UnsafeRawBufferPointer,
        sizeMax: Int
    ) throws(CompressionError) -> [UInt8] {
        try unsafe ZstdDecompressor().decompress(bytes, sizeMax: sizeMax)
    }

    /// The bytes of the first of the frames that lie one behind another; nil where none begins.
    public static func firstFrameBytes(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let count = unsafe ZSTD_findFrameCompressedSize(bytes.baseAddress, bytes.count)
        return ZSTD_isError(count) == 0 && count <= bytes.count ? count : nil
    }

    /// The most bytes that packing `count` bytes can make.
    public static func compressedBytesMax(_ count: Int) -> Int { ZSTD_compressBound(count) }

    static func failure(_ result: Int) -> CompressionError {
        // A failure is the negated code. The numbers are promised to stay (`zstd_errors.h`).
        let code: CompressionError.Code =
            switch -result {
            case 64: .memory  // ZSTD_error_memory_allocation
            case 72: .truncated  // ZSTD_error_srcSize_wrong
            case 16, 70: .tooLarge  // ZSTD_error_frameParameter_windowTooLarge, _dstSize_tooSmall
            default: .malformed
            }
        return unsafe CompressionError(code, "zstd: " + String(cString: ZSTD_getErrorName(result)))
    }
}

/// Packs many times with one context. For one thread at a time.
@safe public final class ZstdCompressor {
    fileprivate let context: OpaquePointer?

    public init() { unsafe context = ZSTD_createCCtx() }

    deinit { unsafe _ = ZSTD_freeCCtx(context) }

    /// As ``Zstd/compress(_:level:)``.
    public func compress(
        _ bytes: UnsafeRawBufferPointer,
        level: Int32
    ) throws(CompressionError) -> [UInt8] {
        var failure: CompressionError?
        let packed = unsafe [UInt8](
            unsafeUninitializedCapacity: Zstd.compressedBytesMax(bytes.count)
        ) { buffer, count in
            do throws(CompressionError) {
                count = try unsafe compress(
                    bytes,
                    level: level,
                    into: UnsafeMutableRawBufferPointer(buffer)
                )
            } catch { failure = error }
        }
        if let failure { throw failure }
        return packed
    }

    /// Packs into memory of the caller's and allocates nothing once the context is warm.
    ///
    /// - Parameter target: ``Zstd/compressedBytesMax(_:)`` bytes are always enough.
    /// - Returns: The bytes written.
    /// - Throws: `tooLarge` if `target` is too small; `memory`.
    public func compress(
        _ bytes: UnsafeRawBufferPointer,
        level: Int32,
        into target: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) -> Int {
        guard unsafe context != nil else { throw CompressionError(.memory, "zstd: no context") }
        unsafe _ = ZSTD_CCtx_reset(context, ZSTD_reset_parameters)
        let clamped = min(max(level, 1), 19)
        unsafe _ = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, clamped)
        unsafe _ = ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
        if level <= Zstd.quick { hasten() }
        let count = unsafe ZSTD_compress2(
            context,
            target.baseAddress,
            target.count,
            bytes.baseAddress,
            bytes.count
        )
        guard ZSTD_isError(count) == 0 else { throw Zstd.failure(count) }
        return count
    }
}

extension ZstdCompressor {
    /// Sets what ``Zstd/quick`` stands for: steps of four bytes where nothing matches, tables that
    /// stay in the first cache, and Huffman codes for what is left, which zstd's own fast levels
    /// drop (the random ids in events are hexadecimal: half of each byte is air).
    private func hasten() {
        for (parameter, value) in [
            (ZSTD_c_strategy, Int32(bitPattern: ZSTD_fast.rawValue)), (ZSTD_c_targetLength, 4),
            (ZSTD_c_hashLog, 13), (ZSTD_c_minMatch, 7), (ZSTD_c_windowLog, 17),
            (ZSTD_c_experimentalParam5, Int32(bitPattern: ZSTD_ps_enable.rawValue)),
        ] {
            // A library that does not know one of them packs a little larger or slower.
            unsafe _ = ZSTD_CCtx_setParameter(context, parameter, value)
        }
    }
}

/// Unpacks many times with one context. For one thread at a time.
@safe public final class ZstdDecompressor {
    private static let windowLogMin: Int32 = 23
    private static let windowLogMax: Int32 = 27
    private let context: OpaquePointer?

    public init() { unsafe context = ZSTD_createDCtx() }

    deinit { unsafe _ = ZSTD_freeDCtx(context) }

    /// As ``Zstd/decompress(_:sizeMax:)``.
    public func decompress(
        _ bytes: UnsafeRawBufferPointer,
        sizeMax: Int
    ) throws(CompressionError) -> [UInt8] {
        precondition(sizeMax >= 0)
        guard unsafe context != nil else { throw CompressionError(.memory, "zstd: no context") }
        guard unsafe !bytes.isEmpty else { throw CompressionError(.truncated, "zstd: no bytes") }
        if let size = unsafe statedSize(bytes) {
            guard size <= sizeMax else {
                throw CompressionError(.tooLarge, "zstd: more than \(sizeMax) bytes")
            }
            return try unsafe self.decompress(bytes, size: size)
        }
        return try unsafe decompressStream(bytes, sizeMax: sizeMax)
    }

    /// Unpacks one frame whose content size the caller knows into memory of the caller's.
    ///
    /// - Returns: The bytes written. Comparing it with what was expected is the caller's part.
    public func decompress(
        _ bytes: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) -> Int {
        guard unsafe context != nil else { throw CompressionError(.memory, "zstd: no context") }
        let count = unsafe ZSTD_decompressDCtx(
            context,
            target.baseAddress,
            target.count,
            bytes.baseAddress,
            bytes.count
        )
        guard ZSTD_isError(count) == 0 else { throw Zstd.failure(count) }
        return count
    }

    /// The content size, where the bytes are exactly one frame that states it.
    private func statedSize(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let size = unsafe ZSTD_getFrameContentSize(bytes.baseAddress, bytes.count)
        // The two greatest values say "unknown" and "not a frame".
        guard size <= UInt64(Int.max) else { return nil }
        let packed = unsafe ZSTD_findFrameCompressedSize(bytes.baseAddress, bytes.count)
        return ZSTD_isError(packed) == 0 && packed == bytes.count ? Int(size) : nil
    }

    /// Unpacks frames whose content comes to a size that the caller knows.
    ///
    /// - Throws: ``CompressionError``; `tooLarge` if they hold more. They may hold less.
    public func decompress(
        _ bytes: UnsafeRawBufferPointer,
        size: Int
    ) throws(CompressionError) -> [UInt8] {
        var failure: CompressionError?
        let unpacked = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            // An empty array has no memory; the library wants an address all the same.
            var none: UInt8 = 0
            do throws(CompressionError) {
                count =
                    size > 0
                    ? try unsafe decompress(bytes, into: UnsafeMutableRawBufferPointer(buffer))
                    : try unsafe decompressNothing(bytes, &none)
            } catch { failure = error }
        }
        if let failure { throw failure }
        return unpacked
    }

    private func decompressNothing(
        _ bytes: UnsafeRawBufferPointer,
        _ place: UnsafeMutableRawPointer
    ) throws(CompressionError) -> Int {
        try unsafe decompress(bytes, into: UnsafeMutableRawBufferPointer(start: place, count: 0))
    }

    private func decompressStream(
        _ bytes: UnsafeRawBufferPointer,
        sizeMax: Int
    ) throws(CompressionError) -> [UInt8] {
        unsafe _ = ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
        let fitting = Int32(Int.bitWidth - max(sizeMax - 1, 1).leadingZeroBitCount)
        let windowLog = min(max(fitting, Self.windowLogMin), Self.windowLogMax)
        unsafe _ = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, windowLog)

        var unpacked: [UInt8] = []
        let stage = UnsafeMutableRawBufferPointer.allocate(
            byteCount: ZSTD_DStreamOutSize(),
            alignment: 16
        )
        defer { unsafe stage.deallocate() }
        var input = unsafe ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        var hint = 1
        while true {
            var output = unsafe ZSTD_outBuffer(dst: stage.baseAddress, size: stage.count, pos: 0)
            let consumed = unsafe input.pos
            hint = unsafe ZSTD_decompressStream(context, &output, &input)
            guard ZSTD_isError(hint) == 0 else { throw Zstd.failure(hint) }
            guard unsafe output.pos <= sizeMax - unpacked.count else {
                throw CompressionError(.tooLarge, "zstd: more than \(sizeMax) bytes")
            }
            unsafe unpacked.append(contentsOf: stage[0..<output.pos])
            if unsafe input.pos == input.size && (hint == 0 || output.pos < output.size) { break }
            guard unsafe input.pos > consumed || output.pos > 0 else { break }
        }
        guard hint == 0 else {
            throw CompressionError(.truncated, "zstd: the last frame is cut off")
        }
        return unpacked
    }
}
