#!/usr/bin/env python3
"""Writes Tests/MeteringTests/Fixtures/calendars.tsv: periods of reset schedules, found by brute force.

    scripts/generate-calendar-rows.py [tzdata.zi] > Tests/MeteringTests/Fixtures/calendars.tsv

As in generate-zone-rows.py, the zone database is compiled afresh and stands in the rows. All numbers
are seconds since the epoch; `-` is an end of time (years 0000 to 9999). Rows, tab-separated:

    f  zone  base64                            the compiled file; the rows after it are of its zone
    p  schedule  instant  start  end           the period an instant lies in

A schedule is `never`, `every UNIT INTERVAL ANCHOR` (the anchor may be `-`) or `cron FIELDS`.

Wall times are listed one by one, by stepping from the anchor or by trying every day and minute of
the civil calendar; each is put on the time line by walking the zone's changes in order; the period
is what lies between two neighbours of the sorted list. No formula of the library is used.
"""
import base64
import calendar
import importlib.util
import os
import pathlib
import random
import sys
import tempfile
from bisect import bisect_left
from datetime import date, datetime, timedelta

HERE = pathlib.Path(__file__).resolve().parent
SPEC = importlib.util.spec_from_file_location("zone_rows", HERE / "generate-zone-rows.py")
zone_rows = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(zone_rows)

DAY = 86_400
EPOCH_DAY = date(1970, 1, 1)
NAIVE = datetime(1970, 1, 1)
ZONES = """
UTC Africa/Cairo Africa/Casablanca America/Asuncion America/Havana America/Juneau America/New_York
America/Santiago America/St_Johns America/Toronto Antarctica/Troll Asia/Kathmandu Asia/Tehran
Asia/Tokyo Australia/Lord_Howe Australia/Sydney Europe/Berlin Europe/London Pacific/Apia
Pacific/Chatham Pacific/Kwajalein
""".split()
CRONS = """
0 0 L * *|0 0 1 * *|30 2 * * *|0 * * * *|*/15 * * * *|0 0 29 2 *|0 0 * * MON|15 1-3 * * *
0 0 31 * *|0 9 * * MON-FRI|0 0 1,15,L * *|30 6 L * SUN|0 0 */2 * MON|0 12 13 * FRI
0 0 29 2 */7|5,35 0-23/6 * JAN,JUL *|0 0 29-31 2-3 *|* 2 * * *|0 0 1 1 *|45 23 * * 5-7
0 3 31 5-12/2 *|0 0 L FEB *|59 23 L * *|10 0 * MAR,OCT 0|0 0 1 */3 *|0 1 * * 7|30 0 * * *
""".strip().replace("\n", "|").split("|")
UNITS = ["minute", "hour", "day", "week", "month", "quarter", "year"]
MONTHS = {"month": 1, "quarter": 3, "year": 12}
NAMES = {
    name: number
    for names, first in (
        ("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC", 1), ("SUN MON TUE WED THU FRI SAT", 0))
    for number, name in enumerate(names.split(), first)
}


# Cron, as crontab(5) tells it.

def values(field, low, high):
    """The numbers that a field lists; L is -1."""
    found = set()
    for element in field.split(","):
        base, _, step = element.partition("/")
        if base == "L":
            found.add(-1)
            continue
        ends = (f"{low}-{high}" if base == "*" else base).split("-")
        ends = [NAMES[end] if end in NAMES else int(end) for end in ends]
        found |= set(range(ends[0], ends[-1] + 1, int(step or 1)))
    return found


class Cron:
    def __init__(self, text):
        fields = text.split()
        self.times = [
            hour * 3_600 + minute * 60
            for hour in sorted(values(fields[1], 0, 23))
            for minute in sorted(values(fields[0], 0, 59))
        ]
        self.dates, self.months = values(fields[2], 1, 31), values(fields[3], 1, 12)
        self.weekdays = {number % 7 for number in values(fields[4], 0, 7)}
        self.both = fields[2].startswith("*") or fields[4].startswith("*")

    def takes(self, day):
        if day.month not in self.months:
            return False
        is_last = day.day == calendar.monthrange(day.year, day.month)[1]
        by_date = day.day in self.dates or (is_last and -1 in self.dates)
        by_weekday = day.isoweekday() % 7 in self.weekdays
        return by_date and by_weekday if self.both else by_date or by_weekday

    def walls(self, around):
        """Wall times around a day, from a match well before to one well after."""
        found = []
        for way in (-1, 1):
            day, matches = around, 0
            # Three matching days each way, the nearest of which may be 40 years off.
            while matches < 4 and 2 < day.year < 9_998:
                if self.takes(day):
                    found += [(day - EPOCH_DAY).days * DAY + time for time in self.times]
                    matches += 1
                day += timedelta(days=way)
        return found


# Units of the civil calendar.

def nth_wall(origin, unit, count):
    """The wall time so many units from another: by dates, not by division of seconds."""
    moment = NAIVE + timedelta(seconds=origin)
    if unit in ("day", "week"):
        moment += timedelta(days=count * (7 if unit == "week" else 1))
    else:
        month = moment.year * 12 + moment.month - 1 + count * MONTHS[unit]
        year, month = month // 12, month % 12 + 1
        last = calendar.monthrange(year, month)[1]
        moment = moment.replace(year=year, month=month, day=min(moment.day, last))
    return int((moment - NAIVE).total_seconds())


def civil_edges(zone, unit, interval, anchor, t):
    origin = zone.local(anchor) if anchor is not None else (4 * DAY if unit == "week" else 0)
    edges, count = [], 0
    way = 1 if t >= first_instant(zone, origin) else -1
    # Step by step from the anchor until the instant is passed by two periods, and two back.
    passed = -2
    numbers = [-2, -1, 0, 1, 2]
    while passed < 2:
        count += way
        numbers.append(count)
        edge = first_instant(zone, nth_wall(origin, unit, count * interval))
        passed += (edge - t) * way > 0
    for number in numbers:
        edges.append(first_instant(zone, nth_wall(origin, unit, number * interval)))
        if number == 0 and anchor is not None:
            edges[-1] = anchor
    return edges


def elapsed_edges(unit, interval, anchor, t):
    width = interval * (3_600 if unit == "hour" else 60)
    edge = anchor
    # By great leaps first, then one by one.
    while edge > t:
        edge -= width * max(1, (edge - t) // width // 2)
    while edge + width <= t:
        edge += width * max(1, (t - edge) // width // 2)
    return [edge, edge + width]


def first_instant(zone, wall):
    """The first second whose wall time is at or past one; every candidate is tried by definition."""
    found = zone.first_instant(wall)
    assert zone.local(found) >= wall > zone.local(found - 1), (wall, found)
    return found


def edges_of(zone, schedule, t):
    words = schedule.split(" ", 1)
    if words[0] == "never":
        return []
    if words[0] == "cron":
        shown = (NAIVE + timedelta(seconds=zone.local(t))).date()
        return [first_instant(zone, wall) for wall in Cron(words[1]).walls(shown)]
    unit, interval, anchor = words[1].split(" ")
    interval, anchor = int(interval), None if anchor == "-" else int(anchor)
    if unit not in ("minute", "hour"):
        return civil_edges(zone, unit, interval, anchor, t)
    if anchor is not None:
        return elapsed_edges(unit, interval, anchor, t)
    return list(zone.short_window(t, interval * (3_600 if unit == "hour" else 60)))


def period(zone, schedule, t):
    edges = edges_of(zone, schedule, t)
    before, after = [e for e in edges if e <= t], [e for e in edges if e > t]
    return max(before) if before else "-", min(after) if after else "-"


# What is asked.

def moments(zone, dice, count):
    """Instants of the years 1900 to 2100; four fifths around changes of the clock."""
    first, last = bisect_left(zone.changes, -2_208_988_800), bisect_left(zone.changes, 4_102_444_800)
    changes = zone.changes[first:last]
    found = []
    while len(found) < count:
        jitter = dice.choice([0, -1, 1, dice.randint(-5_400, 5_400), dice.randint(-2 * DAY, 2 * DAY)])
        if changes and dice.random() < 0.8:
            found.append(dice.choice(changes) + jitter)
        else:
            found.append(dice.randint(-2_000_000_000, 4_000_000_000))
    return found


def anchor_near(zone, dice, unit, interval, t):
    """Anchors that meet changes, gaps and short months: a few periods from the instant."""
    kind = dice.random()
    if kind < 0.25:
        return moments(zone, dice, 1)[0]
    if kind < 0.6:
        # The 29th to the 31st, at an odd time of day.
        month = dice.choice([1, 3, 5, 7, 8, 10, 12])
        day = date(dice.randint(1_950, 2_060), month, dice.choice([29, 30, 31]))
        return (day - EPOCH_DAY).days * DAY + dice.randint(0, DAY - 1)
    # The wall time of the instant, some periods away: so that a boundary falls into the change.
    count = dice.randint(-40, 40) * interval
    if unit in ("minute", "hour"):
        return t + count * 60 + dice.randint(-60, 60)
    return first_instant(zone, nth_wall(zone.local(t), unit, count)) + dice.choice([0, 0, -1, 1])


def schedules(zone, dice, t):
    chosen = [f"cron {cron}" for cron in dice.sample(CRONS, 3)]
    unit = dice.choice(UNITS)
    part = {"minute": [1, 5, 15, 30, 90], "hour": [1, 2, 6, 12]}
    chosen.append(f"every {unit} {dice.choice(part.get(unit, [1, 1, 2, 3, 5]))} -")
    for unit in dice.sample(UNITS, 3):
        interval = dice.choice([1, 1, 1, 2, 3, 7])
        chosen.append(f"every {unit} {interval} {anchor_near(zone, dice, unit, interval, t)}")
    return chosen


def main():
    source = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/zoneinfo/tzdata.zi"
    os.environ["PATH"] += ":/usr/sbin"
    with open(source) as text:
        version = text.readline().strip("# \n")
    print(f"# generated by scripts/generate-calendar-rows.py, tzdata {version}")
    with tempfile.TemporaryDirectory() as directory:
        zone_rows.compiled(source, "slim", directory)
        for name in ZONES:
            with open(f"{directory}/{name}", "rb") as file:
                data = file.read()
            zone_rows.row("f", name, base64.b64encode(data).decode())
            zone, dice = zone_rows.Zone(data), random.Random("calendar " + name)
            for t in moments(zone, dice, 12):
                for schedule in schedules(zone, dice, t):
                    zone_rows.row("p", schedule, t, *period(zone, schedule, t))
            t = moments(zone, dice, 1)[0]
            zone_rows.row("p", "never", t, *period(zone, "never", t))


if __name__ == "__main__":
    main()
