import MeteringEngine
import UsageModel
import WireFormat

/// Members of the answers' objects, by what they hold.
extension JSONWriter {
    mutating func object(_ write: (inout JSONWriter) -> Void) {
        beginObject()
        write(&self)
        endObject()
    }

    mutating func object(_ name: String, _ write: (inout JSONWriter) -> Void) {
        self.name(name)
        object(write)
    }

    mutating func array(_ name: String, _ write: (inout JSONWriter) -> Void) {
        self.name(name)
        beginArray()
        write(&self)
        endArray()
    }

    mutating func field(_ name: String, _ text: String) {
        self.name(name)
        string(text)
    }

    mutating func field(_ name: String, utf8: ArraySlice<UInt8>) {
        self.name(name)
        unsafe utf8.withUnsafeBytes { unsafe string($0) }
    }

    /// JSON as it is.
    mutating func field(_ name: String, raw: [UInt8]) {
        self.name(name)
        self.raw(raw)
    }

    mutating func field(_ name: String, _ number: Int) {
        self.name(name)
        integer(number)
    }

    mutating func field(_ name: String, _ truth: Bool) {
        self.name(name)
        bool(truth)
    }

    mutating func field(_ name: String, _ position: Position) {
        field(name, position.description)
    }

    mutating func field(_ name: String, _ instant: Instant) {
        self.name(name)
        self.instant(instant)
    }

    /// A quantity is a text, so that no reader takes it for a binary float.
    mutating func field(_ name: String, _ quantity: Quantity?) {
        self.name(name)
        if let quantity { string(quantity.description) } else { null() }
    }

    mutating func field(_ name: String, _ dimensions: [UsageReading.Value]) {
        object(name) { json in
            for dimension in dimensions {
                json.name(dimension.name)
                if let value = dimension.value { json.string(value) } else { json.null() }
            }
        }
    }
}
