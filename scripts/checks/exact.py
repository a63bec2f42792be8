"""Exact numbers, times and windows, in plain Python: what the server's answers are held against.

A quantity is a Python integer in units of 10^-18, a moment is an integer of microseconds since
1970-01-01T00:00:00Z. Nothing here knows a binary float.
"""

import datetime
import decimal
import functools
import re
import zoneinfo

PLACES = 18
ONE = 10**PLACES
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# Wide enough that no operation of ours ever rounds; one that would, raises.
_context = decimal.Context(prec=200, traps=[decimal.Inexact, decimal.InvalidOperation])
_rounding = decimal.Context(prec=200, rounding=decimal.ROUND_HALF_EVEN)


@functools.lru_cache(maxsize=1 << 16)
def mantissa(text):
    """The quantity a number's text names; digits past the 18th are rounded half-even, once."""
    value = _context.create_decimal(text)
    whole = _rounding.quantize(value, decimal.Decimal(1).scaleb(-PLACES))
    return int(whole.scaleb(PLACES, _context))


def quantity(value):
    """The shortest decimal text of a mantissa: no exponent, no trailing zeros, no minus zero."""
    if value is None:
        return None
    sign = "-" if value < 0 else ""
    whole, part = divmod(abs(value), ONE)
    digits = f"{part:018d}".rstrip("0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


def divided(total, count):
    """total / count to 18 places, half-even: the one division of an average."""
    floor, rest = divmod(total, count)
    twice = 2 * rest
    up = twice > count or (twice == count and floor % 2 == 1)
    return floor + 1 if up else floor


_moment = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))$"
)


def microseconds(text):
    """An RFC 3339 time; digits past the microsecond are cut off."""
    match = _moment.match(text)
    if not match:
        raise ValueError(f"not an RFC 3339 time: {text!r}")
    year, month, day, hour, minute, second, part, _, sign, off_hour, off_minute = match.groups()
    stamp = datetime.datetime(
        int(year), int(month), int(day), int(hour), int(minute), int(second),
        tzinfo=datetime.timezone.utc,
    )
    result = since_epoch(stamp) + int(((part or "") + "000000")[:6])
    if sign:
        offset = int(off_hour) * HOUR + int(off_minute) * MINUTE
        result += -offset if sign == "+" else offset
    return result


def since_epoch(stamp):
    """Microseconds of an aware datetime, by integers (timestamp() would be a float)."""
    delta = stamp - EPOCH
    return delta.days * DAY + delta.seconds * SECOND + delta.microseconds


def rfc3339(moment):
    """The text of a moment, UTC, with as many fraction digits as it needs (0, 3 or 6)."""
    stamp = EPOCH + datetime.timedelta(microseconds=moment)
    text = stamp.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    part = moment % SECOND
    if part == 0:
        return text + "Z"
    return text + (f".{part // 1000:03d}Z" if part % 1000 == 0 else f".{part:06d}Z")


@functools.lru_cache(maxsize=None)
def zone(name):
    return zoneinfo.ZoneInfo(name)


def _on_clock(day, hour, name):
    """When a zone's clock first shows a full hour of a date (one that is not skipped)."""
    return since_epoch(datetime.datetime(day.year, day.month, day.day, hour, tzinfo=zone(name)))


def _first_day(moment, unit, name):
    """The local date on which the window around a moment begins."""
    local = (EPOCH + datetime.timedelta(microseconds=moment)).astimezone(zone(name)).date()
    if unit == "week":
        return local - datetime.timedelta(days=local.weekday())
    if unit == "month":
        return local.replace(day=1)
    if unit == "quarter":
        return local.replace(month=local.month - (local.month - 1) % 3, day=1)
    if unit == "year":
        return local.replace(month=1, day=1)
    return local


def _next_day(day, unit):
    if unit == "week":
        return day + datetime.timedelta(days=7)
    if unit in ("month", "quarter", "year"):
        months = {"month": 1, "quarter": 3, "year": 12}[unit]
        index = day.year * 12 + day.month - 1 + months
        return datetime.date(index // 12, index % 12 + 1, 1)
    return day + datetime.timedelta(days=1)


def edges(start, end, unit, name):
    """The window edges that cover [start, end): edges[0] <= start, edges[-1] >= end.

    unit is minute, 15m, hour, 6h, day, week (from Monday), month, quarter or year on the zone's
    wall clock.
    """
    if unit in STEPS:
        return _clock_edges(start, end, STEPS[unit], name)
    hours = (0, 6, 12, 18) if unit == "6h" else (0,)
    day = _first_day(start, unit, name)
    found = []
    while not found or found[-1] < end:
        found += [_on_clock(day, hour, name) for hour in hours]
        day = _next_day(day, unit)
    first = next(index for index, edge in enumerate(found[1:], start=1) if edge > start) - 1
    last = next(index for index, edge in enumerate(found) if edge >= end)
    return found[first:last + 1]


STEPS = {"minute": MINUTE, "15m": 15 * MINUTE, "hour": HOUR}


def _clock_edges(start, end, step, name):
    """Hours and minutes: where the zone's wall clock shows a full one.

    Right for every offset as long as the zone's changes are whole steps, which holds for the
    zones the checks use (Lord Howe, with its half hour, is for the unit tests).
    """
    stamp = EPOCH + datetime.timedelta(microseconds=start)
    offset = zone(name).utcoffset(stamp.astimezone(zone(name)))
    shift = offset.days * DAY + offset.seconds * SECOND
    at = start - (start + shift) % step
    found = [at]
    while found[-1] < end:
        found.append(found[-1] + step)
    return found
