public import UsageModel

/// How the HTTP edge listens, and what it lets in.
public struct APIConfiguration: Sendable {
    /// The address to listen on. Nothing here asks who calls, so the default is this machine only.
    public var host: String
    /// Further names by which it is asked: of a proxy, of a container.
    public var namesAllowed: [String]
    /// 0 takes any free port.
    public var port: Int
    /// The largest body of one call, in bytes, as sent and as unpacked.
    public var bodyBytesMax: Int
    /// The most bytes of bodies that were let in and are not yet answered, over all connections.
    public var bodyBytesInFlightMax: Int
    /// The most connections; further ones wait in the kernel's queue of 256.
    public var connectionsMax: Int
    /// Seconds of silence after which a connection is closed that owes no answer.
    public var idleSecondsMax: Int

    public init(
        host: String = "127.0.0.1",
        namesAllowed: [String] = [],
        port: Int = 8080,
        bodyBytesMax: Int = Limits.bodyBytesMax,
        bodyBytesInFlightMax: Int = 256 * 1024 * 1024,
        connectionsMax: Int = 4_096,
        idleSecondsMax: Int = 60
    ) {
        (self.host, self.namesAllowed, self.port) = (host, namesAllowed, port)
        (self.bodyBytesMax, self.bodyBytesInFlightMax) = (bodyBytesMax, bodyBytesInFlightMax)
        (self.connectionsMax, self.idleSecondsMax) = (connectionsMax, idleSecondsMax)
    }
}
