import Glibc
import Synchronization

/// What this run has started and made, so that an interrupted run leaves nothing behind.
enum Interruption {
    private static let left = Mutex((pids: Set<pid_t>(), folders: Set<String>()))

    static func remember(_ pid: pid_t) { left.withLock { _ = $0.pids.insert(pid) } }
    static func forget(_ pid: pid_t) { left.withLock { _ = $0.pids.remove(pid) } }
    static func remember(folder: String) { left.withLock { _ = $0.folders.insert(folder) } }
    static func forget(folder: String) { left.withLock { _ = $0.folders.remove(folder) } }

    /// Waits for SIGINT and SIGTERM on a thread of its own. Call before any other thread starts.
    static func watch() throws(BenchError) {
        var signals = terminating
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        try startThread {
            var signals = terminating
            var caught: Int32 = 0
            unsafe sigwait(&signals, &caught)
            cleanUp()
            _exit(128 + caught)
        }
    }

    private static var terminating: sigset_t {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGINT)
        unsafe sigaddset(&signals, SIGTERM)
        return signals
    }

    private static func cleanUp() {
        let (pids, folders) = left.withLock { $0 }
        // PostgreSQL's children end with their parent on SIGQUIT; a killed parent orphans them.
        for pid in pids { kill(pid, SIGQUIT) }
        for pid in pids {
            for _ in 0..<400 where kill(pid, 0) == 0 && waitpid(pid, nil, WNOHANG) == 0 {
                usleep(5_000)
            }
            kill(pid, SIGKILL)
        }
        for folder in folders { ScratchFolder(path: folder).remove() }
    }
}
