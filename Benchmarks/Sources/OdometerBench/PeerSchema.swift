/// The ways a careful team would write the homegrown meter; the fastest stands for the peer.
struct PeerVariant: Sendable {
    /// How 1,000 rows reach the one INSERT.
    enum Input: String, CaseIterable, Sendable {
        /// Ten binary arrays into `unnest`, prepared.
        case unnest
        /// Ten thousand binary parameters of a prepared multi-row VALUES.
        case parameters
        /// One text of multi-row VALUES, parsed each time.
        case values
        /// The request body as one parameter, taken apart by the database.
        case body
    }

    /// Where the five meters live.
    enum Rollup: String, CaseIterable, Sendable {
        /// One row per subject, hour and model with a column per meter: five meters fixed in code.
        case wide
        /// One row per meter, subject, hour and dimension: meters are data, as in Odometer.
        case narrow
    }

    /// How the event's `data` is kept.
    enum Payload: String, CaseIterable, Sendable { case text, json, jsonb }

    var input = Input.unnest
    var rollup = Rollup.wide
    var payload = Payload.text
    /// Whether events go in by key: without that, batches that share keys deadlock, for a second
    /// each time; where no key comes twice the sort is spared.
    var isOrdered = false

    var name: String { "\(input.rawValue), \(rollup.rawValue) rollups, \(payload.rawValue)" }
}

extension PeerVariant {
    /// Tables of the peer; rollups leave room on the page so that updates stay on it (HOT).
    var schema: String {
        let events = """
            create table events (
              source text not null, id text not null, type text not null, subject text not null,
              time timestamptz not null, data \(payload.rawValue) not null, model text not null,
              tokens_in int not null, tokens_out int not null, storage bigint not null,
              primary key (source, id));
            """
        switch rollup {
        case .wide:
            return events + """
                create table rollup (
                  subject text not null, hour timestamptz not null, model text not null,
                  tokens_in bigint not null, tokens_out bigint not null, requests bigint not null,
                  largest int not null, latest_at timestamptz not null, latest bigint not null,
                  primary key (subject, hour, model)) with (fillfactor = 70);
                """
        case .narrow:
            return events + """
                create table rollup (
                  meter smallint not null, subject text not null, hour timestamptz not null,
                  dimension text not null, value bigint not null, events bigint not null,
                  latest_at timestamptz not null,
                  primary key (subject, hour, meter, dimension)) with (fillfactor = 70);
                """
        }
    }

    static let columns =
        "source, id, type, subject, time, data, model, tokens_in, tokens_out, storage"

    /// One statement, so one round trip and one transaction: the new events, and of exactly those
    /// the rollups, locked in key order so that two batches cannot deadlock. Answers how many
    /// events were new.
    func statement(rows: String) -> String {
        """
        with batch (\(Self.columns)) as (\(rows)),
        fresh as (
          insert into events (\(Self.columns))
          select source, id, type, subject, time, data::\(payload.rawValue), model,
                 tokens_in, tokens_out, storage from batch\(isOrdered ? " order by source, id" : "")
          on conflict (source, id) do nothing
          returning subject, date_bin('1 hour', time, '2000-01-01 00:00:00Z') as hour, time, model,
                    tokens_in, tokens_out, storage),
        \(rollup == .wide ? Self.wideUpsert : Self.narrowUpsert)
        select count(*) from fresh
        """
    }

    // The latest storage of a cell is the largest (time, storage) pair: sorted text would be
    // slower, and an ordered array_agg slower still.
    private static let latest = """
        max(array[(extract(epoch from time) * 1000000)::bigint, storage])
        """

    private static let wideUpsert = """
        kept as (
          insert into rollup as r (subject, hour, model, tokens_in, tokens_out, requests, largest,
                                   latest_at, latest)
          select subject, hour, model, sum(tokens_in), sum(tokens_out), count(*), max(tokens_in),
                 max(time), (\(latest))[2]
          from fresh group by subject, hour, model order by subject, hour, model
          on conflict (subject, hour, model) do update set
            tokens_in = r.tokens_in + excluded.tokens_in,
            tokens_out = r.tokens_out + excluded.tokens_out,
            requests = r.requests + excluded.requests,
            largest = greatest(r.largest, excluded.largest),
            latest = case when excluded.latest_at >= r.latest_at
                          then excluded.latest else r.latest end,
            latest_at = greatest(r.latest_at, excluded.latest_at))
        """

    private static let narrowUpsert = """
        by_model as (
          select subject, hour, model, sum(tokens_in)::bigint as tokens_in,
                 sum(tokens_out)::bigint as tokens_out, count(*) as requests,
                 max(tokens_in) as largest, max(time) as latest_at, \(latest) as latest
          from fresh group by subject, hour, model),
        cells as (
          select subject, hour, sum(tokens_in)::bigint as tokens_in,
                 sum(requests)::bigint as requests, max(largest)::bigint as largest,
                 max(latest_at) as latest_at, (max(latest))[2] as latest
          from by_model group by subject, hour),
        changes as (
          select v.meter, subject, hour, '' as dimension, v.value, requests as events, latest_at
          from cells, lateral (values (1::smallint, tokens_in), (3::smallint, requests),
            (4::smallint, largest), (5::smallint, latest)) as v (meter, value)
          union all
          select 2::smallint, subject, hour, model, tokens_out, requests, latest_at from by_model),
        kept as (
          insert into rollup as r (meter, subject, hour, dimension, value, events, latest_at)
          select meter, subject, hour, dimension, value, events, latest_at from changes
          order by subject, hour, meter, dimension
          on conflict (subject, hour, meter, dimension) do update set
            value = case r.meter
              when 4 then greatest(r.value, excluded.value)
              when 5 then case when excluded.latest_at >= r.latest_at
                               then excluded.value else r.value end
              else r.value + excluded.value end,
            events = r.events + excluded.events,
            latest_at = greatest(r.latest_at, excluded.latest_at))
        """

    /// Totals in the order requests, tokens in, largest, then tokens out by model, blank-separated.
    var totalsQuery: String {
        let models = Inference.models.map { "'\($0)'" }
        switch rollup {
        case .wide:
            let byModel = models.map { "sum(tokens_out) filter (where model = \($0))" }
            return "select concat_ws(' ', sum(requests), sum(tokens_in), max(largest), "
                + byModel.joined(separator: ", ") + ") from rollup"
        case .narrow:
            let byModel = models.map {
                "sum(value) filter (where meter = 2 and dimension = \($0))"
            }
            return "select concat_ws(' ', sum(value) filter (where meter = 3), "
                + "sum(value) filter (where meter = 1), max(value) filter (where meter = 4), "
                + byModel.joined(separator: ", ") + ") from rollup"
        }
    }
}
