import Metering
import UsageModel

/// Reads a cell run from its first cell to its last.
final class CellRunCursor {
    /// The cell the cursor stands at; meaningless once ``isAtEnd``.
    var key: CellKey { block.cells.key }
    var states: StateList { block.cells.states }
    private(set) var isAtEnd = false

    private let run: CellRun
    private let block = CellBlock()
    private var number = -1

    init(_ run: CellRun) { self.run = run }

    /// Goes to the next cell, at first to the first.
    func advance() throws(DerivedFileError) {
        while true {
            if number >= 0, try run.next(block, number) { return }
            number += 1
            guard number < run.blocks else {
                isAtEnd = true
                return
            }
            try run.load(number, block)
        }
    }
}

extension CellRun {
    /// Merges runs into one: cells with equal keys become one, meter by meter. The merged runs stay
    /// as they are. Memory is that of ``CellRunWriter`` and 64 KiB per run.
    ///
    /// - Parameters:
    ///   - aggregation: How the states of a meter are merged; not asked for elements.
    ///   - pace: Called every 256 cells (some ten microseconds): the place to wait, or to give up
    ///     by throwing; then nothing of the result is left.
    /// - Throws: ``DerivedFileError``, or what `pace` throws.
    static func merge(
        _ runs: [CellRun],
        to path: String,
        store: UInt64,
        aggregation: AggregationOfMeter,
        pace: () throws -> Void = {}
    ) throws -> CellRun {
        let writer = try CellRunWriter(path, store: store)
        var cursors = runs.map { $0.cursor() }
        for cursor in cursors { try cursor.advance() }
        cursors.removeAll { $0.isAtEnd }
        var (merged, spare) = (StateList(), StateList())
        var untilPause = 256
        while !cursors.isEmpty {
            let (least, which, repeats) = least(of: cursors)
            if repeats == 1 {
                try writer.add(least, cursors[which].states)
                try cursors[which].advance()
            } else {
                merged.removeAll()
                let kind = least.kind
                for cursor in cursors where cursor.key == least {
                    spare.fill(merging: merged, cursor.states) { meter in
                        kind == CellKey.element
                            ? .unique
                            : kind == CellKey.sample
                                ? aggregation(meter).ofSamples : aggregation(meter)
                    }
                    swap(&merged, &spare)
                    try cursor.advance()
                }
                try writer.add(least, merged)
            }
            if cursors.contains(where: { $0.isAtEnd }) { cursors.removeAll { $0.isAtEnd } }
            untilPause -= 1
            if untilPause == 0 {
                try pace()
                untilPause = 256
            }
        }
        return try writer.finish()
    }

    /// The least key of the cursors, the first that has it, and how many have it.
    private static func least(
        of cursors: [CellRunCursor]
    ) -> (key: CellKey, which: Int, repeats: Int) {
        var (least, which, repeats) = (cursors[0].key, 0, 1)
        for index in cursors.indices.dropFirst() {
            let key = cursors[index].key
            if key < least {
                (least, which, repeats) = (key, index, 1)
            } else if key == least {
                repeats += 1
            }
        }
        return (least, which, repeats)
    }
}
