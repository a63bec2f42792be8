import ArgumentParser
import Foundation

/// The flags of every command that needs the server's configuration. `serve` takes them as an
/// `@OptionGroup` and calls ``configuration()``.
struct ServeFlags: ParsableArguments {
    @Option(
        help: "Configuration file (YAML). Environment: ODOMETER_CONFIG.",
        completion: .file(extensions: ["yaml", "yml"])
    )
    var config: String?

    @Option(help: ArgumentHelp("\(ServeSetting.listen.meaning)"))
    var listen: String?

    @Option(help: ArgumentHelp("\(ServeSetting.allowHost.meaning)"))
    var allowHost: [String] = []

    @Option(help: ArgumentHelp("\(ServeSetting.data.meaning)"), completion: .directory)
    var data: String?

    @Option(help: ArgumentHelp("\(ServeSetting.logLevel.meaning)"))
    var logLevel: String?

    @Option(help: ArgumentHelp("\(ServeSetting.logFormat.meaning)"))
    var logFormat: String?

    @Option(help: ArgumentHelp("\(ServeSetting.bodyBytes.meaning)"))
    var limitsBodyBytes: String?

    @Option(help: ArgumentHelp("\(ServeSetting.inFlightBytes.meaning)"))
    var limitsInFlightBytes: String?

    @Option(help: ArgumentHelp("\(ServeSetting.connections.meaning)"))
    var limitsConnections: String?

    @Option(help: ArgumentHelp("\(ServeSetting.idleSeconds.meaning)"))
    var limitsIdleSeconds: String?

    @Option(help: ArgumentHelp("\(ServeSetting.shutdownSeconds.meaning)"))
    var limitsShutdownSeconds: String?

    @Option(help: ArgumentHelp("\(ServeSetting.quarantineRetention.meaning)"))
    var quarantineRetention: String?

    /// What was said on the command line, by setting.
    var said: [ServeSetting: String] {
        let all: [(ServeSetting, String?)] = [
            (.listen, listen),
            (.allowHost, allowHost.isEmpty ? nil : allowHost.joined(separator: ",")), (.data, data),
            (.logLevel, logLevel), (.logFormat, logFormat),
            (.bodyBytes, limitsBodyBytes), (.inFlightBytes, limitsInFlightBytes),
            (.connections, limitsConnections), (.idleSeconds, limitsIdleSeconds),
            (.shutdownSeconds, limitsShutdownSeconds),
            (.quarantineRetention, quarantineRetention),
        ]
        var said: [ServeSetting: String] = [:]
        for (setting, text) in all { said[setting] = text }
        return said
    }

    /// Reads the environment and the file, and settles everything.
    ///
    /// - Throws: ``CommandFailure`` with ``CommandCode/usage``.
    func configuration() throws(CommandFailure) -> ServeConfiguration {
        let environment = ProcessInfo.processInfo.environment
        var file: ConfigurationFile?
        if let path = config ?? environment["ODOMETER_CONFIG"], !path.isEmpty {
            do {
                let text = try String(contentsOfFile: path, encoding: .utf8)
                file = ConfigurationFile(path: path, text: text)
            } catch {
                throw CommandFailure(.usage, "cannot read the configuration \(path): \(error)")
            }
        }
        do throws(ConfigurationFault) {
            return try .resolve(flags: said, environment: environment, file: file)
        } catch {
            throw CommandFailure(.usage, "\(error)")
        }
    }
}
