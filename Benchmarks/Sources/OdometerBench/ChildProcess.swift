import Glibc

/// A process this run started, and the only kind it ever signals.
struct ChildProcess: Sendable {
    let pid: pid_t

    /// Starts a program by absolute path, both outputs appended to `log`.
    init(_ arguments: [String], log: String) throws(BenchError) {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(
            &actions,
            1,
            log,
            O_WRONLY | O_CREAT | O_APPEND,
            0o600
        )
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)

        // The run blocks the signals it waits for; its children must not.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
        unsafe words.append(nil)
        defer { unsafe words.forEach { unsafe free($0) } }
        var child: pid_t = 0
        let code = unsafe posix_spawn(&child, arguments[0], &actions, &attributes, words, environ)
        guard code == 0 else { throw BenchError("cannot start \(arguments[0]): error \(code)") }
        pid = child
        Interruption.remember(child)
    }

    /// The exit status once the process has ended, nil while it runs.
    func exitStatus() -> Int32? {
        var status: Int32 = 0
        guard unsafe waitpid(pid, &status, WNOHANG) == pid else { return nil }
        Interruption.forget(pid)
        return status
    }

    /// Waits at most `seconds` for the end; returns the status, or nil if it still runs.
    func wait(seconds: Double) -> Int32? {
        let deadline = monotonicNanoseconds() + UInt64(seconds * 1e9)
        while monotonicNanoseconds() < deadline {
            if let status = exitStatus() { return status }
            usleep(5_000)
        }
        return exitStatus()
    }

    /// Asks with each signal in turn, waiting in between, and kills at last.
    func stop(_ signals: [Int32], secondsEach: Double = 30) {
        for signal in signals + [SIGKILL] {
            kill(pid, signal)
            if wait(seconds: secondsEach) != nil { return }
        }
    }
}

/// A folder under `TMPDIR` (else /var/tmp: on disk, where /tmp may be memory) of this run alone.
struct ScratchFolder: Sendable {
    let path: String

    init(_ name: String) throws(BenchError) {
        let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/var/tmp"
        // mkdtemp replaces the six letters at the end.
        var template = Array("\(parent)/odometer-bench-\(name)-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer -> String? in
            guard let start = buffer.baseAddress else { return nil }
            return unsafe mkdtemp(start).map { unsafe String(cString: $0) }
        }
        guard let made else { throw BenchError("cannot make a folder in \(parent)") }
        path = made
        Interruption.remember(folder: made)
    }

    init(path: String) { self.path = path }

    func remove() {
        _ = try? ChildProcess(["/bin/rm", "-rf", path], log: "/dev/null").wait(seconds: 120)
        Interruption.forget(folder: path)
    }
}

/// A TCP port on 127.0.0.1 that was free a moment ago.
func freePort() throws(BenchError) -> UInt16 {
    let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard probe >= 0 else { throw BenchError("socket: error \(errno)") }
    defer { close(probe) }
    var address = loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            unsafe bind(probe, generic, length) == 0 && getsockname(probe, generic, &length) == 0
        }
    }
    guard isBound else { throw BenchError("bind: error \(errno)") }
    return UInt16(bigEndian: address.sin_port)
}

func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
}
