import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel

/// Who calls, as the headers of a call say it; for the audit trail.
enum AuthorHeaders {
    static let actor = HTTPField.Name("Odometer-Actor")!
    static let reason = HTTPField.Name("Odometer-Reason")!

    /// - Throws: `invalid-field` for a name or reason that is too long.
    static func author(
        _ call: Call,
        _ address: String
    ) throws(Refusal) -> Author {
        let headers = call.request.headers
        let limits = [(actor, Limits.authorBytesMax), (reason, Limits.reasonBytesMax)]
        let faults = limits.compactMap { name, most -> FieldFault? in
            let count = headers[name]?.utf8.count ?? 0
            guard count > most else { return nil }
            return FieldFault(
                pointer: name.rawName,
                reason: "it has \(count) bytes",
                remedy: "say it in \(most) bytes"
            )
        }
        guard faults.isEmpty else { throw .fields(faults) }
        return Author(
            name: headers[actor] ?? "",
            address: address,
            client: shortened(headers[.userAgent] ?? ""),
            reason: headers[reason] ?? ""
        )
    }

    /// Browsers' names are long, and nobody chose them: they are cut, not refused.
    private static func shortened(_ name: String) -> String {
        guard name.utf8.count > Limits.auditClientBytesMax else { return name }
        var short = ""
        for character in name {
            let count = short.utf8.count + character.utf8.count
            guard count <= Limits.auditClientBytesMax else { break }
            short.append(character)
        }
        return short
    }
}
