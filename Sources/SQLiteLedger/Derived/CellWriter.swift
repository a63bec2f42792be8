import Metering
import UsageModel

// How cells are spelled within a block. A number is a varint (7 bits a byte, least first), signed
// ones zigzag. The first cell of a block is spelled as if all of its key differed.
//
//   cell     head byte: bits 0…2 the first field of the key that differs from the cell before
//              (0 kind, 1 subject, 2 bucket, 3 dimensions, 4 meter, 5 element), bits 3…7 the number
//              of states, 31 standing for "a varint follows"
//            key: a kind is a byte; the field that differs, the kind apart, is the difference
//              (always positive); the fields behind it are whole, an element 16 bytes;
//              meter and element in kinds 2 and 3 only
//            kind 2: its count (signed), and no states
//            kind 3: its state, without the meter
//   state    meter (less the one before in the cell), flags, count (signed) unless flagged 1,
//            value, time (less the start of the bucket; signed) and position where flagged
//   flags    bits 0…2 value: 0 none, 1…5 a magnitude as a number of 10^-0, 10^-2, 10^-6, 10^-9,
//            10^-12, 6 the mantissa in 16 bytes, 7 the whole sum in 24 bytes
//            bit 3 the magnitude is negative      bit 4 time      bit 5 position
//            bit 6 the count is 1                 bit 7 a negative mantissa, but the top is zero

/// Decimal scales of the short spellings: form n divides the mantissa by 10 to the nth of these.
enum CellScale {
    static let exponents: [Int] = [18, 16, 12, 9, 6]
    static let divisors: [UInt64] = [
        1_000_000_000_000_000_000, 10_000_000_000_000_000, 1_000_000_000_000, 1_000_000_000,
        1_000_000,
    ]
    static let bucketMicroseconds: Int64 = 900_000_000
}

/// Spells cells into a block. The format is specified above.
@safe final class CellWriter {
    private static let stateBytesMax = 80
    private var capacity = 64 << 10
    private var memory: UnsafeMutableRawPointer
    private var before: CellKey?
    /// The bytes spelled since ``removeAll()``.
    private(set) var count = 0

    init() { unsafe memory = .allocate(byteCount: 64 << 10, alignment: 16) }

    deinit { unsafe memory.deallocate() }

    var bytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: memory, count: count)
    }

    func removeAll() { (count, before) = (0, nil) }

    /// Adds a cell, greater than the one before, with its states by meter.
    func add(_ key: CellKey, _ states: StateList) {
        makeRoom(64 + states.count * Self.stateBytesMax)
        put(key: key, stateCount: states.count)
        before = key
        let all = unsafe states.all
        if key.kind == CellKey.element {
            precondition(states.count == 1)
            return put(signed: unsafe all[0].state.count)
        }
        if key.kind == CellKey.sample {
            precondition(states.count == 1)
            return put(unsafe all[0].state, bucket: key.bucket)
        }
        var meter: UInt32 = 0
        for index in 0..<states.count {
            let state = unsafe all[index]
            put(UInt64(state.meter &- meter))
            meter = state.meter
            put(state.state, bucket: key.bucket)
        }
    }

    private func put(key: CellKey, stateCount: Int) {
        let field = differing(key)
        put(byte: UInt8(field) | UInt8(min(stateCount, 31)) << 3)
        if stateCount >= 31 { put(UInt64(stateCount)) }
        if field == 0 { put(byte: key.kind) }
        if field <= 1 { put(UInt64(key.subject &- (field == 1 ? before!.subject : 0))) }
        if field < 2 {
            put(signed: Int64(key.bucket))
        } else if field == 2 {
            put(UInt64(UInt32(bitPattern: key.bucket &- before!.bucket)))
        }
        if field <= 3 { put(UInt64(key.dimensions &- (field == 3 ? before!.dimensions : 0))) }
        guard key.isElement else { return }
        if field <= 4 { put(UInt64(key.meter &- (field == 4 ? before!.meter : 0))) }
        put(word: key.element.high)
        put(word: key.element.low)
    }

    private func differing(_ key: CellKey) -> Int {
        guard let before, before.kind == key.kind else { return 0 }
        if before.subject != key.subject { return 1 }
        if before.bucket != key.bucket { return 2 }
        if before.dimensions != key.dimensions { return 3 }
        return before.meter != key.meter ? 4 : 5
    }

    private func put(_ state: MeterState, bucket: Int32) {
        let isNegative = Int64(bitPattern: state.valueHigh) < 0
        let isOdd = isNegative && state.valueTop == 0
        let isWide = !isOdd && state.valueTop != (isNegative ? -1 : 0)
        var (form, number) = (0, UInt64(0))
        if isWide {
            form = 7
        } else if state.valueLow != 0 || state.valueHigh != 0 {
            (form, number) = Self.short(state.mantissa.magnitude)
        }
        var flags = UInt8(form)
        if isNegative && (1...5).contains(form) { flags |= 1 << 3 }
        if state.time != 0 { flags |= 1 << 4 }
        if state.position != 0 { flags |= 1 << 5 }
        if state.count == 1 { flags |= 1 << 6 }
        if isOdd { flags |= 1 << 7 }
        put(byte: flags)
        if state.count != 1 { put(signed: state.count) }
        if form >= 6 {
            put(word: state.valueLow)
            put(word: state.valueHigh)
            if form == 7 { put(word: UInt64(bitPattern: state.valueTop)) }
        } else if form > 0 {
            put(number)
        }
        if state.time != 0 {
            put(signed: state.time &- Int64(bucket) &* CellScale.bucketMicroseconds)
        }
        if state.position != 0 { put(state.position) }
    }

    /// The shortest spelling of a magnitude: its form and its number; form 6 if none fits.
    private static func short(_ magnitude: UInt128) -> (form: Int, number: UInt64) {
        let low = UInt64(truncatingIfNeeded: magnitude)
        let high = UInt64(truncatingIfNeeded: magnitude >> 64)
        // 10^n divides only what 2^n divides, which is cheap to ask first.
        let zeros = low == 0 ? 64 : low.trailingZeroBitCount
        for (index, exponent) in CellScale.exponents.enumerated() where zeros >= exponent {
            let divisor = CellScale.divisors[index]
            guard high < divisor else { continue }
            let (quotient, remainder) = divisor.dividingFullWidth((high, low))
            if remainder == 0 { return (index + 1, quotient) }
        }
        return (6, 0)
    }

    private func makeRoom(_ bytes: Int) {
        guard count + bytes > capacity else { return }
        let size = max(capacity * 2, count + bytes)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        unsafe larger.copyMemory(from: memory, byteCount: count)
        unsafe memory.deallocate()
        unsafe (memory, capacity) = unsafe (larger, size)
    }

    private func put(byte: UInt8) {
        unsafe memory.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    private func put(word: UInt64) {
        unsafe memory.storeBytes(of: word.littleEndian, toByteOffset: count, as: UInt64.self)
        count += 8
    }

    private func put(signed number: Int64) {
        put(UInt64(bitPattern: number &<< 1 ^ number &>> 63))
    }

    private func put(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            put(byte: UInt8(truncatingIfNeeded: rest) | 0x80)
            rest &>>= 7
        }
        put(byte: UInt8(truncatingIfNeeded: rest))
    }
}
