/// Why a file, a mapping or a pattern cannot be used as it was described. Words for people.
public struct IntakeFault: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}
