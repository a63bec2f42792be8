public import Metering
import UsageModel

/// How a time is written in a file.
public enum TimeFormat: Hashable, Sendable {
    /// RFC 3339 with any offset; a time without one is read in the zone given.
    case rfc3339
    /// A number since the epoch in units of 10^-digits seconds, with or without a fraction.
    case unix(digits: Int)
    case pattern(TimePattern)

    /// Reads `rfc3339`, `unix`, `unix-ms`, `unix-us`, `unix-ns`, or a ``TimePattern``.
    public init(_ text: String) throws(IntakeFault) {
        switch text {
        case "rfc3339": self = .rfc3339
        case "unix", "unix-s": self = .unix(digits: 0)
        case "unix-ms": self = .unix(digits: 3)
        case "unix-us": self = .unix(digits: 6)
        case "unix-ns": self = .unix(digits: 9)
        case _ where text.contains("%"): self = .pattern(try TimePattern(text))
        default:
            throw IntakeFault(
                """
                time format "\(text)" is none of rfc3339, unix, unix-ms, unix-us, unix-ns, or a \
                pattern such as "%Y-%m-%d %H:%M:%S.%f"
                """
            )
        }
    }
}

/// Turns a time as a file writes it into the time of an event, exactly: all digits of a fraction
/// are kept, none is made up.
public struct TimeReader: Sendable {
    let format: TimeFormat
    /// Where times without an offset were written down. Of a time that the clock showed twice it is
    /// the earlier; a time that it skipped is shifted forward by the gap.
    let zone: TimeZoneRules?
    /// What a unix time counts from, in seconds since 1970.
    let epochSeconds: Int

    /// - Parameter epoch: What `unix…` times count from, RFC 3339 in whole seconds; nil for 1970.
    /// - Throws: ``IntakeFault`` where the parts do not go together.
    public init(
        format: TimeFormat,
        zone: TimeZoneRules? = nil,
        epoch: String? = nil
    ) throws(IntakeFault) {
        (self.format, self.zone) = (format, zone)
        if case .pattern(let pattern) = format, !pattern.hasOffset, zone == nil {
            throw IntakeFault(
                """
                time format "\(pattern.text)" does not say how far from UTC: add a time zone, such \
                as UTC or Europe/Berlin
                """
            )
        }
        guard let epoch else {
            epochSeconds = 0
            return
        }
        guard case .unix = format else {
            throw IntakeFault("an epoch goes with the time formats unix, unix-ms, unix-us, unix-ns")
        }
        guard let start = Instant(rfc3339: epoch), start.microseconds % 1_000_000 == 0 else {
            throw IntakeFault("epoch \"\(epoch)\" is no RFC 3339 time in whole seconds")
        }
        epochSeconds = Int(start.microseconds / 1_000_000)
    }

    /// Appends the time as RFC 3339 in UTC, or in the offset it was written with.
    ///
    /// - Returns: Whether the text could be read; nothing is appended where not.
    func append(_ text: ArraySlice<UInt8>, to bytes: inout [UInt8]) -> Bool {
        switch format {
        case .rfc3339: appendRFC3339(text, to: &bytes)
        case .unix(let digits): appendUnix(text, digits: digits, to: &bytes)
        case .pattern(let pattern): append(pattern.read(text), of: text, to: &bytes)
        }
    }

    private func appendRFC3339(_ text: ArraySlice<UInt8>, to bytes: inout [UInt8]) -> Bool {
        let reading = unsafe text.withUnsafeBytes { unsafe Instant.read(rfc3339: $0) }
        switch reading {
        case .invalid: return false
        case .instant:
            bytes += text
            return true
        case .missingOffset:
            guard zone != nil else { return false }
            return append(Self.local.read(text), of: text, to: &bytes)
        }
    }

    private static let local = TimePattern(steps: [
        .year, .byte(UInt8(ascii: "-")), .month, .byte(UInt8(ascii: "-")), .day, .separator,
        .hour, .byte(UInt8(ascii: ":")), .minute, .byte(UInt8(ascii: ":")), .second,
        .fraction(sign: UInt8(ascii: ".")),
    ])

    private func append(
        _ written: WrittenTime?,
        of text: ArraySlice<UInt8>,
        to bytes: inout [UInt8]
    ) -> Bool {
        guard let time = written else { return false }
        let local = LocalDateTime(
            CivilDate(year: time.year, month: time.month, day: time.day),
            microsecondOfDay: Int64((time.hour * 60 + time.minute) * 60 + time.second) * 1_000_000
        )
        let seconds: Int
        if let offset = time.offsetSeconds {
            seconds = Int(local.microseconds / 1_000_000) - offset
        } else if let zone {
            seconds = Int(zone.instant(ofLocal: local).microseconds / 1_000_000)
        } else {
            return false
        }
        let fraction = time.fraction.isEmpty ? [] : text[time.fraction]
        return Self.append(seconds: seconds, fraction: fraction, to: &bytes)
    }

    /// A decimal number, split into whole seconds (floored) and the digits after them.
    private func appendUnix(
        _ text: ArraySlice<UInt8>,
        digits: Int,
        to bytes: inout [UInt8]
    ) -> Bool {
        var cursor = TextCursor(text: text)
        let isNegative = cursor.skip(UInt8(ascii: "-"))
        let whole = text[cursor.takeDigits()]
        var fraction: [UInt8] = []
        if cursor.skip(UInt8(ascii: ".")) {
            fraction = Array(text[cursor.takeDigits()])
            guard !fraction.isEmpty else { return false }
        }
        guard cursor.rest.isEmpty, 1...18 ~= whole.count, fraction.count <= 64 else { return false }
        let lead = whole.dropLast(digits)
        let zeros = [UInt8](repeating: 0x30, count: max(digits - whole.count, 0))
        fraction = zeros + whole.suffix(digits) + fraction
        while fraction.last == 0x30 { fraction.removeLast() }
        var seconds = lead.reduce(0) { $0 * 10 + Int($1 &- 0x30) }
        if isNegative {
            seconds = -seconds
            if !fraction.isEmpty {
                // -0.25 is a quarter before: the second before it, and three quarters.
                seconds -= 1
                fraction = Self.complement(of: fraction)
            }
        }
        return Self.append(
            seconds: seconds + epochSeconds,
            fraction: fraction[...],
            to: &bytes
        )
    }

    /// One less the fraction; the last digit is not zero.
    private static func complement(of fraction: [UInt8]) -> [UInt8] {
        var digits = fraction.map { 0x39 - ($0 - 0x30) }
        digits[digits.count - 1] += 1
        return digits
    }

    private static func append(
        seconds: Int,
        fraction: ArraySlice<UInt8>,
        to bytes: inout [UInt8]
    ) -> Bool {
        let (microseconds, overflow) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000)
        let instant = Instant(microseconds: microseconds)
        guard !overflow, Instant.earliest <= instant, instant <= Instant.latest else {
            return false
        }
        instant.appendRFC3339(to: &bytes)
        guard !fraction.isEmpty else { return true }
        bytes.removeLast()
        bytes.append(UInt8(ascii: "."))
        bytes += fraction
        bytes.append(UInt8(ascii: "Z"))
        return true
    }
}
