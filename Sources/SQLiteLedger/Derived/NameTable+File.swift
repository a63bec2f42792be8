// The file of names: frames, one after another, each appended by one checkpoint (a checkpoint of
// many names appends several). All numbers are little-endian.
//
//   frame    0 magic "ODONAMES"   8 checksum of all that follows in the frame, seeded with the
//            frame's offset in the file   16 number of the first name (4 bytes)   20 how many
//            names (4 bytes)   24 bytes of the names (8 bytes)   then the names, each as its length
//            (4 bytes) and its bytes
//
// Only as many bytes count as the manifest says: what a crash left behind them is overwritten.

extension NameTable {
    private static let magic: UInt64 = 0x5345_4D41_4E4F_444F  // "ODONAMES", read little-endian
    private static let headBytes = 32
    private static let frameBytes = 1 << 20

    /// Names on their way to the file.
    struct Appendix: Sendable {
        fileprivate struct Frame: Sendable {
            var first: UInt32
            var count: UInt32
            var names: [UInt8]
        }

        fileprivate var frames: [Frame] = []
    }

    /// Copies the names `after + 1 ... last` for ``append(_:to:at:)``, which needs no lock.
    func encoded(from after: UInt32, upTo last: UInt32) -> Appendix {
        precondition(after <= last && last <= count)
        var appendix = Appendix()
        var frame = Appendix.Frame(first: after + 1, count: 0, names: [])
        var number = after
        while number < last {
            number += 1
            let name = unsafe raw(number)
            unsafe withUnsafeBytes(of: UInt32(name.count).littleEndian) {
                unsafe frame.names.append(contentsOf: $0)
            }
            unsafe frame.names.append(contentsOf: name)
            frame.count += 1
            guard frame.names.count >= Self.frameBytes || number == last else { continue }
            appendix.frames.append(frame)
            frame = Appendix.Frame(first: number + 1, count: 0, names: [])
        }
        return appendix
    }

    /// Writes names behind the first `bytes` bytes of the file; what stood there is lost.
    ///
    /// - Returns: The bytes of the file that count from now on. They are on stable storage.
    /// - Throws: `full` or `io`; then the bytes that counted before still stand.
    static func append(
        _ appendix: Appendix,
        to path: String,
        at bytes: Int
    ) throws(DerivedFileError) -> Int {
        var encoded: [UInt8] = []
        for frame in appendix.frames { encode(frame, behind: bytes, into: &encoded) }
        try DerivedFileWriter.append(encoded, to: path, at: bytes)
        return bytes + encoded.count
    }

    /// Reads the first `bytes` bytes of the file, which must be whole frames.
    ///
    /// - Parameter hash: The hash by which names are interned.
    /// - Throws: `missing`, `corrupt` with the offset of the frame, `io`.
    static func load(
        _ path: String,
        bytes: Int,
        hash: ([UInt8]) -> UInt64
    ) throws(DerivedFileError) -> NameTable {
        let table = NameTable()
        guard bytes > 0 else { return table }
        let file = try DerivedFile(reading: path)
        var offset = 0
        while offset < bytes {
            let head = try file.bytes(at: offset, count: headBytes)
            let length = word(head, at: 24)
            guard word(head, at: 0) == magic, length <= UInt64(bytes - offset - headBytes) else {
                throw DerivedFileError(.corrupt, path, offset: offset, "not a frame of names")
            }
            let names = try file.bytes(at: offset + headBytes, count: Int(length))
            guard word(head, at: 8) == checksum(Array(head[16...]) + names, at: offset) else {
                throw DerivedFileError(.corrupt, path, offset: offset, "checksum of a frame")
            }
            let numbers = word(head, at: 16)
            let isRead = table.add(
                names,
                first: UInt32(truncatingIfNeeded: numbers),
                count: UInt32(truncatingIfNeeded: numbers >> 32),
                hash
            )
            guard isRead else {
                throw DerivedFileError(.corrupt, path, offset: offset, "names that make no sense")
            }
            offset += headBytes + Int(length)
        }
        return table
    }

    /// Adds a frame's names; false if they are not the next ones, each of them new.
    private func add(
        _ names: [UInt8],
        first: UInt32,
        count: UInt32,
        _ hash: ([UInt8]) -> UInt64
    ) -> Bool {
        guard first == self.count + 1 else { return false }
        var place = 0
        for number in first..<(first &+ count) {
            guard place + 4 <= names.count else { return false }
            let length = names[place..<(place + 4)].reversed().reduce(0) { $0 << 8 | Int($1) }
            place += 4
            guard place + length <= names.count else { return false }
            let name = Array(names[place..<(place + length)])
            guard intern(name, hash: hash(name)) == number else { return false }
            place += length
        }
        return place == names.count
    }

    private static func encode(
        _ frame: Appendix.Frame,
        behind bytes: Int,
        into encoded: inout [UInt8]
    ) {
        let body =
            littleEndian(UInt64(frame.first) | UInt64(frame.count) << 32)
            + littleEndian(UInt64(frame.names.count)) + frame.names
        encoded += littleEndian(magic) + littleEndian(checksum(body, at: bytes + encoded.count))
        encoded += body
    }

    private static func checksum(_ body: [UInt8], at offset: Int) -> UInt64 {
        unsafe body.withUnsafeBytes { unsafe Checksum64.of($0, seed: UInt64(offset)) }
    }

    private static func littleEndian(_ word: UInt64) -> [UInt8] {
        unsafe withUnsafeBytes(of: word.littleEndian) { unsafe Array($0) }
    }

    private static func word(_ bytes: [UInt8], at offset: Int) -> UInt64 {
        bytes[offset..<(offset + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
