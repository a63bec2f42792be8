import Metering
import UsageModel

/// The states of one cell, by meter: memory that is used again for the next cell.
@safe final class StateList {
    private var capacity = 16
    private var states: UnsafeMutablePointer<MeteredState>
    private(set) var count = 0

    init() { unsafe states = .allocate(capacity: 16) }

    deinit { unsafe states.deallocate() }

    func removeAll() { count = 0 }

    func append(_ state: MeteredState) {
        if count == capacity {
            let larger = UnsafeMutablePointer<MeteredState>.allocate(capacity: capacity * 2)
            unsafe larger.moveInitialize(from: states, count: count)
            unsafe states.deallocate()
            unsafe (states, capacity) = unsafe (larger, capacity * 2)
        }
        unsafe (states + count).initialize(to: state)
        count += 1
    }

    /// The states, valid until the list changes.
    var all: UnsafeMutableBufferPointer<MeteredState> {
        unsafe UnsafeMutableBufferPointer(start: states, count: count)
    }

    /// Brings the states into the order of their meters; those of a cell mostly are.
    func sort() {
        var all = unsafe all
        var index = 1
        while index < count {
            if unsafe all[index].meter < all[index - 1].meter {
                return unsafe all.sort { $0.meter < $1.meter }
            }
            index += 1
        }
    }

    /// Merges the states of two lists, both in the order of their meters, into this one.
    func fill(merging one: StateList, _ other: StateList, _ aggregation: AggregationOfMeter) {
        removeAll()
        let (left, right) = unsafe (one.all, other.all)
        var (here, there) = (0, 0)
        while here < one.count && there < other.count {
            let (leftMeter, rightMeter) = unsafe (left[here].meter, right[there].meter)
            if leftMeter < rightMeter {
                unsafe append(left[here])
                here += 1
            } else if rightMeter < leftMeter {
                unsafe append(right[there])
                there += 1
            } else {
                var merged = unsafe left[here]
                unsafe merged.state.merge(right[there].state, aggregation(leftMeter))
                append(merged)
                (here, there) = (here + 1, there + 1)
            }
        }
        for index in here..<max(one.count, here) { unsafe append(left[index]) }
        for index in there..<max(other.count, there) { unsafe append(right[index]) }
    }
}
