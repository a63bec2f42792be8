"""A server that meters houses, and whose records go to destinations of every kind.

Hours that are long over close as soon as their events have come, so that nobody waits for a clock.
What the records must say is computed here from the events, in plain Python.
"""

import contextlib
import time

import exact
import odometer_check as check

METER_TYPES = [
    {"key": "kwh", "name": 'Energy, "metered" — ü', "unit": "kWh", "category": "energy",
     "eventTypes": ["energy.read"], "aggregation": "sum", "value": "$.data.kwh",
     "dimensions": {"tariff": "$.data.tariff"}, "metadata": {"team": "grid; north"},
     "resetSchedule": "hourly", "gracePeriod": "0s", "zeroUsageRecords": False},
    {"key": "calls", "unit": "call", "category": "support", "eventTypes": ["support.call"],
     "aggregation": "count", "resetSchedule": "hourly", "gracePeriod": "0s",
     "zeroUsageRecords": False},
]
# What most destinations take: not what single parts make for themselves.
FILTER = {"meterTypes": [each["key"] for each in METER_TYPES]}
# The subjects of each customer; two houses more are nobody's.
CUSTOMERS = {
    "acme": ("cus_Acme01", ["house-1", "house-2", "house-3"]),
    "bolt": ("cus/Bölt & Söhne?", ["house-4", "house-5", "haus/6 ä"]),
}
UNOWNED = ["house-7", "house-8"]
SUBJECTS = [each for _, subjects in CUSTOMERS.values() for each in subjects] + UNOWNED
# How many hours ago the hours with usage are.
HOURS_AGO = (5, 4, 3)


def hour(now=None):
    """The start of this hour."""
    now = time.time_ns() // 1_000 if now is None else now
    return now - now % exact.HOUR


class Part:
    """What is shown of one kind of destination: `begin` makes it before there are records, `judge`
    looks at what came of them."""

    name = ""
    needs_packages = False

    def __init__(self, house):
        self.house, self.tally = house, house.tally

    def begin(self):
        pass

    def judge(self):
        """A line for who reads along."""
        raise NotImplementedError


class House:
    def __init__(self, server, place, tally):
        self.server, self.place, self.tally = server, place, tally
        self.client = server.client()
        self.stack = contextlib.ExitStack()
        self.made = 0
        # (meter type, subject, start of the hour) → [mantissa, events]
        self.used = {}
        self.this_hour = hour()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def begin(self):
        for definition in METER_TYPES:
            self.client.json("POST", "/v1/meter-types", definition, expected=(201,))
        for key, (reference, subjects) in CUSTOMERS.items():
            self.client.json("PUT", f"/v1/customers/{key}", {
                "name": key.title(), "externalRef": reference, "subjects": subjects,
            }, expected=(201,))

    def receiver(self, receiver):
        """Starts it, for as long as the check goes on."""
        return self.stack.enter_context(receiver)

    def put(self, key, kind, rules, expected=(201,), **options):
        """Makes a destination, or with `expected=(200,)` replaces one."""
        document = {"filter": FILTER, kind: rules, **options}
        return self.client.json("PUT", f"/v1/destinations/{key}", document, expected=expected)

    def command(self, *arguments):
        """(exit code, output) of a command that asks the server."""
        return check.run(*arguments, "--server", f"http://127.0.0.1:{self.server.port}")

    def command_json(self, *arguments):
        code, output = self.command(*arguments, "--json")
        if code != 0:
            raise RuntimeError(f"{arguments} left with {code}: {output}")
        return check.parsed(output)

    # What is used

    def event(self, event_type, subject, moment, **data):
        self.made += 1
        return {"id": f"e{self.made}", "source": "/house", "type": event_type, "subject": subject,
                "time": exact.rfc3339(moment), "data": data}

    def send(self, events):
        answer = self.client.json("POST", "/v1/events", events)
        self.tally.equal(answer["accepted"], str(len(events)), "all events are accepted")
        return time.monotonic()

    def read(self, subject, ago, kwh):
        """A reading of a meter for energy, in an hour that is over."""
        start = self.this_hour - ago * exact.HOUR
        place = self.used.setdefault(("kwh", subject, start), [0, 0])
        place[0] += exact.mantissa(kwh)
        place[1] += 1
        tariff = ["day", "night"][ago % 2]
        return self.event("energy.read", subject, start + self.made % 3_600 * exact.SECOND,
                          kwh=kwh, tariff=tariff)

    def call(self, subject, ago):
        start = self.this_hour - ago * exact.HOUR
        place = self.used.setdefault(("calls", subject, start), [0, 0])
        place[0] += exact.ONE
        place[1] += 1
        return self.event("support.call", subject, start + self.made % 3_600 * exact.SECOND)

    def work(self):
        """Usage of all subjects, then late usage of some, up and down."""
        events = []
        for number, subject in enumerate(SUBJECTS):
            for ago in HOURS_AGO:
                for turn in range(3):
                    events.append(self.read(subject, ago, f"{number}.{ago}{turn:017}"))
                events.append(self.call(subject, ago))
        self.send(events)
        self.settle()
        self.send([
            self.read("house-1", 5, "-100.000000000000000001"), self.read("house-4", 4, "0.125"),
            self.read("house-7", 5, "3"), self.call("house-2", 3),
        ])
        self.settle()

    def late(self, subject, kwh):
        """The adjustment that a late reading makes."""
        known = {record["id"] for record in self.records()}
        self.send([self.read(subject, HOURS_AGO[0], kwh)])
        self.settle()
        new = [record for record in self.records() if record["id"] not in known]
        self.tally.equal([(each["kind"], each["delta"]) for each in new],
                         [("adjustment", kwh)], "a late reading makes one adjustment")
        return new[0]

    # What is made of it

    def records(self, meter_types=tuple(FILTER["meterTypes"]), **parameters):
        """All records of some meter types, in their order."""
        found = []
        while True:
            after = found[-1]["sequence"] if found else 0
            page = self.client.get("/v1/usage-records", meterType=",".join(meter_types),
                                   limit=1000, after=after, **parameters)
            found += page["items"]
            if "next" not in page:
                return found

    def settle(self):
        """Waits until the records add up to what was used."""
        def is_so():
            sums = {}
            for record in self.records():
                start = exact.microseconds(record["period"]["start"])
                place = sums.setdefault((record["meterType"], record["subject"], start), [0, 0])
                place[0] += exact.mantissa(record["delta"])
                place[1] += int(record["eventsDelta"])
            return sums == self.used

        check.until(is_so, "the records add up to the usage", 20)

    def standing(self, key):
        return self.client.get(f"/v1/destinations/{key}")["standing"]

    def delivered(self, key, failed=0):
        """Waits until nothing is due to a destination, and so much has failed."""
        def is_so():
            standing = self.standing(key)
            return (standing["pending"], standing["waiting"]) == ("0", "0")

        try:
            check.until(is_so, f"all is delivered to {key}", 20)
        except RuntimeError as late:
            raise RuntimeError(f"{late}\n{self.deliveries(key, state='pending')[:2]}") from None
        self.tally.equal(self.standing(key)["failed"], str(failed), f"{key}: what failed")

    def deliveries(self, key, **parameters):
        page = self.client.get("/v1/deliveries", destination=key, limit=1000, **parameters)
        return page["items"]

    def each_once(self, got, expected, what):
        """Records as they came, without their numbers, against those that were made; the numbers
        have no gap."""
        numbers = sorted(int(record["deliveryNumber"]) for record in got)
        self.tally.equal(numbers, list(range(1, len(expected) + 1)), f"{what}: the numbers")
        plain = [
            {name: record[name] for name in record if name != "deliveryNumber"} for record in got
        ]
        self.same(plain, expected, what)

    def same(self, got, expected, what):
        by_id = {record["id"]: record for record in got}
        self.tally.equal(len(by_id), len(got), f"{what}: each record once")
        wanted = {record["id"]: record for record in expected}
        self.tally.equal(sorted(by_id), sorted(wanted), f"{what}: all records")
        for identifier in sorted(by_id.keys() & wanted.keys()):
            self.tally.equal(by_id[identifier], wanted[identifier], f"{what}: {identifier}")
