public import UsageModel

/// Many paths compiled into one trie, so that one pass over an event answers all of them.
public struct PathSet: Sendable {
    /// How many paths, and slots.
    public let count: Int

    private(set) var nodes: [PathNode] = [PathNode(), PathNode()]
    /// The text of all member names, end to end.
    private(set) var names: [UInt8] = []
    /// Paths that say the same as an earlier one: the slot to fill and the slot to copy.
    private(set) var copies: [(slot: Int, from: Int)] = []
    /// Paths answered by the decoded envelope.
    private(set) var attributes: [(slot: Int, attribute: Attribute)] = []

    /// The place of `data` in the trie.
    static let dataRoot = 0
    /// The place of the event itself, for what the decoder did not set aside.
    static let eventRoot = 1

    /// Compiles the paths.
    ///
    /// - Complexity: O(steps of all paths, times the branches at each).
    public init(_ paths: [EventPath]) {
        count = paths.count
        for (slot, path) in paths.enumerated() { add(path, slot: slot) }
    }

    private mutating func add(_ path: EventPath, slot: Int) {
        guard case .member(let first) = path.steps.first else { return }
        let rest = path.steps.dropFirst()
        let known: Attribute? =
            switch first {
            case "id": .id
            case "source": .source
            case "type": .type
            case "subject": .subject
            default: nil
            }
        if let known {
            // These are texts; nothing lies deeper.
            if rest.isEmpty { attributes.append((slot, known)) }
            return
        }
        var node = first == "data" ? Self.dataRoot : child(of: Self.eventRoot, .member(first))
        for step in rest { node = child(of: node, step) }
        if nodes[node].slot < 0 {
            nodes[node].slot = Int32(slot)
        } else {
            copies.append((slot, Int(nodes[node].slot)))
        }
    }

    private mutating func child(of parent: Int, _ step: EventPath.Step) -> Int {
        switch step {
        case .member(let name): member(Array(name.utf8), of: parent)
        case .element(let index): element(UInt64(index), of: parent)
        }
    }

    private mutating func member(_ name: [UInt8], of parent: Int) -> Int {
        var sibling = Int(nodes[parent].firstMember)
        while sibling != 0 {
            let node = nodes[sibling]
            let start = Int(node.nameOffset)
            if names[start..<start + Int(node.nameCount)] == name[...] { return sibling }
            sibling = Int(node.next)
        }
        var node = PathNode()
        node.nameOffset = UInt32(names.count)
        node.nameCount = UInt32(name.count)
        for (place, byte) in name.prefix(8).enumerated() {
            node.tag |= UInt64(byte) << UInt64(place * 8)
        }
        names += name
        node.next = nodes[parent].firstMember
        nodes[parent].firstMember = UInt32(nodes.count)
        nodes[parent].memberCount += 1
        nodes.append(node)
        return nodes.count - 1
    }

    /// Elements of an array are kept in ascending order, the order they come in.
    private mutating func element(_ index: UInt64, of parent: Int) -> Int {
        var before = -1
        var sibling = Int(nodes[parent].firstElement)
        while sibling != 0, nodes[sibling].tag <= index {
            if nodes[sibling].tag == index { return sibling }
            before = sibling
            sibling = Int(nodes[sibling].next)
        }
        var node = PathNode()
        node.tag = index
        node.next = UInt32(sibling)
        let place = UInt32(nodes.count)
        if before < 0 { nodes[parent].firstElement = place } else { nodes[before].next = place }
        nodes.append(node)
        return nodes.count - 1
    }
}

/// A place that some path leads to, or passes.
struct PathNode: Sendable {
    /// The first eight bytes of the name, the first lowest; or the index of the element.
    var tag: UInt64 = 0
    var nameOffset: UInt32 = 0
    var nameCount: UInt32 = 0
    /// The next child of the same parent; 0 is none (a root is nobody's child).
    var next: UInt32 = 0
    var firstMember: UInt32 = 0
    var firstElement: UInt32 = 0
    var memberCount: UInt32 = 0
    /// The slot of the path that ends here; -1 if none does.
    var slot: Int32 = -1
}
