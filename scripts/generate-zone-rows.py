#!/usr/bin/env python3
"""Writes Tests/MeteringTests/Fixtures/zones.tsv: what Python's zoneinfo says of time zones.

    scripts/generate-zone-rows.py [tzdata.zi] > Tests/MeteringTests/Fixtures/zones.tsv

The zone database is compiled afresh with zic, and the compiled files stand in the rows, so that the
tests do not depend on the machine's database. All numbers are seconds. Rows, tab-separated:

    f  zone  fat|slim  base64             the compiled file
    i  t  offset  day- day+  hour- hour+  the edges of the windows of an instant, counted from it
    w  t  6h- 6h+  week- week+  month- month+  quarter- quarter+  year- year+      (likewise)
    l  wall  fold0  fold1                 the instants of a wall time, counted from it

Rows after an `f` row are of its zone. Only the offsets and fold rules come from zoneinfo; window
edges are found here by definition, second by second around each change, not as the library does it.
"""
import base64
import io
import os
import random
import subprocess
import sys
import tempfile
from bisect import bisect_left, bisect_right
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

ZONES = """
Africa/Cairo Africa/Casablanca Africa/Monrovia America/Asuncion America/Havana America/Juneau
America/New_York America/Nuuk America/Sao_Paulo America/St_Johns America/Toronto Antarctica/Troll
Asia/Beirut Asia/Gaza Asia/Kathmandu Asia/Kolkata Asia/Pyongyang Asia/Tehran Asia/Tokyo
Australia/Adelaide Australia/Lord_Howe Etc/GMT+12 Europe/Berlin Europe/Dublin Europe/London
Europe/Moscow Pacific/Apia Pacific/Chatham Pacific/Kiritimati Pacific/Kwajalein
""".split()
ALSO_FAT = {"Africa/Casablanca", "America/New_York", "Europe/Dublin", "Pacific/Chatham"}
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
NAIVE = datetime(1970, 1, 1)
DAY = 86_400


class Zone:
    def __init__(self, data):
        self.info = ZoneInfo.from_file(io.BytesIO(data), key="x")
        self.changes = self.find_changes()

    def offset(self, t):
        moment = (EPOCH + timedelta(seconds=t)).astimezone(self.info)
        return int(moment.utcoffset().total_seconds())

    def local(self, t):
        return t + self.offset(t)

    def find_changes(self):
        """Every second at which the offset differs from the second before, 1840 to 2450."""
        found = []
        step = 6 * 3_600
        t = int((datetime(1840, 1, 1) - NAIVE).total_seconds())
        end = int((datetime(2450, 1, 1) - NAIVE).total_seconds())
        before = self.offset(t)
        while t < end:
            if (after := self.offset(t + step)) != before:
                low, high = t, t + step
                while high - low > 1:
                    middle = (low + high) // 2
                    if self.offset(middle) == before:
                        low = middle
                    else:
                        high = middle
                found.append(high)
                before = after
            t += step
        return found

    def near(self, low, high):
        return self.changes[bisect_left(self.changes, low):bisect_right(self.changes, high)]

    def from_wall(self, wall, fold):
        moment = (NAIVE + timedelta(seconds=wall)).replace(tzinfo=self.info, fold=fold)
        return int((moment - EPOCH).total_seconds())

    def first_instant(self, wall):
        """The first second whose wall time is at or past one."""
        low, high = wall - 26 * 3_600, wall + 26 * 3_600
        edges = [low] + self.near(low, high) + [high]
        for start, end in zip(edges, edges[1:]):
            candidate = max(start, wall - self.offset(start))
            if candidate < end:
                return candidate
        raise AssertionError

    def short_window(self, t, width):
        """The edges of the window of a width below a day: at each second, by definition."""
        def is_edge(second):
            shown, before = self.local(second), self.local(second - 1)
            return shown % width == 0 or shown // width != before // width

        low, high = t - 2 * width - 30 * 3_600, t + 2 * width + 30 * 3_600
        candidates = set(self.near(low, high))
        for offset in {self.offset(c + d) for c in candidates | {t} for d in (-1, 0)}:
            first = -(-(low + offset) // width) * width
            candidates |= {wall - offset for wall in range(first, high + offset, width)}
        edges = sorted(c for c in candidates if is_edge(c))
        at = bisect_right(edges, t)
        return edges[at - 1], edges[at]

    def calendar_window(self, t, first_day):
        """The edges of the window of whole days; first_day(date, n) starts the nth from a date's."""
        shown = (NAIVE + timedelta(seconds=self.local(t))).date()
        starts = [
            self.first_instant((first_day(shown, n) - date(1970, 1, 1)).days * DAY)
            for n in range(-3, 4)
        ]
        return max(s for s in starts if s <= t), min(s for s in starts if s > t)


def month_start(day, months, size):
    number = (day.year * 12 + day.month - 1) // size * size + months * size
    return date(number // 12, number % 12 + 1, 1)


CALENDARS = {
    "week": lambda day, n: day - timedelta(days=day.weekday()) + timedelta(weeks=n),
    "month": lambda day, n: month_start(day, n, 1),
    "quarter": lambda day, n: month_start(day, n, 3),
    "year": lambda day, n: month_start(day, n, 12),
}


def instants(zone, dice, count):
    """Around changes: a fifth before 1970, two fifths to 2037, two fifths after; some far away."""
    cuts = [bisect_left(zone.changes, int((datetime(y, 1, 1) - NAIVE).total_seconds()))
            for y in (1970, 2038)]
    eras = [zone.changes[:cuts[0]], zone.changes[cuts[0]:cuts[1]], zone.changes[cuts[1]:]]
    chosen = {int((datetime(y, 6, 1) - NAIVE).total_seconds()) for y in (20, 1700, 5000, 9990)}
    while len(chosen) < count:
        era = eras[dice.choice([0, 1, 1, 2, 2])]
        if era:
            jitter = dice.choice([
                0, -1, 1, dice.randint(-3_600, 3_600), dice.randint(-3_600, 3_600),
                dice.randint(-8_000, 8_000), dice.randint(-2 * DAY, 2 * DAY),
            ])
            chosen.add(dice.choice(era) + jitter)
        else:
            chosen.add(dice.randint(-2_000_000_000, 10_000_000_000))
    return sorted(chosen)


def compiled(source, style, directory):
    subprocess.run(["zic", "-b", style, "-d", directory, source], check=True)


def row(*fields):
    print(*fields, sep="\t")


def main():
    source = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/zoneinfo/tzdata.zi"
    os.environ["PATH"] += ":/usr/sbin"
    with open(source) as text:
        version = text.readline().strip("# \n")
    print(f"# generated by scripts/generate-zone-rows.py, tzdata {version}")
    with tempfile.TemporaryDirectory() as directory:
        for style in ("fat", "slim"):
            compiled(source, style, f"{directory}/{style}")
        for name in ZONES:
            write(name, directory)


def write(name, directory):
    dice = random.Random(name)
    files = {}
    for style in ["fat", "slim"] if name in ALSO_FAT else ["slim"]:
        with open(f"{directory}/{style}/{name}", "rb") as file:
            files[style] = file.read()
        row("f", name, style, base64.b64encode(files[style]).decode())
    zone = Zone(files["slim"])
    chosen = instants(zone, dice, 200)
    for index, t in enumerate(chosen):
        edges = zone.calendar_window(t, lambda day, n: day + timedelta(days=n))
        edges += zone.short_window(t, 3_600)
        row("i", t, zone.offset(t), *(edge - t for edge in edges))
        if index % 10 == 0:
            edges = zone.short_window(t, 6 * 3_600)
            for first_day in CALENDARS.values():
                edges += zone.calendar_window(t, first_day)
            row("w", t, *(edge - t for edge in edges))
        if index % 5 == 0:
            wall = t + zone.offset(t - 4 * 3_600)
            row("l", wall, *(zone.from_wall(wall, fold) - wall for fold in (0, 1)))


if __name__ == "__main__":
    main()
