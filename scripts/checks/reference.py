"""The independent computation: meters as plain folds over the events, no buckets, no merging."""

import bisect
import collections

import exact


class Event:
    """One event as sent, and what the reference may read from it.

    fields: what the meters of the set look at; numbers and texts as text, absent ones left out.
    position: the place in the log that the server's answer told; None before.
    """

    __slots__ = ("source", "id", "type", "subject", "time", "body", "fields", "position")

    def __init__(self, source, id, type, subject, time, body, fields):
        self.source, self.id, self.type, self.subject = source, id, type, subject
        self.time = time  # microseconds
        self.body = body  # a dict, as JSON would carry it, numbers as exact text (see wire.py)
        self.fields = fields
        self.position = None


class Meter:
    """A meter type, with the same meaning twice: its definition for the server, and a fold."""

    def __init__(self, key, event_types, aggregation, value=None, field=None, dimensions=None,
                 filter=None):
        """value: a path or expression for the server; field: the reference's name of the same.

        dimensions: {name: (path or expression, field)}. A field ":subject" means the event's
        subject, and a function of the event's fields computes. filter: (expression, function of
        the event's fields).
        """
        self.key, self.event_types, self.aggregation = key, event_types, aggregation
        self.value, self.field = value, field
        self.dimensions = dimensions or {}
        self.filter = filter
        self.rows, self.times = [], []

    def definition(self):
        body = {
            "key": self.key, "name": self.key, "eventTypes": self.event_types,
            "aggregation": self.aggregation,
        }
        if self.value:
            body["value"] = self.value
        if self.filter:
            body["filter"] = self.filter[0]
        if self.dimensions:
            body["dimensions"] = {name: path for name, (path, _) in self.dimensions.items()}
        return body

    def matches(self, event_type):
        return any(
            event_type.startswith(each[:-1]) if each.endswith("*") else event_type == each
            for each in self.event_types
        )

    def load(self, events):
        """Takes what this meter counts out of the events; each must know its position."""
        rows = []
        for event in events:
            if not self.matches(event.type):
                continue
            if self.filter and not self.filter[1](event.fields):
                continue
            value = None
            if self.aggregation != "count":
                text = _read(event, self.field)
                if text is None:
                    continue  # unreadable for this meter: it counts for the others
                value = text if self.aggregation == "unique" else exact.mantissa(text)
            names = {name: _read(event, field) for name, (_, field) in self.dimensions.items()}
            rows.append((event.time, event.position, event.subject, names, value))
        rows.sort(key=lambda row: row[:2])
        self.rows, self.times = rows, [row[0] for row in rows]
        return self

    def fold(self, rows):
        """(value text or None, event count) of rows in (time, position) order."""
        kind = self.aggregation
        if kind == "count":
            return str(len(rows)), len(rows)
        values = [row[4] for row in rows]
        if kind == "unique":
            return str(len(set(values))), len(rows)
        if kind == "sum":
            return exact.quantity(sum(values)), len(rows)
        if not rows:
            return None, 0
        if kind == "average":
            return exact.quantity(exact.divided(sum(values), len(values))), len(rows)
        picked = {"min": min, "max": max, "latest": lambda all: all[-1]}[kind](values)
        return exact.quantity(picked), len(rows)

    def readings(self, start, end, window=None, timezone="UTC", group_by=(), subjects=(),
                 as_of=None, fill=False):
        """The readings of [start, end), in the order the API defines.

        The first and the last window are cut by the range. Named subjects have a reading each.
        Without windows, and with fill in every window, what has no event shows too: all subjects
        together, each named one, each group that the range knows.
        """
        edges = exact.edges(start, end, window, timezone) if window else [start, end]
        edges = [max(start, edges[0]), *edges[1:-1], min(end, edges[-1])]
        if subjects and "subject" not in group_by:
            group_by = ("subject", *group_by)
        # The subject comes first, whatever place it has in the question.
        group_by = tuple(sorted(group_by, key=lambda name: name != "subject"))
        rows = self._between(start, end, as_of, subjects)
        shown = set()
        if fill and window:
            shown.update(_grouped(rows, group_by))
        if fill or not window:
            if group_by in ((), ("subject",)):
                shown.update([(subject,) for subject in subjects] if group_by else [()])
        result = []
        for low, high in zip(edges, edges[1:]):
            groups = _grouped(self._between(low, high, as_of, subjects), group_by)
            for group in sorted(shown.union(groups), key=lambda names: [*map(_order, names)]):
                value, count = self.fold(groups.get(group, []))
                reading = {
                    "meterType": self.key, "from": low, "to": high,
                    "value": value, "events": count,
                }
                named = dict(zip(group_by, group))
                if "subject" in named:
                    reading["subject"] = named.pop("subject")
                if named:
                    reading["dimensions"] = named
                result.append(reading)
        return result

    def _between(self, low, high, as_of, subjects):
        rows = self.rows[
            bisect.bisect_left(self.times, low):bisect.bisect_left(self.times, high)
        ]
        if as_of is not None:
            rows = [row for row in rows if row[1] <= as_of]
        if subjects:
            rows = [row for row in rows if row[2] in subjects]
        return rows


def _read(event, field):
    """What a field of a meter means for an event, as text; None where it has nothing."""
    if callable(field):
        return field(event.fields)
    return event.subject if field == ":subject" else event.fields.get(field)


def _grouped(rows, group_by):
    """{names of the group: its rows}; one group without a name where nothing is grouped by."""
    if not group_by:
        return {(): rows} if rows else {}
    groups = collections.defaultdict(list)
    if group_by == ("subject",):
        for row in rows:
            groups[row[2],].append(row)
    else:
        for row in rows:
            names = {**row[3], "subject": row[2]}
            groups[tuple([names[name] for name in group_by])].append(row)
    return groups


def _order(name):
    """Byte-wise, a missing value first."""
    return (0, b"") if name is None else (1, name.encode())
