import ArgumentParser

/// `odometer config`: what the server would run with, and who said so.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Show each effective setting and where it comes from.",
        discussion: "A flag beats the environment, which beats the file, which beats the default."
    )

    @OptionGroup var flags: ServeFlags

    @Flag(help: "Print JSON for programs.")
    var json = false

    func run() throws {
        let configuration = try flags.configuration()
        var table = Table(["SETTING", "VALUE", "FROM"])
        for setting in ServeSetting.allCases {
            guard let (text, origin) = configuration.effective[setting] else { continue }
            table.add([setting.name, text, "\(origin)"])
        }
        Terminal.put(json ? table.json(named: ["setting", "value", "from"]) : table.text())
    }
}
