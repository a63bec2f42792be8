import Glibc

/// A private PostgreSQL 15 of this run: own folder, own socket, own port on 127.0.0.1.
struct PostgresCluster {
    static let programs = "/usr/lib/postgresql/15/bin"

    /// Tuned for the peer's good on 2 cores and 24 GiB, with every acknowledged commit durable.
    ///
    /// No checkpoint falls into a run of some minutes; compression of full pages costs it little
    /// and saves writes; a C locale compares keys by bytes; JIT would only compile what is cheap.
    static let settings = [
        "synchronous_commit=on", "fsync=on", "full_page_writes=on", "shared_buffers=2GB",
        "max_wal_size=8GB", "min_wal_size=4GB", "checkpoint_timeout=30min", "wal_buffers=64MB",
        "wal_compression=lz4", "effective_cache_size=12GB", "work_mem=64MB",
        "maintenance_work_mem=512MB", "max_connections=20", "jit=off", "huge_pages=try",
        "plan_cache_mode=force_generic_plan", "autovacuum=on", "autovacuum_naptime=10s",
        "max_wal_senders=0", "wal_level=minimal", "log_min_messages=warning",
    ]

    let folder: ScratchFolder
    let port: UInt16
    let server: ChildProcess

    /// Makes and starts a cluster; returns once it answers.
    init(extraSettings: [String]) throws(BenchError) {
        folder = try ScratchFolder("postgres")
        port = try freePort()
        let path = folder.path
        let log = "\(path)/log"
        var prefix: [String] = []
        if geteuid() == 0 {
            // PostgreSQL refuses root; Debian's package made the account.
            guard let account = unsafe getpwnam("postgres") else {
                throw BenchError("no account postgres: apt-get install postgresql-15")
            }
            let user = unsafe account.pointee.pw_uid
            let group = unsafe account.pointee.pw_gid
            guard unsafe chown(path, user, group) == 0 else {
                throw BenchError("chown \(path): error \(errno)")
            }
            prefix = [
                "/usr/bin/setpriv", "--reuid=\(user)", "--regid=\(group)", "--clear-groups", "--",
            ]
        }
        let creation = try ChildProcess(
            prefix + [
                "\(Self.programs)/initdb", "-D", "\(path)/data", "-A", "trust", "-U", "postgres",
                "-E", "UTF8", "--locale=C", "--wal-segsize=64", "--no-sync",
            ],
            log: log
        )
        guard creation.wait(seconds: 120) == 0 else { throw BenchError("initdb failed: \(log)") }
        var arguments = prefix + ["\(Self.programs)/postgres", "-D", "\(path)/data"]
        arguments += ["-k", path, "-p", "\(port)", "-c", "listen_addresses=127.0.0.1"]
        for setting in Self.settings + extraSettings { arguments += ["-c", setting] }
        server = try ChildProcess(arguments, log: log)
        try waitUntilReady(log: log)
    }

    var connectionString: String {
        "host=\(folder.path) port=\(port) user=postgres dbname=postgres"
    }

    private func waitUntilReady(log: String) throws(BenchError) {
        for _ in 0..<600 {
            if (try? PostgresSession(connectionString)) != nil { return }
            if server.exitStatus() != nil { break }
            usleep(50_000)
        }
        throw BenchError("postgres did not start: \(fileText(log) ?? "no log")")
    }

    /// Stops the server (fast shutdown, then immediate) and removes its folder.
    func remove() {
        server.stop([SIGINT, SIGQUIT], secondsEach: 60)
        folder.remove()
    }
}
