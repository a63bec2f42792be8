import Glibc
import MeteringTestKit
import Testing
import UsageModel

@testable import SQLiteLedger

/// A directory of a test's own, removed with it.
final class ScratchDirectory {
    let path: String

    init() {
        var template = Array("/tmp/odometer-derived-XXXXXX".utf8CString)
        path = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe String(cString: mkdtemp(buffer.baseAddress!))
        }
    }

    deinit {
        for name in names { unsafe _ = unlink(path + "/" + name) }
        unsafe _ = rmdir(path)
    }

    func callAsFunction(_ name: String) -> String { path + "/" + name }

    /// The names in the directory, sorted.
    var names: [String] {
        guard let directory = unsafe opendir(path) else { return [] }
        defer { unsafe _ = closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe String(cString: UnsafeRawPointer(field).assumingMemoryBound(to: CChar.self))
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

/// Whole files as bytes, for comparing and damaging.
enum FileBytes {
    static func read(_ path: String) throws -> [UInt8] {
        let file = try DerivedFile(reading: path)
        return try file.bytes(at: 0, count: file.count)
    }

    static func write(_ bytes: [UInt8], _ path: String) throws {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(descriptor >= 0)
        defer { _ = close(descriptor) }
        try DerivedFileWriter.write(bytes, to: descriptor, at: 0, path)
    }

    /// Damages one byte in place.
    static func flip(_ path: String, at offset: Int, from byte: UInt8) throws {
        let descriptor = unsafe open(path, O_WRONLY)
        try #require(descriptor >= 0)
        defer { _ = close(descriptor) }
        try DerivedFileWriter.write([byte], to: descriptor, at: offset, path)
    }
}

extension SeededGenerator {
    mutating func key() -> KeyHash { KeyHash(high: next(), low: next()) }

    /// A key that often equals another, or half of one.
    mutating func crowdedKey() -> KeyHash {
        KeyHash(high: next() % 40 &* 0x0666_0000_0000_0000, low: next() % 50)
    }
}

func code(_ body: () throws -> Void) -> DerivedFileError.Code? {
    do {
        try body()
        return nil
    } catch { return (error as? DerivedFileError)?.code }
}
