import Logging
import UsageModel
import WireFormat

/// What the server runs with, whoever said so.
///
/// There is one precedence: a flag beats the environment, which beats the file, which beats the
/// default. Each value knows where it came from, and `odometer config` shows it.
struct ServeConfiguration: Sendable {
    /// Where a value was said.
    enum Origin: Hashable, Sendable, CustomStringConvertible {
        case standard
        case file(path: String, line: Int)
        case environment(name: String)
        case flag(name: String)

        var description: String {
            switch self {
            case .standard: "default"
            case .file(let path, let line): "\(path):\(line)"
            case .environment(let name): name
            case .flag(let name): "--\(name)"
            }
        }
    }

    struct Limit: Sendable {
        /// The largest body of one call, in bytes, as sent and when unpacked.
        var bodyBytesMax = 0
        /// The most bytes of bodies that were let in and are not yet answered.
        var bodyBytesInFlightMax = 0
        var connectionsMax = 0
        /// Silence after which a connection is closed that owes no answer.
        var idleSecondsMax = 0
        /// How long a shutdown waits for those who were let in.
        var shutdownSeconds = 0
    }

    var listen = ListenAddress(host: "127.0.0.1", port: 8337)
    /// Further names the server is asked by.
    var namesAllowed: [String] = []
    /// The directory that holds everything.
    var data = ""
    var logLevel = Logger.Level.info
    var logFormat = LogFormat.logfmt
    var limits = Limit()
    /// How long the bytes of settled items of the quarantine are kept; nil: for ever.
    var quarantineRetention: TimeLength?
    /// Every setting with its effective text and where it was said.
    private(set) var effective: [ServeSetting: (text: String, origin: Origin)] = [:]

    /// Settles every setting by the one precedence.
    ///
    /// - Parameters:
    ///   - flags: What the command line said.
    ///   - environment: The process's environment; names that are no setting's are not looked at.
    ///   - file: The configuration file, read; nil where there is none.
    /// - Throws: ``ConfigurationFault``, naming the key and the place at fault.
    static func resolve(
        flags: [ServeSetting: String] = [:],
        environment: [String: String] = [:],
        file: ConfigurationFile? = nil
    ) throws(ConfigurationFault) -> ServeConfiguration {
        let said = try file?.settings() ?? [:]
        var configuration = ServeConfiguration()
        for setting in ServeSetting.allCases {
            let text: String
            let origin: Origin
            if let flag = flags[setting] {
                (text, origin) = (flag, .flag(name: setting.flagName))
            } else if let value = environment[setting.environmentName] {
                (text, origin) = (value, .environment(name: setting.environmentName))
            } else if let entry = said[setting], let file {
                (text, origin) = (entry.text, .file(path: file.path, line: entry.line))
            } else {
                (text, origin) = (setting.defaultText, .standard)
            }
            try configuration.adopt(text, for: setting, from: origin)
        }
        return configuration
    }

    private mutating func adopt(
        _ text: String,
        for setting: ServeSetting,
        from origin: Origin
    ) throws(ConfigurationFault) {
        func fault(_ reason: String) -> ConfigurationFault {
            ConfigurationFault("\(setting.name) (\(origin)): \(reason), not \"\(text)\"")
        }
        var number = 0
        if let range = setting.numbers {
            guard let value = Int(text), range.contains(value) else {
                throw fault("a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            number = value
        }
        switch setting {
        case .listen:
            guard let address = ListenAddress(text) else {
                throw fault("HOST:PORT such as 127.0.0.1:8337")
            }
            listen = address
        case .allowHost:
            namesAllowed = text.split { $0 == "," || $0 == " " }.map(String.init)
            guard namesAllowed.allSatisfy(SiteGuard.isName),
                namesAllowed.count <= Limits.allowedHostsMax
            else { throw fault("up to \(Limits.allowedHostsMax) host names without ports") }
        case .data:
            guard !text.isEmpty else { throw fault("a directory") }
            data = text
        case .logLevel:
            guard let level = Logger.Level(rawValue: text.lowercased()) else {
                throw fault(
                    "one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            }
            logLevel = level
        case .logFormat:
            guard let format = LogFormat(rawValue: text.lowercased()) else {
                throw fault("one of \(LogFormat.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            logFormat = format
        case .bodyBytes: limits.bodyBytesMax = number
        case .inFlightBytes: limits.bodyBytesInFlightMax = number
        case .connections: limits.connectionsMax = number
        case .idleSeconds: limits.idleSecondsMax = number
        case .shutdownSeconds: limits.shutdownSeconds = number
        case .quarantineRetention:
            quarantineRetention = TimeLength(text)
            guard quarantineRetention != nil || text == ServeSetting.forEver else {
                throw fault("a number of s, m, h or d such as 90d, or \(ServeSetting.forEver)")
            }
        }
        effective[setting] = (text, origin)
    }
}

/// A configuration that cannot be used: which key, where it was said, and what would do.
struct ConfigurationFault: Error, Hashable, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// Where a server listens: a host name or address, and a port.
struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// Without the brackets of an IPv6 address.
    var host: String
    /// 0 asks for any free port.
    var port: Int

    init(host: String, port: Int) { (self.host, self.port) = (host, port) }

    /// Reads `HOST:PORT`, `[IPv6]:PORT` and `:PORT` (all interfaces).
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        guard let port = UInt16(text[text.index(after: colon)...]) else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.contains(where: \.isWhitespace) else { return nil }
        self.init(host: host.isEmpty ? "0.0.0.0" : String(host), port: Int(port))
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
