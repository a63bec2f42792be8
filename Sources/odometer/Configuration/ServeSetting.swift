import UsageModel

/// One thing that can be set: the table of all of them, with their names and defaults.
///
/// A setting has one name in three spellings: `limits.bodyBytes` in the file,
/// `ODOMETER_LIMITS_BODY_BYTES` in the environment, `--limits-body-bytes` as a flag.
enum ServeSetting: String, CaseIterable, Hashable, Sendable {
    case listen
    case allowHost
    case data
    case logLevel = "log.level"
    case logFormat = "log.format"
    case bodyBytes = "limits.bodyBytes"
    case inFlightBytes = "limits.inFlightBytes"
    case connections = "limits.connections"
    case idleSeconds = "limits.idleSeconds"
    case shutdownSeconds = "limits.shutdownSeconds"
    case quarantineRetention = "quarantine.retention"

    /// The name in the file.
    var name: String { rawValue }

    /// The name in the environment.
    var environmentName: String { "ODOMETER_" + spelled(with: "_").uppercased() }

    /// The name as a flag, without the dashes before it.
    var flagName: String { spelled(with: "-") }

    private func spelled(with separator: Character) -> String {
        var text = ""
        for character in rawValue {
            if character == "." {
                text.append(separator)
            } else if character.isUppercase {
                text.append(separator)
                text.append(character.lowercased())
            } else {
                text.append(character)
            }
        }
        return text
    }

    var defaultText: String {
        switch self {
        case .listen: "127.0.0.1:8337"
        case .allowHost: ""
        case .data: ".odometer"
        case .logLevel: "info"
        case .logFormat: "logfmt"
        case .bodyBytes: "\(Limits.bodyBytesMax)"
        case .inFlightBytes: "\(256 * 1_024 * 1_024)"
        case .connections: "4096"
        case .idleSeconds: "60"
        case .shutdownSeconds: "30"
        case .quarantineRetention: Self.forEver
        }
    }

    /// One sentence for `--help` and the reference.
    var meaning: String {
        switch self {
        case .listen: "Address and port to listen on: HOST:PORT; port 0 takes any free one."
        case .allowHost:
            "Another name the server is asked by, such as a proxy's; may repeat, or commas."
        case .data: "Directory that holds everything; made when missing."
        case .logLevel: "One of trace, debug, info, notice, warning, error, critical."
        case .logFormat: "One of logfmt, json."
        case .bodyBytes: "The largest body of one call, in bytes, as sent and when unpacked."
        case .inFlightBytes: "The most bytes let in and not answered; more is refused with 503."
        case .connections: "The most open connections; further ones wait."
        case .idleSeconds: "Silence after which a connection is closed, in seconds."
        case .shutdownSeconds: "How long a shutdown waits for those who were let in, in seconds."
        case .quarantineRetention:
            "How long the bytes of settled items are kept: a number of s, m, h or d, or forever."
        }
    }

    /// The values a limit may take; nil for settings that are no number.
    var numbers: ClosedRange<Int>? {
        switch self {
        case .bodyBytes: 1_024...Limits.bodyBytesMax
        case .inFlightBytes: 1_048_576...(1 << 40)
        case .connections: 1...65_535
        case .idleSeconds: 1...86_400
        case .shutdownSeconds: 0...3_600
        case .listen, .allowHost, .data, .logLevel, .logFormat, .quarantineRetention: nil
        }
    }

    /// A length of time that has no end.
    static let forEver = "forever"
}
