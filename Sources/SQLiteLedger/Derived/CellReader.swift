import Metering
import UsageModel

/// Reads the cells of a block, one after another; the spelling is specified in `CellWriter.swift`.
///
/// The bytes passed their checksum before, so a spelling that makes no sense is a defect of ours.
/// It is reported all the same, and never read past the end.
@safe final class CellReader {
    /// The cell that ``next()`` went to.
    private(set) var key = CellKey(kind: 0, subject: 0, bucket: 0, dimensions: 0)
    let states = StateList()

    private var place: UnsafeRawPointer?
    private var end: UnsafeRawPointer?
    private var isSound = true
    private var isFirst = true

    init() { unsafe (place, end) = (nil, nil) }

    /// Begins a block; the bytes must stay until its last cell was read.
    func open(_ bytes: UnsafeRawBufferPointer) {
        unsafe place = bytes.baseAddress
        unsafe end = unsafe bytes.baseAddress.map { unsafe $0 + bytes.count }
        (isSound, isFirst) = (true, true)
    }

    /// What ``next()`` found.
    enum Step { case cell, end, nonsense }

    /// Goes to the next cell of the block.
    func next() -> Step {
        guard unsafe place != end else { return .end }
        let head = byte()
        let field = Int(head & 7)
        var count = Int(head >> 3)
        if count == 31 { count = Int(truncatingIfNeeded: number() & 0xFFFF_FFFF) }
        readKey(from: isFirst ? 0 : field)
        isSound = isSound && field <= 5 && (field == 0 || !isFirst)
        isFirst = false
        states.removeAll()
        if key.kind == CellKey.element {
            var state = MeterState()
            state.count = signed()
            states.append(MeteredState(meter: key.meter, state: state))
            return isSound && count == 1 ? .cell : .nonsense
        }
        if key.kind == CellKey.sample {
            states.append(MeteredState(meter: key.meter, state: readState()))
            return isSound && count == 1 ? .cell : .nonsense
        }
        var meter: UInt32 = 0
        for _ in 0..<count {
            meter &+= UInt32(truncatingIfNeeded: number())
            let state = readState()
            guard isSound else { return .nonsense }
            states.append(MeteredState(meter: meter, state: state))
        }
        return isSound ? .cell : .nonsense
    }

    private func readKey(from field: Int) {
        let before = key
        if field == 0 {
            key = CellKey(kind: byte(), subject: 0, bucket: 0, dimensions: 0)
        }
        if field <= 1 {
            key.subject = (field == 1 ? before.subject : 0) &+ UInt32(truncatingIfNeeded: number())
        }
        if field < 2 {
            key.bucket = Int32(truncatingIfNeeded: signed())
        } else if field == 2 {
            key.bucket &+= Int32(truncatingIfNeeded: number())
        }
        if field <= 3 {
            let base = field == 3 ? before.dimensions : 0
            key.dimensions = base &+ UInt32(truncatingIfNeeded: number())
        }
        guard key.isElement else { return }
        if field <= 4 {
            key.meter = (field == 4 ? before.meter : 0) &+ UInt32(truncatingIfNeeded: number())
        }
        key.element.high = word()
        key.element.low = word()
    }

    private func readState() -> MeterState {
        var state = MeterState()
        let flags = byte()
        state.count = flags & 1 << 6 != 0 ? 1 : signed()
        let form = Int(flags & 7)
        if form >= 6 {
            state.valueLow = word()
            state.valueHigh = word()
        } else if form > 0 {
            let product = number().multipliedFullWidth(by: CellScale.divisors[form - 1])
            (state.valueLow, state.valueHigh) = (product.low, product.high)
            if flags & 1 << 3 != 0 {
                state.valueLow = 0 &- product.low
                state.valueHigh = ~product.high &+ (product.low == 0 ? 1 : 0)
            }
        }
        if form == 7 {
            state.valueTop = Int64(bitPattern: word())
        } else if flags & 1 << 7 == 0 && Int64(bitPattern: state.valueHigh) < 0 {
            state.valueTop = -1
        }
        if flags & 1 << 4 != 0 {
            state.time = signed() &+ Int64(key.bucket) &* CellScale.bucketMicroseconds
        }
        if flags & 1 << 5 != 0 { state.position = number() }
        return state
    }

    @inline(__always)
    private func byte() -> UInt8 {
        guard unsafe place != end else {
            isSound = false
            return 0
        }
        let byte = unsafe place.unsafelyUnwrapped.load(as: UInt8.self)
        unsafe place = unsafe place.unsafelyUnwrapped + 1
        return byte
    }

    private func word() -> UInt64 {
        guard unsafe place != nil, unsafe end.unsafelyUnwrapped - place.unsafelyUnwrapped >= 8
        else {
            isSound = false
            unsafe place = unsafe end
            return 0
        }
        let word = unsafe place.unsafelyUnwrapped.loadUnaligned(as: UInt64.self)
        unsafe place = unsafe place.unsafelyUnwrapped + 8
        return UInt64(littleEndian: word)
    }

    @inline(__always)
    private func signed() -> Int64 {
        let number = number()
        return Int64(bitPattern: number &>> 1) ^ -Int64(bitPattern: number & 1)
    }

    @inline(__always)
    private func number() -> UInt64 {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64 {
            let byte = byte()
            number |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return number }
            shift &+= 7
        }
        isSound = false
        return 0
    }
}
