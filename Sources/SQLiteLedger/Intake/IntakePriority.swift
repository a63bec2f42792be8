internal import Glibc

/// Intake gives way to whoever asks: a reading that takes half a millisecond would otherwise wait
/// for its turn behind batches that each take one or two.
enum IntakePriority {
    /// How much more the threads of intake are "nice" than the others. Against a thread that is
    /// not, one gets about a quarter of a core they both want; alone, all of it.
    static let niceness: Int32 = 5

    /// Lowers the calling thread; it stays low. Raising is for root, lowering for everybody, and
    /// where the kernel refuses all the same, nothing is lost but the order.
    static func take() { _ = setpriority(Int32(PRIO_PROCESS.rawValue), 0, niceness) }
}
