"""Meters whose periods are long over, and their events, dealt out in portions: work that keeps
closing and delivering busy for as long as the server is killed.
"""

import collections
import threading
import time

import exact
import intake
import wire
from reference import Event

PERIODS = 3
# Of the places, those that have events; of the events, those that come late, and are nothing.
PRESENT_SHARE, LATE_SHARE, ZERO_SHARE, NEGATIVE_SHARE = 0.85, 0.03, 0.1, 0.1
BATCH_MAX = 500


class Kind:
    """A meter type of hours, and how its events look."""

    def __init__(self, key, event_type, field, unit):
        self.key, self.event_type, self.field = key, event_type, field
        self.definition = {
            "key": key, "eventTypes": [event_type], "aggregation": "sum",
            "value": f"$.data.{field}", "unit": unit, "resetSchedule": {"every": "hour"},
            "gracePeriod": "0s", "zeroUsageRecords": False,
        }


# One is there first, and its periods close as events of its meters come; the other is made when
# all its events are there, so that half of the meters are due at one time.
EARLY = Kind("minutes", "call.ended", "minutes", "min")
LATE = Kind("gigabytes", "data.moved", "gb", "GB")


class Balance:
    """What one side knows and the other not yet: {(meter type, subject, start): amount}."""

    def __init__(self):
        self.lock, self.amounts = threading.Lock(), collections.defaultdict(int)

    def add(self, place, amount):
        with self.lock:
            self.amounts[place] += amount
            if self.amounts[place] == 0:
                del self.amounts[place]

    def note(self, record):
        """Takes off what a record tells."""
        self.add(place_of(record), -exact.mantissa(record["amount"]))

    @property
    def open(self):
        """In how many places the two differ."""
        return len(self.amounts)


def place_of(record):
    return (record["meterType"], record["subject"],
            exact.microseconds(record["period"]["start"]))


class Work:
    """All events, in portions; `late` are those that were held back.

    owed: What the receiver was not told of yet. unmade: What no record tells of yet.
    """

    def __init__(self, meters, portions, generator, now):
        self.generator, self.portions = generator, [[] for _ in range(portions)]
        hour = now - now % exact.HOUR
        self.starts = [hour - number * exact.HOUR for number in range(PERIODS, 0, -1)]
        self.subjects = {
            EARLY: [f"line-{number:05}" for number in range(meters // 2)],
            LATE: [f"sim-{number:05}" for number in range(meters - meters // 2)],
        }
        self.middle = portions // 2
        self.sums, self.late, self.count = collections.defaultdict(int), 0, 0
        self.owed, self.unmade = Balance(), Balance()
        self.lock, self.is_late_defined, self.held = threading.Lock(), False, []
        for subject in self.subjects[EARLY]:
            self._deal(EARLY, subject, generator.randrange(max(1, portions * 4 // 5)))
        for subject in self.subjects[LATE]:
            self._deal(LATE, subject, generator.randrange(max(1, self.middle)))
        for portion in self.portions:
            generator.shuffle(portion)

    @property
    def meters(self):
        return sum(len(subjects) for subjects in self.subjects.values())

    def _deal(self, kind, subject, portion):
        """Makes the events of a meter; all but the late ones go into one portion."""
        draw, last = self.generator, len(self.portions) - 1
        starts = [start for start in self.starts if draw.random() < PRESENT_SHARE]
        for start in starts or [draw.choice(self.starts)]:
            for _ in range(draw.choice([1, 1, 2])):
                is_late = draw.random() < LATE_SHARE
                event = self._event(kind, subject, start, is_late)
                first = max(portion, self.middle if kind is LATE else 0) + 1
                at = draw.randint(min(first, last), last) if is_late else portion
                self.portions[at].append(event)
                self.late += is_late

    def _event(self, kind, subject, start, is_late):
        draw = self.generator
        amount = draw.randrange(1, 10 ** draw.randint(1, 12)) * exact.ONE // 10**9
        if is_late and draw.random() < ZERO_SHARE:
            amount = 0
        elif is_late and draw.random() < NEGATIVE_SHARE:
            amount = -amount
        place = kind.key, subject, start
        self.count += 1
        self.sums[place] += amount
        body = {
            "specversion": "1.0", "id": f"e{self.count}", "source": "/lines",
            "type": kind.event_type, "subject": subject,
            "time": exact.rfc3339(start + draw.randrange(exact.HOUR)),
            "data": {kind.field: wire.Number(exact.quantity(amount))},
        }
        fields = {"place": place, "amount": amount}
        return Event("/lines", body["id"], kind.event_type, subject, start, body, fields)

    def define_late(self):
        """From here on the events of the second meter type are owed."""
        with self.lock:
            self.is_late_defined = True
            self._owe(self.held)
            self.held = []

    def acknowledge(self, events):
        with self.lock:
            for event in events:
                is_owed = self.is_late_defined or event.type == EARLY.event_type
                self._owe([event]) if is_owed else self.held.append(event)

    def _owe(self, events):
        for event in events:
            for balance in (self.owed, self.unmade):
                balance.add(event.fields["place"], event.fields["amount"])


class Sender:
    """Sends portions on a thread of its own, each call until it is acknowledged."""

    def __init__(self, server, work, book, deadline):
        self.server, self.work, self.book, self.deadline = server, work, book, deadline
        self.waiting, self.fault, self.is_ended = collections.deque(), None, False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def send(self, portion):
        self.waiting.append(portion)

    def finish(self):
        """Waits until all is acknowledged."""
        self.is_ended = True
        self.thread.join(max(0, self.deadline - time.monotonic()))
        if self.fault:
            raise self.fault
        if self.thread.is_alive():
            raise TimeoutError("not all events were acknowledged in time")

    def _run(self):
        client, framings = self.server.client(), sorted(wire.FRAMINGS)
        try:
            while True:
                ends = self.is_ended
                while self.waiting:
                    portion = self.waiting[0]
                    for at in range(0, len(portion), BATCH_MAX):
                        framing = framings[self.book.received % len(framings)]
                        self._send(client, framing, portion[at:at + BATCH_MAX])
                    self.waiting.popleft()
                if ends:
                    return
                time.sleep(0.002)
        except Exception as fault:
            self.fault = fault

    def _send(self, client, framing, events):
        request = wire.framed(framing, [intake.text(event) for event in events])
        answer = intake.send_until_acknowledged(client, *request, self.deadline)
        self.book.note(answer, events)
        self.work.acknowledge(events)
