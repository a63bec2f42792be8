internal import Foundation
internal import UsageModel

/// Which files the derived state is, and what position of the log they are true for.
///
/// A text file, `derived/manifest`, replaced whole: a line a fact, the last line the checksum of
/// all before it.
///
///     odometer derived state 1
///     store 0f3a…                      the ledger it belongs to
///     position 184467                  all events up to here are in the files
///     commit 2031                      and all commits
///     names 5120 98304                 entries and bytes of derived/names that count
///     file 17                          the number of the next file
///     keys keys-3.run                  oldest first
///     cells cells-4.run
///     backfilled 2 184000              meter type 2's history is counted up to 184000
///     recount 17 21 90000              the books know the changes of meters up to 17, and a pass
///                                      is under way to 21 that has looked at 90000 events
///     checksum 9e3779b97f4a7c15
struct Manifest: Equatable {
    static let fileName = "manifest"
    static let namesFileName = "names"

    var store: [UInt8]
    var position: UInt64 = 0
    var commit: Int64 = 0
    var names: UInt32 = 0
    var namesBytes = 0
    var nextFile = 1
    var keyFiles: [String] = []
    var cellFiles: [String] = []
    var backfilled: [UInt32: UInt64] = [:]
    var recount = Recount()

    init(store: [UInt8]) { self.store = store }

    var text: String {
        var lines = [
            "odometer derived state 1", "store \(Self.hex(store))", "position \(position)",
            "commit \(commit)", "names \(names) \(namesBytes)", "file \(nextFile)",
        ]
        lines += keyFiles.map { "keys \($0)" }
        lines += cellFiles.map { "cells \($0)" }
        lines += backfilled.sorted { $0.key < $1.key }.map { "backfilled \($0.key) \($0.value)" }
        if recount != Recount() {
            lines.append("recount \(recount.done) \(recount.target) \(recount.mark)")
        }
        let body = lines.map { $0 + "\n" }.joined()
        return body + "checksum \(String(checksum64(Array(body.utf8)), radix: 16))\n"
    }

    /// Reads a manifest; nil for a text that is none, or was changed.
    init?(_ text: String) {
        guard let end = text.range(of: "checksum ", options: .backwards) else { return nil }
        let body = String(text[..<end.lowerBound])
        let stated = text[end.upperBound...].dropLast()
        guard UInt64(stated, radix: 16) == checksum64(Array(body.utf8)),
            text.hasSuffix("\n")
        else { return nil }
        var lines = body.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        guard lines.first == ["odometer", "derived", "state", "1"] else { return nil }
        lines.removeFirst()
        store = []
        for words in lines where words.count >= 2 {
            switch words[0] {
            case "store": store = Self.bytes(hex: words[1])
            case "position": position = UInt64(words[1]) ?? 0
            case "commit": commit = Int64(words[1]) ?? 0
            case "names" where words.count == 3:
                (names, namesBytes) = (UInt32(words[1]) ?? 0, Int(words[2]) ?? 0)
            case "file": nextFile = Int(words[1]) ?? 1
            case "keys": keyFiles.append(words[1])
            case "cells": cellFiles.append(words[1])
            case "backfilled" where words.count == 3:
                guard let meter = UInt32(words[1]) else { return nil }
                backfilled[meter] = UInt64(words[2])
            case "recount" where words.count == 4:
                recount = Recount(
                    done: Int64(words[1]) ?? 0,
                    target: Int64(words[2]) ?? 0,
                    mark: UInt64(words[3]) ?? 0
                )
            default: return nil
            }
        }
    }

    /// Writes the manifest beside the old one and puts it in its place; on stable storage on
    /// return.
    func write(in directory: String) throws(DerivedFileError) {
        try DerivedFileWriter.write(
            Array(text.utf8),
            replacing: directory + "/" + Self.fileName
        )
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func bytes(hex: String) -> [UInt8] {
        let digits = hex.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(digits[$0] * 16 + digits[$0 + 1])
        }
    }
}
