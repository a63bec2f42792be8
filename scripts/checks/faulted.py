"""What the fault scenarios start from: a store with real data in it, and copies of it to break."""

import itertools
import os
import random
import shutil

import comparing
import data_sets
import exact
import intake
import odometer_check as check
import reference
import wire

TICK = "fault.tick"


class Ticks:
    """Small events of our own, for what is written while things break; values are decimals."""

    def __init__(self, generator, name):
        self.generator, self.name = generator, name
        self.numbers = itertools.count(1)
        self.acknowledged, self._known = [], set()

    def make(self, count, padding=0, is_timed=True):
        return [self._one(next(self.numbers), padding, is_timed) for _ in range(count)]

    def _one(self, number, padding, is_timed):
        whole, part = self.generator.randrange(-10**9, 10**12), self.generator.randrange(10**18)
        value = f"{whole}.{part:018d}"
        time = exact.microseconds("2026-01-01T00:00:00Z") + self.generator.randrange(10**13)
        data = {"value": wire.Number(value)}
        if padding:
            data["padding"] = self.generator.randbytes(padding // 2).hex()
        body = {
            "specversion": "1.0", "id": f"{self.name}-{number}", "source": f"ticks/{self.name}",
            "type": TICK, "subject": f"tick-{number % 7}",
        }
        if is_timed:
            body["time"] = exact.rfc3339(time)
        body["data"] = data
        return reference.Event(
            body["source"], body["id"], TICK, body["subject"], time, body, {"value": value},
        )

    def send(self, client, events):
        """One call; what the answer acknowledges is remembered. The answer's counts."""
        headers, body = wire.framed("array", [intake.text(event) for event in events])
        answer = intake.send(client, headers, body, "/v1/events")
        self.acknowledged += [event for event in events if event.id not in self._known]
        self._known.update(event.id for event in events)
        return {name: int(answer[name]) for name in
                ("received", "accepted", "duplicates", "conflicts", "rejected")}

    def expected(self, events=None):
        """(count, sum) as the server would tell them."""
        events = self.acknowledged if events is None else events
        total = sum(exact.mantissa(event.fields["value"]) for event in events)
        return str(len(events)), exact.quantity(total)

    def told(self, client):
        return tuple(
            client.get("/v1/usage", **{
                "meterType": key, "from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z",
            })["readings"][0]["value"] for key in ("ticks", "tick-sum")
        )


METERS = [
    reference.Meter("ticks", [TICK], "count"),
    reference.Meter("tick-sum", [TICK], "sum", "$.data.value", "value"),
]


class Seeded:
    """A store with real data, ended in order; made on first use, copied for each scenario."""

    def __init__(self, place, root, generator, tally):
        self.place, self.root, self.generator, self.tally = place, root, generator, tally
        self.sets, self._store, self._copies = [], None, itertools.count(1)

    def store(self, name, parent=None):
        """A copy of the seeded store, free to be broken."""
        if self._store is None:
            self._store = self._made()
        path = os.path.join(parent or self.place.path, f"{name}-{next(self._copies)}")
        shutil.copytree(self._store, path)
        return path

    def empty(self, name, parent=None):
        return os.path.join(parent or self.place.path, f"{name}-{next(self._copies)}")

    def server(self, store, **options):
        """A server whose log lies beside the stores, never inside what is broken."""
        log = self.place.store(os.path.basename(store.rstrip("/")) + ".log")
        return check.Server(store, log=log, **options)

    def ticks(self, name):
        return Ticks(random.Random(self.generator.random()), name)

    def _made(self):
        path = self.place.store("seeded")
        self.sets = [data_sets.ALL[name](self.root) for name in ("azure", "copenhagen", "web")]
        with self.server(path) as server:
            client = server.client()
            book = intake.Ledgerbook(self.tally)
            check.define(client, METERS)
            for each in self.sets:
                check.define(client, each.meters)
                events = list(each.events)
                self.generator.shuffle(events)
                for batch in intake.batches(self.generator, events, 500, 2000):
                    texts = [intake.text(event) for event in batch]
                    book.note(intake.send(client, *wire.framed("ndjson", texts)), batch)
                for meter in each.meters:
                    meter.load(events)
            client.close()
            self.tally.equal(server.stop(), 0, "the seeded store's server ends in order")
        code, output = check.verify(path)
        self.tally.equal(code, 0, f"the seeded store is clean\n{output}")
        return path

    def compare(self, client, what):
        """Holds the seeded sets' readings and the books against the reference."""
        asked = []
        for each in self.sets:
            generator = random.Random(each.name)
            asked += comparing.questions(each, generator, [], is_short=True)
        own = check.Tally()
        compared = comparing.compare(client, asked, own)
        self.tally.check(own.failed == 0 and compared > 0,
                         f"{what}: {own.failed} of {compared} readings differ")
        total, _ = check.books(client)
        self.tally.check(check.balances(total), f"{what}: the books balance", total)
        return compared

    def verify(self, store, what):
        code, output = check.verify(store)
        self.tally.equal(code, 0, f"{what}: odometer verify is clean\n{output}")
