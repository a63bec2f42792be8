import ArgumentParser

/// `odometer completions`: lets a shell complete commands and flags.
struct CompletionsCommand: ParsableCommand {
    enum Shell: String, CaseIterable, ExpressibleByArgument { case bash, zsh, fish }

    static let configuration = CommandConfiguration(
        commandName: "completions",
        abstract: "Print the script that lets a shell complete commands and flags.",
        discussion: """
              odometer completions bash > /etc/bash_completion.d/odometer
              odometer completions zsh > "${fpath[1]}/_odometer"
              odometer completions fish > ~/.config/fish/completions/odometer.fish
            """
    )

    @Argument(help: "bash, zsh or fish.") var shell: Shell

    func run() throws {
        let script =
            switch shell {
            case .bash: Odometer.completionScript(for: .bash)
            case .zsh: Odometer.completionScript(for: .zsh)
            case .fish: Odometer.completionScript(for: .fish)
            }
        Terminal.put(script + "\n")
    }
}
