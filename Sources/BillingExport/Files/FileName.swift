import MeteringEngine
import UsageModel
import WireFormat

/// Names of files, made of batches by a template; they stay below the place, and no two batches
/// have one.
struct FileName: Sendable {
    /// Of one step of a name; what is added to it must fit the 255 bytes of file systems.
    static let stepBytesMax = 200
    static let bytesMax = 900

    private let template: Template

    /// - Throws: ``FieldFault`` at the pointer.
    init(_ text: String, at pointer: String) throws(FieldFault) {
        template = try Template(text, .file, at: pointer)
        guard template.places.contains(where: { ["first", "last"].contains($0.field) }) else {
            throw FieldFault(
                pointer: pointer,
                reason: "one batch would overwrite the file of another",
                remedy: "put `${first}` or `${last}` into it, the numbers of a batch's deliveries"
            )
        }
        let example: JSONObject = ["destination": "d", "first": "1", "last": "1"]
        let filled = template.filled(
            example.joined(to: ["count": "1", "date": "2026-01-01", "meterType": "m"])
        )
        if let reason = Self.fault(of: filled) {
            throw FieldFault(
                pointer: pointer,
                reason: reason,
                remedy: "write a name such as `${date}/${destination}-${first}-${last}`"
            )
        }
    }

    /// The name of a batch's file, without what says its format.
    func text(_ batch: DeliveryBatch) throws(UnfitValue) -> String {
        let types = Set(batch.items.map(\.record.meter.meterType))
        var fields = batch.fields
        let end = batch.items[0].record.period.upperBound
        fields["date"] = .string(String(end.rfc3339.prefix(10)))
        fields["meterType"] = .string(types.count == 1 ? types.first?.text ?? "" : "mixed")
        let name = template.filled(fields)
        if let reason = Self.fault(of: name) { throw UnfitValue(reason: reason) }
        return name
    }

    private static func fault(of name: String) -> String? {
        if name.hasPrefix("/") { return "the name of a file would begin at the root" }
        if name.utf8.count > bytesMax { return "the name of a file would be too long" }
        for step in name.split(separator: "/", omittingEmptySubsequences: false) {
            if step.isEmpty { return "the name of a file would have a step that is empty" }
            if step.hasPrefix(".") { return "a step of a file's name would begin with a point" }
            if step.utf8.count > stepBytesMax { return "a step of a file's name would be too long" }
            if step.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
                return "the name of a file would hold a control character"
            }
        }
        return nil
    }
}
