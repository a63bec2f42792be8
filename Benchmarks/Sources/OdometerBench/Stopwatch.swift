import Glibc

/// Nanoseconds of a clock that never goes back.
func monotonicNanoseconds() -> UInt64 {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}

/// CPU seconds this process has used so far, all threads, user and system.
func ownCPUSeconds() -> Double {
    var now = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}

/// CPU seconds, user and system, of a process, its living children and those it has reaped.
///
/// The kernel counts in ticks of 10 ms, so a difference is good to about 20 ms.
func treeCPUSeconds(of root: pid_t) -> Double {
    var ticks = 0
    for pid in processIDs() {
        guard let stat = processStat(pid) else { continue }
        if pid == root {
            ticks += stat.ownTicks + stat.reapedTicks
        } else if stat.parent == root {
            ticks += stat.ownTicks
        }
    }
    return Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
}

/// The largest resident size a process has had, in bytes; nil when it is gone.
func peakResidentBytes(of pid: pid_t) -> Int? {
    guard let status = fileText("/proc/\(pid)/status") else { return nil }
    for line in status.split(separator: "\n") where line.hasPrefix("VmHWM:") {
        return line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
            .flatMap { Int($0) }.map { $0 * 1_024 }
    }
    return nil
}

private func processIDs() -> [pid_t] {
    guard let folder = unsafe opendir("/proc") else { return [] }
    defer { unsafe closedir(folder) }
    var found: [pid_t] = []
    while let entry = unsafe readdir(folder) {
        let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { raw in
            unsafe String(decoding: raw.prefix(while: { $0 != 0 }), as: UTF8.self)
        }
        if let pid = pid_t(name) { found.append(pid) }
    }
    return found
}

private func processStat(_ pid: pid_t) -> (parent: pid_t, ownTicks: Int, reapedTicks: Int)? {
    // The command, in parentheses, may hold blanks: fields are counted after the last ')'.
    guard let text = fileText("/proc/\(pid)/stat"), let close = text.lastIndex(of: ")") else {
        return nil
    }
    let fields = text[text.index(after: close)...].split(separator: " ")
    guard fields.count > 14, let parent = pid_t(fields[1]) else { return nil }
    let ticks = fields[11...14].compactMap { Int($0) }
    guard ticks.count == 4 else { return nil }
    return (parent, ticks[0] + ticks[1], ticks[2] + ticks[3])
}

/// The whole text of a small file, or nil.
func fileText(_ path: String) -> String? {
    fileBytes(path).map { String(decoding: $0, as: UTF8.self) }
}

/// All of a small file, or nil.
func fileBytes(_ path: String) -> [UInt8]? {
    let file = unsafe open(path, O_RDONLY)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while true {
        let count = unsafe chunk.withUnsafeMutableBytes { raw in
            unsafe read(file, raw.baseAddress, raw.count)
        }
        guard count > 0 else { break }
        bytes.append(contentsOf: chunk[..<count])
    }
    return bytes
}
