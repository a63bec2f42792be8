import Foundation
import WireFormat
import Yams

/// A document of a file: what somebody declares to be.
struct DeclaredDocument {
    /// The file, and the number of the document in it where it holds several.
    var place: String
    var value: JSONObject
}

/// Reads files of documents: YAML or JSON, one document or several, or lists of them.
enum DeclaredDocuments {
    /// What of a directory is read, and the rest is left alone.
    private static let suffixes: Set = ["yaml", "yml", "json"]

    /// - Parameter path: A file, a directory (its files in the order of their names, those of inner
    ///   directories too), or `-` for standard input.
    /// - Throws: ``CommandCode/usage`` for what cannot be read, or is no document.
    static func read(_ path: String) throws(CommandFailure) -> [DeclaredDocument] {
        var isDirectory = ObjCBool(false)
        _ = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        guard path != "-", isDirectory.boolValue else { return try documents(in: path) }
        var documents: [DeclaredDocument] = []
        for file in files(below: path) { documents += try self.documents(in: file) }
        return documents
    }

    private static func files(below directory: String) -> [String] {
        let names = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String }
        return (names ?? []).filter { suffixes.contains(($0 as NSString).pathExtension) }
            .sorted().map { (directory as NSString).appendingPathComponent($0) }
    }

    private static func documents(in path: String) throws(CommandFailure) -> [DeclaredDocument] {
        let bytes: [UInt8]
        do {
            let data =
                path == "-"
                ? FileHandle.standardInput.readDataToEndOfFile()
                : try Data(contentsOf: URL(fileURLWithPath: path))
            bytes = Array(data)
        } catch {
            throw CommandFailure(.usage, "cannot read \(path): \(error.localizedDescription)")
        }
        return try documents(bytes, from: path == "-" ? "standard input" : path)
    }

    static func documents(
        _ bytes: [UInt8],
        from name: String
    ) throws(CommandFailure) -> [DeclaredDocument] {
        let values = try values(bytes, from: name)
            .flatMap { $0.arrayValue ?? [$0] }.filter { !$0.isNull }
        var documents: [DeclaredDocument] = []
        for (index, value) in values.enumerated() {
            let place = values.count == 1 ? name : "\(name), document \(index + 1)"
            guard let object = value.objectValue else {
                throw CommandFailure(.usage, "\(place): it is \(value.kindName), not an object")
            }
            documents.append(DeclaredDocument(place: place, value: object))
        }
        return documents
    }

    private static func values(
        _ bytes: [UInt8],
        from name: String
    ) throws(CommandFailure) -> [JSONValue] {
        let first = bytes.first { $0 > 0x20 }
        do {
            // JSON as it is, so that its faults are told by their bytes; but YAML too may begin so.
            let isNamedYAML = name.hasSuffix(".yaml") || name.hasSuffix(".yml")
            if !isNamedYAML, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
                return [try JSONValue.parse(bytes)]
            }
            var documents = try Yams.compose_all(yaml: String(decoding: bytes, as: UTF8.self))
            var values: [JSONValue] = []
            while let document = documents.next() {
                values.append(try JSONValue.parse(Array(YAMLText.json(document).utf8)))
            }
            // The sequence ends at a fault, and says so only afterwards.
            if let fault = documents.error { throw fault }
            return values
        } catch let fault as MalformedBody {
            throw CommandFailure(.usage, "\(name): \(fault)")
        } catch {
            throw CommandFailure(.usage, "\(name) is neither JSON nor YAML: \(error)")
        }
    }
}
