"""What holds for every destination: filters, pauses, the pace; thresholds, and how soon they are
told; what a comparison with the other side finds."""

import csv
import time

import exact
import odometer_check as check
import outlet_house
import receivers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def put_sink(house, key, **options):
    """A webhook that takes everything."""
    sink = house.receiver(receivers.Sink())
    house.put(key, "webhook", {"url": sink.url, "secrets": [SECRET]}, **options)
    return sink


class Filters(outlet_house.Part):
    name = "filters and pauses"
    FILTERS = {
        "by-type": ({"meterTypes": ["calls"]}, lambda record: record["meterType"] == "calls"),
        "by-category": ({"categories": ["energy"]},
                        lambda record: record.get("category") == "energy"),
        "by-customer": ({"customers": ["bolt"]},
                        lambda record: record.get("customer") == "bolt"),
        "by-kind": ({"kinds": ["adjustment"]}, lambda record: record["kind"] == "adjustment"),
        "by-all": ({"meterTypes": ["kwh"], "customers": ["acme"], "kinds": ["final"]},
                   lambda record: (record["meterType"], record.get("customer"), record["kind"])
                   == ("kwh", "acme", "final")),
    }

    def begin(self):
        self.sinks = {
            key: put_sink(self.house, key, filter=filter)
            for key, (filter, _) in self.FILTERS.items()
        }
        self.paused = put_sink(self.house, "paused")

    def judge(self):
        house, tally = self.house, self.tally
        # Those of other parts are none of customers, and have other categories.
        records = house.records()
        for key, (_, takes) in self.FILTERS.items():
            house.delivered(key)
            passed = [record for record in records if takes(record)]
            tally.check(0 < len(passed) < len(records), f"{key} takes some, not all")
            house.each_once(self.sinks[key].records, passed, key)
        return self._pause()

    def _pause(self):
        house, tally = self.house, self.tally
        house.delivered("paused")
        code, output = house.command("destinations", "pause", "paused")
        tally.check(code == 0 and "paused" in output, "pause", output)
        before = len(self.paused.records)
        late = [house.late("house-2", "1"), house.late("house-2", "-0.5")]
        # The others have it by now, and a while has passed.
        house.delivered("by-category")
        time.sleep(1)
        tally.equal(len(self.paused.records), before, "nothing is sent while it is paused")
        standing = house.standing("paused")
        due = int(standing["pending"]) + int(standing["waiting"])
        tally.check(due >= len(late), "what is due waits", standing)
        code, output = house.command("destinations", "resume", "paused")
        tally.check(code == 0 and "active" in output, "resume", output)
        house.delivered("paused")
        tally.equal([record["id"] for record in self.paused.records[before:]],
                    [record["id"] for record in late], "what waited comes in its order")
        house.each_once(self.paused.records, house.records(), "after a pause")
        return f"{len(self.FILTERS)} filters, {len(late)} records waited"


class Pace(outlet_house.Part):
    """So many a second, however many are due."""

    name = "pace"
    RATE, RECORDS = 20, 60
    SECONDS = (2.8, 6)

    def judge(self):
        house = self.house
        house.client.json("POST", "/v1/meter-types", {
            "key": "pace", "eventTypes": ["pace"], "aggregation": "count",
            "resetSchedule": "hourly", "gracePeriod": "0s", "zeroUsageRecords": False,
        }, expected=(201,))
        sink = put_sink(house, "pace", filter={"meterTypes": ["pace"]}, ratePerSecond=self.RATE,
                        concurrency=16)
        moment = house.this_hour - 2 * exact.HOUR
        house.send([house.event("pace", f"p{number}", moment) for number in range(self.RECORDS)])
        check.until(lambda: len(sink.asked) >= self.RECORDS, "all records at their pace", 30)
        house.delivered("pace")
        arrivals = [asked.at for asked in sink.asked]
        took = arrivals[-1] - arrivals[0]
        least, most = self.SECONDS
        self.tally.check(least <= took <= most,
                         f"{self.RECORDS} records at {self.RATE} a second take {took:.2f} s")
        in_one = max(
            sum(1 for at in arrivals if start <= at < start + 1) for start in arrivals
        )
        self.tally.check(in_one <= self.RATE * 1.25, f"{in_one} records in one second")
        house.each_once(sink.records, house.records(["pace"]), "pace")
        gap = self._trickle()
        return (f"{self.RECORDS} records in {took:.2f} s, at most {in_one} in one; "
                f"one a second: {gap:.2f} s apart")

    def _trickle(self):
        """The pace holds from one record to the next, also where each comes by itself."""
        house = self.house
        sink = put_sink(house, "slow", filter={"meterTypes": ["pace"]}, ratePerSecond=1)
        moment = house.this_hour - 3 * exact.HOUR
        for number in range(4):
            house.send([house.event("pace", f"q{number}", moment)])
            time.sleep(0.4)
        check.until(lambda: len(sink.asked) >= 4, "all records at their pace", 10)
        arrivals = [asked.at for asked in sink.asked]
        gap = min(after - before for before, after in zip(arrivals, arrivals[1:]))
        self.tally.check(gap >= 0.9, f"records at one a second come {gap:.2f} s apart",
                         [f"{at - arrivals[0]:.2f}" for at in arrivals])
        return gap


class Aggregation:
    """A meter type with three thresholds that one event crosses, and what else may come then.

    big: The value of the event that crosses them. more: One that stays above them.
    """

    def __init__(self, name, amounts, big, more, **fields):
        self.name, self.key, self.event_type = name, f"t-{name}", f"t.{name}"
        self.amounts, self.big, self.more, self.fields = amounts, big, more, fields

    def definition(self, **schedule):
        value = {} if self.name == "count" else {"value": "$.data.v"}
        return {
            "key": self.key, "eventTypes": [self.event_type], "aggregation": self.name,
            "category": "watched", "capacity": self.amounts[-1], "zeroUsageRecords": False,
            # By amount and by percentage of the capacity.
            "thresholds": [{"name": "low", "amount": self.amounts[0]},
                           {"amount": self.amounts[1]}, {"percent": "100"}],
            **value, **self.fields, **schedule,
        }

    def told(self):
        """What is told of the three, the least first."""
        return [("low", self.amounts[0]), (self.amounts[1], self.amounts[1]),
                ("100%", self.amounts[2])]


AGGREGATIONS = [
    Aggregation("count", ("0.25", "0.5", "1"), "1", "1"),
    Aggregation("sum", ("10", "20.5", "30"), "30", "100"),
    Aggregation("max", ("10", "20", "30"), "31", "5"),
    Aggregation("unique", ("1", "2", "3"), ["a", "b", "c"], ["a", "d"]),
    Aggregation("latest", ("10", "20", "30"), "30", "30.5"),
    Aggregation("average", ("10", "20", "30"), "40", "40"),
    Aggregation("percentile", ("10", "20", "30"), "40", "50", percentile="95"),
    Aggregation("time-weighted", ("10", "20", "30"), "1000000", "1000000", timeUnit="second",
                carryMax="60s"),
]


class Thresholds(outlet_house.Part):
    """Three thresholds in one event: three interim records within a second.

    The hour before this one is open still by its grace, so that two periods run at one time, and
    nobody has to wait for the next.
    """

    name = "thresholds"
    SECONDS_MAX = 1.0

    def begin(self):
        self.sink = put_sink(self.house, "interim",
                             filter={"categories": ["watched"], "kinds": ["interim"]})
        for each in AGGREGATIONS:
            self.house.client.json(
                "POST", "/v1/meter-types",
                each.definition(resetSchedule="hourly", gracePeriod="3h"), expected=(201,),
            )
        self.latencies = {each.key: [] for each in AGGREGATIONS}

    def judge(self):
        now = time.time_ns() // 1_000
        this = outlet_house.hour(now)
        last = this - exact.HOUR
        # A minute of the gauge fits before the end of the hour, and before now where there was one.
        periods = [(last, last + 30 * exact.MINUTE), (this, max(this, now - 5 * exact.MINUTE))]
        for start, moment in periods:
            for each in AGGREGATIONS:
                self._cross(each, start, moment)
            self._go_on(moment)
        for key, latencies in self.latencies.items():
            words = ", ".join(f"{latency * 1000:.0f}" for latency in latencies)
            print(f"    {key}: {words} ms", flush=True)
        every = [latency for some in self.latencies.values() for latency in some]
        self.tally.check(every, "latencies were measured")
        return f"{len(every)} interim records, the slowest after {max(every) * 1000:.0f} ms"

    def _of(self, each):
        return [pair for pair in self.sink.arrivals if pair[1]["meterType"] == each.key]

    def _cross(self, each, start, moment):
        house, tally = self.house, self.tally
        before = len(self._of(each))
        answered = house.send([house.event(each.event_type, "tower", moment, v=each.big)])
        deadline = answered + 5
        while len(self._of(each)) < before + 3 and time.monotonic() < deadline:
            time.sleep(0.005)
        new = self._of(each)[before:]
        self.latencies[each.key] += [at - answered for at, _ in new]
        tally.equal(
            [(record["threshold"]["name"], record["threshold"]["amount"], record["cause"],
              record["period"]["start"], record["delta"]) for _, record in new],
            [(name, amount, "threshold", exact.rfc3339(start), "0")
             for name, amount in each.told()],
            f"{each.key}: the three thresholds",
        )
        for at, record in new:
            tally.check(at - answered < self.SECONDS_MAX,
                        f"{each.key}: {at - answered:.2f} s after the answer", record)

    def _go_on(self, moment):
        """Events that cross nothing make no record."""
        house = self.house
        before = len(self.sink.asked)
        house.send([
            house.event(each.event_type, "tower", moment + exact.SECOND * turn, v=each.more)
            for turn in (1, 2) for each in AGGREGATIONS
        ])
        time.sleep(1.5)
        told = [(record["meterType"], record["cause"]) for record in self.sink.records[before:]]
        self.tally.equal(told, [], "what is told is not told again")


class Minutes(outlet_house.Part):
    """The same by the clock: a minute ends and has its record; the next one tells all anew."""

    name = "a minute by the clock"
    TYPE = Aggregation("sum", ("10", "20.5", "30"), "30", "100")

    def begin(self):
        self.TYPE.key, self.TYPE.event_type = "t-minute", "t.minute"
        definition = self.TYPE.definition(resetSchedule={"every": "minute"}, gracePeriod="0s")
        self.house.client.json("POST", "/v1/meter-types", {**definition, "category": "clock"},
                               expected=(201,))
        self.sink = put_sink(
            self.house, "clock",
            filter={"categories": ["clock"], "kinds": ["interim", "final", "adjustment"]},
        )
        self.first = self._cross()

    def _cross(self):
        """The start of the minute in which one event crosses all."""
        left = 60 - time.time() % 60
        if left < 5:
            time.sleep(left)
        now = time.time_ns() // 1_000
        self.house.send([self.house.event("t.minute", "tower", now, v=self.TYPE.big)])
        return now - now % exact.MINUTE

    def _wait(self, start, count, seconds_max=5):
        """(when, record) of each of a minute, once there are so many."""
        def of_period():
            return [pair for pair in self.sink.arrivals
                    if exact.microseconds(pair[1]["period"]["start"]) == start]

        check.until(lambda: len(of_period()) >= count, f"{count} records of a minute", seconds_max)
        return of_period()

    def judge(self):
        end = (self.first + exact.MINUTE) / exact.SECOND
        told = self._wait(self.first, 4, 65)
        records = [record for _, record in told]
        self.tally.equal(
            [(record["kind"], record["value"]) for record in records],
            3 * [("interim", self.TYPE.big)] + [("final", self.TYPE.big)],
            "the thresholds of a minute, and when it is over its record",
        )
        # When it came, by the clock.
        took = time.time() - (time.monotonic() - told[3][0]) - end
        self.tally.check(0 <= took < 2, f"it came {took:.2f} s after the end of the minute")
        second = self._cross()
        self.tally.check(second > self.first, "another minute is running")
        told = self._wait(second, 3)
        self.tally.equal(
            [(record["threshold"]["name"], record["kind"]) for _, record in told],
            [(name, "interim") for name, _ in self.TYPE.told()],
            "the next minute tells its thresholds anew",
        )
        return f"its record came {took * 1000:.0f} ms after its end"


class Reconciliation(outlet_house.Part):
    """What the other side has, as it is and tampered with."""

    name = "reconcile"

    def begin(self):
        self.sink = put_sink(self.house, "billing")

    def judge(self):
        house, tally = self.house, self.tally
        house.delivered("billing")
        rows = sorted((record["id"], record["amount"]) for record in self.sink.records)
        code, output = self._compare(rows)
        tally.check(code == 0, "equal sides: nothing is found", output)
        # Order and spelling of amounts do not count.
        padded = [(name, amount + (".00" if "." not in amount else "0")) for name, amount in rows]
        code, output = self._compare(padded[::-1])
        tally.check(code == 0, "1 and 1.00 are one amount", output)
        (lost, _), (changed, amount), (twice, same) = rows[3], rows[11], rows[20]
        unknown = "ur_" + "0" * 32
        # By the least that there is.
        other = exact.quantity(exact.mantissa(amount) + 1)
        tampered = [row for row in rows if row[0] not in (lost, changed)]
        tampered += [(changed, other), (twice, same), (unknown, "7")]
        code, output = self._compare(tampered, "--json")
        tally.equal(code, 4, "findings leave with 4")
        found = check.parsed(output.splitlines()[0])
        tally.equal(
            sorted((each["finding"], each["record"]) for each in found["items"]),
            sorted([("missing", lost), ("different", changed), ("repeated", twice),
                    ("extra", unknown)]),
            "what was tampered with, and nothing else, is found",
        )
        different = [each for each in found["items"] if each["finding"] == "different"]
        tally.equal([(each["sent"], each["there"]) for each in different],
                    [(amount, other)], "both amounts are told")
        code, output = self._compare(tampered)
        words = ("missing", "different", "repeated", "extra", lost, changed, twice, unknown)
        tally.check(code == 4 and all(word in output for word in words),
                    "the table tells of all", output)
        self._judge_books(rows)
        return f"{found['compared']} records compared, {len(found['items'])} findings"

    def _compare(self, rows, *flags):
        path = self.house.place.store("billed.csv")
        with open(path, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["record", "note", "billed"])
            writer.writerows((name, "a, b", amount) for name, amount in rows)
        return self.house.command(
            "reconcile", "--destination", "billing", "--against", path,
            "--id-column", "record", "--amount-column", "billed", *flags,
        )

    def _judge_books(self, rows):
        """Both sides' sums, by meter type and period, are those of the records."""
        answer = self.house.client.get("/v1/destinations/billing/reconciliation")
        for side in ("made", "sent", "acknowledged"):
            count = sum(int(each[side]["records"]) for each in answer["items"])
            amount = sum(exact.mantissa(each[side]["amount"]) for each in answer["items"])
            self.tally.equal(
                (count, amount), (len(rows), sum(exact.mantissa(amount) for _, amount in rows)),
                f"the destination's books: {side}",
            )
