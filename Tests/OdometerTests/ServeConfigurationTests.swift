import ArgumentParser
import Logging
import Testing
import UsageModel

@testable import odometer

@Suite("Configuration") struct ServeConfigurationTests {
    @Test("with nothing said, every setting has its default")
    func defaults() throws {
        let configuration = try ServeConfiguration.resolve()
        #expect(configuration.listen == ListenAddress(host: "127.0.0.1", port: 8337))
        #expect(configuration.data == ".odometer")
        #expect(configuration.logLevel == .info)
        #expect(configuration.logFormat == .logfmt)
        #expect(configuration.limits.bodyBytesMax == 64 * 1_024 * 1_024)
        for setting in ServeSetting.allCases {
            #expect(configuration.effective[setting]?.origin == .standard)
        }
    }

    /// Goal: one precedence, for every setting alike. Method: each subset of the three places says
    /// a value of its own; the first of flag, environment, file that speaks must be heard.
    @Test(
        "a flag beats the environment, which beats the file, which beats the default",
        arguments: ServeSetting.allCases,
        0..<8
    )
    func precedence(setting: ServeSetting, places: Int) throws {
        let values: [String] =
            switch setting {
            case .listen: ["a:1", "b:2", "c:3"]
            case .allowHost: ["a.example", "b", "c,d"]
            case .data: ["/a", "/b", "/c"]
            case .logLevel: ["trace", "debug", "error"]
            case .logFormat: ["json", "logfmt", "json"]
            case .quarantineRetention: ["90d", "2h", "3s"]
            default: ["2000000", "2000001", "2000002"].map { setting.small ? "1\($0.last!)" : $0 }
            }
        let (flag, variable, file) = (places & 4 != 0, places & 2 != 0, places & 1 != 0)
        let yaml = setting.name.split(separator: ".").joined(separator: ":\n  ") + ": \(values[2])"

        let configuration = try ServeConfiguration.resolve(
            flags: flag ? [setting: values[0]] : [:],
            environment: variable ? [setting.environmentName: values[1]] : [:],
            file: file ? ConfigurationFile(path: "f.yaml", text: yaml) : nil
        )

        let heard = flag ? values[0] : variable ? values[1] : file ? values[2] : setting.defaultText
        #expect(configuration.effective[setting]?.text == heard)
        let line = setting.name.contains(".") ? 2 : 1
        let origin: ServeConfiguration.Origin =
            if flag {
                .flag(name: setting.flagName)
            } else if variable {
                .environment(name: setting.environmentName)
            } else if file {
                .file(path: "f.yaml", line: line)
            } else {
                .standard
            }
        #expect(configuration.effective[setting]?.origin == origin)
    }

    @Test("the values become what they mean")
    func values() throws {
        let file = ConfigurationFile(
            path: "f.yaml",
            text: """
                # how this machine runs
                listen: "[::1]:80"
                data: /var/lib/odometer
                log: {level: WARNING, format: json}
                limits:
                  connections: 7
                  shutdownSeconds: 0
                """
        )
        let configuration = try ServeConfiguration.resolve(file: file)
        #expect(configuration.listen == ListenAddress(host: "::1", port: 80))
        #expect(configuration.data == "/var/lib/odometer")
        #expect(configuration.logLevel == .warning)
        #expect(configuration.logFormat == .json)
        #expect(configuration.limits.connectionsMax == 7)
        #expect(configuration.limits.shutdownSeconds == 0)
        #expect(configuration.quarantineRetention == nil)
        let kept = try ServeConfiguration.resolve(flags: [.quarantineRetention: "90d"])
        #expect(kept.quarantineRetention == TimeLength("90d"))
    }

    @Test(
        "a file that says something wrong is refused with the key and the line",
        arguments: [
            ("lisen: a:1", "f.yaml:1: unknown key \"lisen\""),
            ("data: x\nlog:\n  colour: red", "f.yaml:3: unknown key \"log.colour\""),
            ("log: info", "f.yaml:1: unknown key \"log\""),
            ("data: [a]", "f.yaml:1: \"data\" takes one value"),
            ("limits:\n  connections: many", "limits.connections (f.yaml:2): a whole number"),
            ("limits:\n  connections: 0", "limits.connections (f.yaml:2): a whole number"),
            ("listen: here", "listen (f.yaml:1): HOST:PORT"),
            ("log:\n  level: loud", "log.level (f.yaml:2): one of trace"),
            (
                "allowHost: a.example:443",
                "allowHost (f.yaml:1): up to 32 host names without ports"
            ),
            (
                "quarantine:\n  retention: 90",
                "quarantine.retention (f.yaml:2): a number of s, m, h or d"
            ),
            ("- a", "f.yaml: settings are"), ("a: [", "f.yaml: "),
            ("log.level: info\nlog:\n  level: debug", "\"log.level\" is said twice"),
        ]
    )
    func faults(text: String, words: String) {
        let file = ConfigurationFile(path: "f.yaml", text: text)
        let fault = #expect(throws: ConfigurationFault.self) {
            try ServeConfiguration.resolve(file: file)
        }
        #expect(fault?.description.contains(words) == true, "\(fault?.description ?? "")")
    }

    @Test("a fault names the variable or the flag it came by")
    func faultOrigin() {
        let variable = #expect(throws: ConfigurationFault.self) {
            try ServeConfiguration.resolve(environment: ["ODOMETER_LOG_FORMAT": "xml"])
        }
        #expect(variable?.description.contains("(ODOMETER_LOG_FORMAT)") == true)
        let flag = #expect(throws: ConfigurationFault.self) {
            try ServeConfiguration.resolve(flags: [.connections: "-1"])
        }
        #expect(flag?.description.contains("(--limits-connections)") == true)
    }

    @Test("an empty file says nothing", arguments: ["", "\n", "# nothing\n"])
    func emptyFile(text: String) throws {
        let file = ConfigurationFile(path: "f.yaml", text: text)
        #expect(try ServeConfiguration.resolve(file: file).data == ".odometer")
    }

    @Test("every setting has a flag of its name")
    func flagNames() throws {
        for setting in ServeSetting.allCases {
            let flags = try ServeFlags.parse(["--\(setting.flagName)", "x"])
            #expect(flags.said == [setting: "x"])
        }
    }

    @Test(
        "an address is a host and a port",
        arguments: [
            ("127.0.0.1:80", "127.0.0.1:80"), (":80", "0.0.0.0:80"), ("[::]:0", "[::]:0"),
            ("a.example:65535", "a.example:65535"), ("a:65536", nil), ("a:", nil), ("a", nil),
            ("::1:80", nil), ("a b:1", nil), ("a:-1", nil),
        ] as [(String, String?)]
    )
    func addresses(text: String, expected: String?) {
        #expect(ListenAddress(text)?.description == expected)
    }
}

extension ServeSetting {
    fileprivate var small: Bool { numbers.map { $0.upperBound < 2_000_003 } ?? false }
}
