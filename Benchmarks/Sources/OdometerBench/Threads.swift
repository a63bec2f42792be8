import Glibc

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Starts a kernel thread.
@discardableResult
func startThread(_ body: @escaping @Sendable () -> Void) throws(BenchError) -> pthread_t {
    var thread = pthread_t()
    let box = unsafe Unmanaged.passRetained(ThreadBody(body))
    let code = unsafe pthread_create(
        &thread,
        nil,
        { context in
            if let context = unsafe context {
                unsafe Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run()
            }
            return nil
        },
        box.toOpaque()
    )
    if code != 0 { throw BenchError("pthread_create: error \(code)") }
    return thread
}

/// Runs a body on `count` kernel threads at once and returns once all have ended.
///
/// Kernel threads, not tasks: the bodies block in `libpq` and `epoll`, which the cooperative pool
/// with its two threads must never do.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws(BenchError) {
    var threads: [pthread_t] = []
    for index in 0..<count { threads.append(try startThread { body(index) }) }
    for thread in threads { pthread_join(thread, nil) }
}
