import MeteringEngine
import UsageModel
import WireFormat

/// A place that holds files by name. Writing a name again replaces it, at once and as a whole.
protocol FileStore: Sendable {
    /// Returns once the file is durable under its name.
    func put(_ file: BatchFile) async -> DeliveryOutcome
}

/// A file for each batch, and beside it, once it is there, a manifest.
struct FilesOutlet: RecordOutlet {
    private let rules: FileRules
    private let name: FileName
    private let store: any FileStore

    init(_ rules: FileRules, _ courier: Courier) throws(FieldFault) {
        self.rules = rules
        name = try FileName(rules.fileName, at: "/name")
        store =
            switch rules.place {
            case .directory(let path): try Directory(path, courier.clock)
            case .bucket(let bucket): try BucketStore(bucket, courier)
            }
    }

    func send(_ batch: DeliveryBatch) async -> DeliveryOutcome {
        let file: BatchFile
        do {
            file = try BatchFile(batch, name: name.text(batch), rules)
        } catch let error as UnfitValue {
            return .refused(status: nil, reason: error.reason)
        } catch {
            return .retry(status: nil, reason: "cannot pack the file: \(error)", after: nil)
        }
        let outcome = await store.put(file)
        guard rules.hasManifest, case .delivered = outcome else { return outcome }
        let beside = await store.put(file.manifest(batch))
        guard case .delivered = beside else { return beside }
        return outcome
    }
}
