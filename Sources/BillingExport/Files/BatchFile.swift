import Compression
import Crypto
import FoundationEssentials
import MeteringEngine
import UsageModel
import WireFormat

/// The file of a batch: the same batch gives the same name and the same bytes.
struct BatchFile: Sendable {
    /// Relative to the place, folders included.
    var name: String
    var bytes: [UInt8]
    var contentType: String

    init(_ batch: DeliveryBatch, name: String, _ rules: FileRules) throws(CompressionError) {
        let format = rules.format
        let (plain, type) =
            switch format {
            case .csv: (Self.csv(batch), "text/csv; charset=utf-8")
            case .ndjson: (batch.lines, "application/x-ndjson")
            case .json: (Self.list(batch), "application/json")
            }
        let kind = batch.isTest ? ".test." : "."
        self.name = name + kind + format.rawValue + (rules.isZipped ? ".gz" : "")
        bytes = rules.isZipped ? try Self.zipped(plain) : plain
        contentType = rules.isZipped ? "application/gzip" : type
    }

    /// What is written beside it once it is there, for who fetches it: what it is, and what its
    /// deltas add up to by meter type; null where the sum does not fit a quantity.
    ///
    ///     {"file":"acme-1-2.csv","bytes":812,"sha256":"…","records":2,"first":"1","last":"2",
    ///      "sums":{"kwh":"12.5"},"createdAt":"…Z"}
    func manifest(_ batch: DeliveryBatch) -> BatchFile {
        var file = self
        let document: JSONValue = [
            "file": .string(name),
            "bytes": .number(String(bytes.count)),
            "sha256": .string(SHA256.hash(data: bytes).hex),
            "records": .number(String(batch.items.count)),
            "first": .string(String(batch.items[0].number)),
            "last": .string(String(batch.items[batch.items.count - 1].number)),
            "sums": .object(Self.sums(batch)),
            "createdAt": .string(batch.sentAt.rfc3339),
        ]
        file.name += ".manifest.json"
        file.bytes = document.serialized(pretty: true) + [UInt8(ascii: "\n")]
        file.contentType = "application/json"
        return file
    }

    /// In the order of the meter types' keys.
    private static func sums(_ batch: DeliveryBatch) -> JSONObject {
        var sums: [MeterTypeKey: Quantity?] = [:]
        for record in batch.items.map(\.record) {
            let key = record.meter.meterType
            guard let sum = sums[key, default: .zero] else { continue }
            sums[key] = .some(try? sum.adding(record.delta))
        }
        return sums.sorted { $0.key < $1.key }.reduce(into: JSONObject()) { object, entry in
            object[entry.key.text] = entry.value.map { .string($0.description) } ?? .null
        }
    }

    private static func csv(_ batch: DeliveryBatch) -> [UInt8] {
        var csv = CSVWriter()
        csv.row(UsageRecordTable.header)
        for item in batch.items { UsageRecordTable.write(item.record, to: &csv) }
        return csv.bytes
    }

    /// A JSON array, a record a line.
    private static func list(_ batch: DeliveryBatch) -> [UInt8] {
        var bytes = Array("[".utf8)
        for (index, item) in batch.items.enumerated() {
            bytes += (index == 0 ? "\n" : ",\n").utf8
            bytes += JSONValue.object(batch.document(of: item)).serialized()
        }
        return bytes + "\n]\n".utf8
    }

    private static func zipped(_ bytes: [UInt8]) throws(CompressionError) -> [UInt8] {
        let outcome = unsafe bytes.withUnsafeBytes { raw in
            Result { () throws(CompressionError) in try unsafe Gzip.compress(raw) }
        }
        return try outcome.get()
    }
}
