public import Metering

extension UsageQuery {
    /// Reads the wire's word for a window, so that the edge needs no room of its own for it.
    public static func window(_ text: String) throws(WindowWidthError) -> WindowWidth {
        try WindowWidth(text)
    }

    /// What a caller can do whose window was not understood.
    public static let windowRemedy =
        "give minute, hour, day, week, month, quarter or year, or a part of a day such as 15m or 6h"
}
