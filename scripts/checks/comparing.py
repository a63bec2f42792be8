"""Asks the server for readings and holds every row against the reference."""

import csv
import io
import re
import urllib.parse

import exact
from odometer_check import Refused, parsed, with_query

PAGE = 1000


class Question:
    """One question for readings, as the server and as the reference understand it."""

    def __init__(self, meter, start, end, window=None, timezone=None, group_by=(), subjects=(),
                 as_of=None, fill=False, limit=PAGE, as_csv=False):
        self.meter, self.start, self.end = meter, start, end
        self.window, self.timezone, self.group_by = window, timezone, tuple(group_by)
        self.subjects, self.as_of, self.fill = subjects, as_of, fill
        self.limit, self.as_csv = limit, as_csv

    def expected(self):
        return self.meter.readings(
            self.start, self.end, self.window, self.timezone or "UTC", self.group_by,
            self.subjects, self.as_of, self.fill,
        )

    def parameters(self):
        return {
            "meterType": self.meter.key, "subject": self.subjects,
            "from": exact.rfc3339(self.start), "to": exact.rfc3339(self.end),
            "window": self.window, "timezone": self.timezone,
            "groupBy": ",".join(self.group_by) or None, "asOf": self.as_of,
            "fill": "zero" if self.fill else None, "limit": self.limit,
        }

    def __str__(self):
        kind = "CSV " if self.as_csv else ""
        return kind + with_query("/v1/usage", self.parameters())


def ask(client, question):
    """All readings of a question, page by page."""
    rows, cursor = [], None
    while True:
        target = with_query("/v1/usage", {**question.parameters(), "cursor": cursor})
        headers = {"Accept": "text/csv" if question.as_csv else "application/json"}
        status, answer_headers, payload = client.call("GET", target, headers=headers)
        if status != 200:
            raise Refused(status, payload)
        if question.as_csv:
            page, cursor = _from_csv(payload, question), _next_of(answer_headers)
        else:
            answer = parsed(payload)
            page, cursor = [_reading(row) for row in answer["readings"]], answer.get("next")
        if len(page) > question.limit or (cursor and not page):
            raise RuntimeError(f"a page of {len(page)} rows, limit {question.limit}: {question}")
        rows += page
        if not cursor:
            return rows


def _reading(row):
    reading = {
        "meterType": row["meterType"],
        "from": exact.microseconds(row["from"]), "to": exact.microseconds(row["to"]),
        "value": row["value"], "events": int(row["events"]),
    }
    for name in ("subject", "dimensions"):
        if row.get(name) not in (None, {}):
            reading[name] = row[name]
    return reading


def _from_csv(payload, question):
    """CSV rows as readings; an empty value is null."""
    rows = []
    for raw in csv.DictReader(io.StringIO(payload.decode(), newline="")):
        named = {
            name: raw[name] or None for name in question.group_by if name != "subject"
        }
        rows.append(_reading({
            **raw, "value": raw["value"] if raw["value"] != "" else None,
            "subject": raw.get("subject") or None, "dimensions": named,
        }))
    return rows


def _next_of(headers):
    """The cursor of a CSV answer: rows have no place for it, so a Link header carries it."""
    link = re.search(r"<([^>]*)>;\s*rel=\"next\"", headers.get("Link") or "")
    query = urllib.parse.urlsplit(link.group(1)).query if link else ""
    return dict(urllib.parse.parse_qsl(query)).get("cursor")


def compare(client, questions, tally):
    """Compares every row of every answer; the number of readings compared."""
    compared = 0
    for question in questions:
        expected = question.expected()
        try:
            got = ask(client, question)
        except (Refused, KeyError, ValueError, RuntimeError) as error:
            tally.check(False, str(question), error)
            continue
        if not tally.check(
            len(got) == len(expected), str(question),
            f"got {len(got)} readings, expected {len(expected)}",
            f"got      {got[:2]}", f"expected {expected[:2]}",
        ):
            continue
        for one, other in zip(got, expected):
            tally.check(one == other, str(question), f"got      {one}", f"expected {other}")
        compared += len(expected)
    return compared


def questions(data_set, generator, positions, is_short=False):
    """Questions that between them use every way of asking; seeded, so that a run can be repeated.

    positions: places in the log to look back to. is_short: a tenth, for another look at a store.
    """
    for number, meter in enumerate(data_set.meters):
        if not meter.times:
            continue
        all_of_it = meter.times[0] - 1, meter.times[-1] + 1
        yield Question(meter, *all_of_it)
        yield Question(meter, *all_of_it, group_by=["subject"])
        if meter.dimensions:
            yield Question(meter, *all_of_it, group_by=list(meter.dimensions))
        if is_short:
            yield Question(meter, *all_of_it, "day", generator.choice(data_set.zones))
            continue
        yield from _windowed(data_set, meter, number, all_of_it, generator)
        yield from _odd(data_set, meter, generator)
        yield from _single(meter, all_of_it, generator)
        for position in positions:
            zone = generator.choice(data_set.zones)
            yield Question(meter, *all_of_it, as_of=position)
            yield Question(meter, *all_of_it, as_of=position, group_by=["subject"])
            yield Question(meter, *all_of_it, "day", zone, list(meter.dimensions), as_of=position)


def _windowed(data_set, meter, number, all_of_it, generator):
    names = list(meter.dimensions)
    for index, zone in enumerate(data_set.zones):
        for window in ("6h", "day", "week", "month", "quarter", "year"):
            yield Question(meter, *all_of_it, window, zone, as_csv=generator.random() < 0.3)
        wider = all_of_it[0] - 40 * exact.DAY, all_of_it[1] + 3 * exact.DAY
        yield Question(meter, *wider, "day", zone, fill=True, as_csv=index == 0)
        # Two years are many rows: each meter has one zone for these, and each zone its meters.
        if (index + number) % len(data_set.zones) == 0:
            yield Question(meter, *all_of_it, "hour", zone, as_csv=index % 2 == 1)
            yield Question(meter, *all_of_it, "day", zone, names)
            yield Question(meter, *all_of_it, "week", zone, ["subject"])
            yield Question(meter, *all_of_it, "month", zone, names + ["subject"])
    zone = generator.choice(data_set.zones)
    yield Question(meter, *all_of_it, "month", zone, names, fill=True)
    yield Question(meter, *all_of_it, "quarter", zone, ["subject"], fill=True)
    part = meter.times[len(meter.times) // 2]
    yield Question(meter, part, part + 3 * exact.DAY, "15m", zone)
    yield Question(meter, part, part + 3 * exact.DAY, "15m", zone, names + ["subject"])
    yield Question(meter, part, part + exact.HOUR, "minute", zone, fill=True)
    few = sorted({row[2] for row in meter.rows[:200]})[:4]
    yield Question(meter, *all_of_it, "month", zone, names + ["subject"], few, limit=7)
    yield Question(meter, *all_of_it, "month", zone, names, limit=1)


def _odd(data_set, meter, generator):
    """Ranges that begin and end at, or a microsecond beside, an event or anywhere at all."""
    span = meter.times[-1] - meter.times[0]
    for _ in range(8):
        ends = []
        for _ in range(2):
            if generator.random() < 0.6:
                ends.append(generator.choice(meter.times) + generator.choice((-1, 0, 1)))
            else:
                ends.append(meter.times[0] + generator.randrange(span + 1))
        start, end = min(ends), max(ends) + 1
        yield Question(meter, start, end)
        yield Question(meter, start, end, group_by=["subject"], as_csv=generator.random() < 0.3)
        yield Question(meter, start, end, group_by=list(meter.dimensions))
        zone = generator.choice(data_set.zones)
        yield Question(meter, start, end, generator.choice(("6h", "day", "week")), zone)


def _single(meter, all_of_it, generator):
    subjects = sorted({row[2] for row in meter.rows})
    for subject in generator.sample(subjects, min(4, len(subjects))):
        one = [subject]
        yield Question(meter, *all_of_it, subjects=one)
        yield Question(meter, *all_of_it, "day", "Europe/Berlin", subjects=one, fill=True)
        yield Question(meter, *all_of_it, "week", None, list(meter.dimensions), one)
    several = generator.sample(subjects, min(3, len(subjects))) + ["nobody-at-all"]
    yield Question(meter, *all_of_it, subjects=several)
    yield Question(meter, *all_of_it, "month", "Asia/Kathmandu", subjects=several, fill=True)
    yield Question(meter, *all_of_it, "week", None, list(meter.dimensions), several, as_csv=True)
