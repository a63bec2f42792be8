import Glibc

/// A closed connection is an error to report, not a signal to die of.
private let noSignal = Int32(MSG_NOSIGNAL)

/// One keep-alive connection of the load generator; lives on one thread.
struct LoadConnection: ~Copyable {
    enum Progress {
        /// The kernel's buffer is full; ask again when it is writable.
        case sending
        case receiving
        case answered
    }

    let socket: Int32
    private(set) var request: Int?
    private(set) var sentAt: UInt64 = 0
    private(set) var answer = HTTPAnswer()
    private var offset = 0
    /// When a refused request may be sent again.
    var parkedUntil: UInt64?

    init(port: UInt16) throws(BenchError) {
        socket = try connectedSocket(port: port)
        _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
    }

    deinit { close(socket) }

    mutating func begin(_ request: Int, _ tape: RequestTape) {
        self.request = request
        offset = tape.requests[request].lowerBound
        parkedUntil = nil
        answer.reset()
        sentAt = monotonicNanoseconds()
    }

    mutating func finish() { request = nil }

    /// Sends what the kernel takes.
    mutating func send(_ tape: RequestTape) throws(BenchError) -> Progress {
        guard let request else { return .receiving }
        let end = tape.requests[request].upperBound
        while offset < end {
            let count = unsafe tape.bytes.withUnsafeBytes { raw in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: raw[offset..<end])
                return unsafe Glibc.send(socket, rest.baseAddress, rest.count, noSignal)
            }
            if count < 0 {
                if errno == EAGAIN { return .sending }
                throw BenchError("send: error \(errno)")
            }
            offset += count
        }
        return .receiving
    }

    /// Reads what has come, through a buffer that all connections of a thread share.
    mutating func receive(_ buffer: inout [UInt8]) throws(BenchError) -> Progress {
        let count = unsafe buffer.withUnsafeMutableBytes { raw in
            unsafe recv(socket, raw.baseAddress, raw.count, 0)
        }
        if count < 0, errno == EAGAIN { return .receiving }
        guard count > 0 else { throw BenchError("the server closed a connection (\(errno))") }
        answer.append(buffer[..<count])
        return answer.isWhole() ? .answered : .receiving
    }
}

/// A blocking TCP connection to 127.0.0.1, without Nagle's delay.
func connectedSocket(port: UInt16) throws(BenchError) -> Int32 {
    let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard made >= 0 else { throw BenchError("socket: error \(errno)") }
    var address = loopback(port: port)
    let isConnected = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            unsafe connect(made, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
    guard isConnected else {
        let code = errno
        close(made)
        throw BenchError("connect to port \(port): error \(code)")
    }
    var one: Int32 = 1
    unsafe setsockopt(made, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
    return made
}

/// One call on a connection of its own, for everything but the load.
func call(_ method: String, _ path: String, port: UInt16, body: String = "")
    throws(BenchError) -> HTTPAnswer
{
    let link = try connectedSocket(port: port)
    defer { close(link) }
    let request = Array(
        """
        \(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\
        Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)
        """.utf8
    )
    _ = unsafe request.withUnsafeBytes { raw in
        unsafe send(link, raw.baseAddress, raw.count, noSignal)
    }
    var answer = HTTPAnswer()
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while !answer.isWhole() {
        let count = unsafe buffer.withUnsafeMutableBytes { raw in
            unsafe recv(link, raw.baseAddress, raw.count, 0)
        }
        guard count > 0 else { throw BenchError("\(method) \(path): no whole answer") }
        answer.append(buffer[..<count])
    }
    return answer
}
