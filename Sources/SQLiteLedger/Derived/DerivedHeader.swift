/// The header of a derived file: 64-bit words, little-endian, then zeros up to a fixed length. Word
/// 0 is the magic, word 1 the checksum of all that follows it, word 2 the format, word 3 the store.
enum DerivedHeader {
    /// - Parameter fields: The words from 4 on.
    static func encode(
        magic: UInt64,
        format: UInt64,
        store: UInt64,
        fields: [UInt64],
        bytes: Int
    ) -> [UInt8] {
        precondition((4 + fields.count) * 8 <= bytes)
        var header = [UInt8](repeating: 0, count: bytes)
        unsafe header.withUnsafeMutableBytes { raw in
            for (index, word) in ([magic, 0, format, store] + fields).enumerated() {
                unsafe raw.storeBytes(
                    of: word.littleEndian,
                    toByteOffset: index * 8,
                    as: UInt64.self
                )
            }
            let sum = unsafe checksum(UnsafeRawBufferPointer(raw), magic)
            unsafe raw.storeBytes(of: sum.littleEndian, toByteOffset: 8, as: UInt64.self)
        }
        return header
    }

    /// Reads and checks a header; returns the words from 4 on.
    ///
    /// - Throws: `corrupt` if a byte of it is not as written; `unreadable` if it is whole, but of
    ///   another format or ledger.
    static func decode(
        _ file: DerivedFile,
        magic: UInt64,
        format: UInt64,
        store: UInt64,
        fields: Int,
        bytes: Int
    ) throws(DerivedFileError) -> [UInt64] {
        let header = try file.bytes(at: 0, count: bytes)
        let (words, sum) = unsafe header.withUnsafeBytes { raw in
            let words = (0..<(4 + fields)).map { index in
                unsafe UInt64(
                    littleEndian: raw.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)
                )
            }
            return unsafe (words, checksum(raw, magic))
        }
        guard words[0] == magic, words[1] == sum else {
            throw DerivedFileError(.corrupt, file.path, "the header")
        }
        guard words[2] == format, words[3] == store else {
            throw DerivedFileError(.unreadable, file.path, "another format or another ledger")
        }
        return Array(words[4...])
    }

    private static func checksum(_ header: UnsafeRawBufferPointer, _ magic: UInt64) -> UInt64 {
        unsafe Checksum64.of(UnsafeRawBufferPointer(rebasing: header[16...]), seed: magic)
    }
}
