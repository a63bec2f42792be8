import Glibc
import MeteringEngine

@main
enum OdometerBench {
    static let usage = """
        usage: odometer-bench COMMAND [options]

          peer      the homegrown meter: PostgreSQL 15, 4 connections, batches of 1,000
          http      the server end to end: --server-bin PATH
          engine    everything but HTTP, in this process, durable before each answer
          floor     what any durable intake must pay: decode, hash, compress, fsync
          keys      a large history: old events again, readings beside intake, a restart
          calendar  reset schedules: boundaries per second
          expressions  an expression beside a plain path, per event
          compare   peer and server on the same events, one after the other, with ratios
          sample    prints three events of the workload

        workload:   --events 1m --subjects 10k --seed 1 --rate EVENTS_PER_SECOND (else one month)
                    --late 0.02 --duplicates 0 --sequential-ids
        peer:       --input unnest|parameters|values|body|all --rollup wide|narrow|all
                    --payload text|json|jsonb|all --connections 4 --batch 1000 --warm-up 50k
                    --seconds 60 --settings name=value,…
        engine:     --batch 1000 --meter-types 5 --connections 4 --warm-up 50k
        http:       --server-bin PATH --batch 1,100,1000,5000 --connections 4 --threads 1
                    --meter-types 1,5 --warm-up 50k --seconds 60
        """

    static func main() async {
        do {
            try Interruption.watch()
            try await run(CommandLine.arguments.dropFirst())
        } catch {
            say("odometer-bench: \(error)")
            exit(1)
        }
    }

    static func run(_ words: ArraySlice<String>) async throws {
        var options = try Options(words.dropFirst())
        switch words.first {
        case "peer": try peer(&options)
        case "http": try http(&options)
        case "engine": try await engine(&options)
        case "floor": try await floor(&options)
        case "keys": try await keys(&options)
        case "calendar": try calendar(&options)
        case "expressions": try expressions(&options, zones: SystemTimeZones())
        case "compare": try compare(&options)
        case "sample": try sample(&options)
        default: say(usage)
        }
    }

    static func workloadShape(_ options: inout Options) throws(BenchError) -> WorkloadShape {
        var shape = WorkloadShape()
        shape.count = try options.number("events", default: shape.count)
        shape.subjects = try options.number("subjects", default: shape.subjects)
        shape.seed = UInt64(try options.number("seed", default: 1))
        shape.ratePerSecond = try options.real("rate")
        shape.lateShare = try options.real("late") ?? shape.lateShare
        shape.duplicateShare = try options.real("duplicates") ?? 0
        shape.hasSequentialIDs = options.flag("sequential-ids")
        return shape
    }

    static func peerPlan(_ options: inout Options) throws(BenchError) -> PeerPlan {
        var plan = PeerPlan()
        plan.connections = try options.number("connections", default: plan.connections)
        plan.batchSize = try options.number("batch", default: plan.batchSize)
        plan.warmUpEvents = try options.number("warm-up", default: plan.warmUpEvents)
        plan.secondsMax = try options.real("seconds") ?? plan.secondsMax
        plan.extraSettings = (options.text("settings") ?? "").split(separator: ",").map(String.init)
        return plan
    }

    private static func peer(_ options: inout Options) throws(BenchError) {
        let shape = try workloadShape(&options)
        var plan = try peerPlan(&options)
        let inputs = try options.choices("input", default: [plan.variant.input])
        let rollups = try options.choices("rollup", default: [plan.variant.rollup])
        let payloads = try options.choices("payload", default: [plan.variant.payload])
        try options.finish()
        let workload = Workload(shape)
        say(Measurement.header)
        for input in inputs {
            for rollup in rollups {
                for payload in payloads {
                    plan.variant = PeerVariant(input: input, rollup: rollup, payload: payload)
                    say(try measurePeer(workload, plan).markdown)
                }
            }
        }
    }

    static func serverPlan(_ options: inout Options) throws(BenchError) -> ServerPlan {
        var plan = ServerPlan()
        guard let binary = options.text("server-bin"), binary.hasPrefix("/") else {
            throw BenchError("--server-bin PATH is needed, absolute")
        }
        plan.binary = binary
        plan.warmUpEvents = try options.number("warm-up", default: plan.warmUpEvents)
        plan.load.connections = try options.number("connections", default: 4)
        plan.load.threads = try options.number("threads", default: 1)
        plan.load.secondsMax = try options.real("seconds") ?? 60
        return plan
    }

    private static func http(_ options: inout Options) throws(BenchError) {
        let shape = try workloadShape(&options)
        var plan = try serverPlan(&options)
        let sizes = try sizes(&options)
        try options.finish()
        let workload = Workload(shape)
        say(Measurement.header)
        for size in sizes {
            (plan.batchSize, plan.meterTypes) = size
            say(try measureServer(workload, plan).markdown)
        }
    }

    /// Every combination of the sizes of batches and numbers of meter types that were asked for.
    private static func sizes(
        _ options: inout Options
    ) throws(BenchError) -> [(batch: Int, meterTypes: Int)] {
        let batches = try options.numbers("batch", default: [1_000])
        let meterTypes = try options.numbers("meter-types", default: [5])
        return meterTypes.flatMap { count in batches.map { ($0, count) } }
    }

    static func enginePlan(_ options: inout Options) throws(BenchError) -> EnginePlan {
        var plan = EnginePlan()
        plan.connections = try options.number("connections", default: plan.connections)
        plan.warmUpEvents = try options.number("warm-up", default: plan.warmUpEvents)
        return plan
    }

    private static func engine(_ options: inout Options) async throws {
        let shape = try workloadShape(&options)
        var plan = try enginePlan(&options)
        let sizes = try sizes(&options)
        try options.finish()
        let workload = Workload(shape)
        say(Measurement.header)
        for size in sizes {
            (plan.batchSize, plan.meterTypes) = size
            say(try await measureEngine(workload, plan).markdown)
        }
    }

    private static func keys(_ options: inout Options) async throws {
        var plan = KeysPlan()
        var shape = try workloadShape(&options)
        shape.count = try options.number("events", default: 10_000_000)
        plan.engine = try enginePlan(&options)
        plan.engine.meterTypes = try options.number("meter-types", default: 5)
        plan.again = try options.number("again", default: plan.again)
        plan.readings = try options.number("readings", default: plan.readings)
        try options.finish()
        try await KeysRun(shape: shape, plan: plan).run()
    }

    private static func floor(_ options: inout Options) async throws {
        let shape = try workloadShape(&options)
        var plan = try enginePlan(&options)
        plan.batchSize = try options.number("batch", default: plan.batchSize)
        try options.finish()
        let workload = Workload(shape)
        say(Measurement.header)
        for step in FloorStep.allCases {
            say(try await measureFloor(workload, step, plan).markdown)
        }
    }

    /// The promise of the project: server against homegrown peer, same machine, same events.
    private static func compare(_ options: inout Options) throws(BenchError) {
        let shape = try workloadShape(&options)
        var plan = try serverPlan(&options)
        var peerPlan = try peerPlan(&options)
        peerPlan.connections = 4
        plan.batchSize = 1_000
        try options.finish()
        let workload = Workload(shape)
        say(Measurement.header)
        let peer = try measurePeer(workload, peerPlan)
        say(peer.markdown)
        let server = try measureServer(workload, plan)
        say(server.markdown)
        say("")
        say("| ratio, server to peer | |\n|---|--:|")
        let wall = server.eventsPerSecond / peer.eventsPerSecond
        let cpu = server.eventsPerCPUSecond / peer.eventsPerCPUSecond
        say("| events/s | \(decimal(wall, places: 2)) |")
        say("| events per CPU-second | \(decimal(cpu, places: 2)) |")
    }

    private static func sample(_ options: inout Options) throws(BenchError) {
        var shape = try workloadShape(&options)
        try options.finish()
        shape.count = max(shape.count, 3)
        let workload = Workload(shape)
        for event in workload.events.prefix(3) {
            var bytes: [UInt8] = []
            event.appendCloudEvent(to: &bytes)
            say("\(bytes.count) bytes: \(String(decoding: bytes, as: UTF8.self))")
        }
    }
}
