"""The independent computation: meters as plain folds over the events, no buckets, no merging."""

import bisect

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

    def __init__(self, key, event_types, aggregation, value=None, field=None, dimensions=None):
        """value: a path for the server; field: the reference's name of the same.

        dimensions: {name: (path, field)}. A field ":subject" means the event's subject.
        """
        self.key, self.event_types, self.aggregation = key, event_types, aggregation
        self.value, self.field = value, field
        self.dimensions = dimensions or {}
        self.rows, self.times = [], []

    def definition(self):
        body = {
            "key": self.key, "name": self.key, "eventTypes": self.event_types,
            "aggregation": self.aggregation,
        }
        if self.value:
            body["value"] = self.value
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
            value = None
            if self.aggregation != "count":
                text = event.subject if self.field == ":subject" else event.fields.get(self.field)
                if text is None:
                    continue  # unreadable for this meter: it counts for the others
                value = text if self.aggregation == "unique" else exact.mantissa(text)
            names = {name: event.fields.get(field) for name, (_, field) in self.dimensions.items()}
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

    def readings(self, start, end, window=None, timezone="UTC", group_by=(), subject=None,
                 as_of=None, fill=False):
        """The readings of [start, end), in the order the API defines."""
        edges = exact.edges(start, end, window, timezone) if window else [start, end]
        result = []
        for low, high in zip(edges, edges[1:]):
            counted = max(low, start), min(high, end)
            rows = self.rows[
                bisect.bisect_left(self.times, counted[0]):
                bisect.bisect_left(self.times, counted[1])
            ]
            if as_of is not None:
                rows = [row for row in rows if row[1] <= as_of]
            if subject is not None:
                rows = [row for row in rows if row[2] == subject]
            for group, members in _grouped(rows, group_by, fill or not window):
                value, count = self.fold(members)
                reading = {
                    "meterType": self.key, "from": low, "to": high,
                    "value": value, "events": count,
                }
                named = dict(zip(group_by, group))
                if "subject" in named:
                    reading["subject"] = named.pop("subject")
                elif subject is not None:
                    reading["subject"] = subject
                if named:
                    reading["dimensions"] = named
                result.append(reading)
        return result


def _grouped(rows, group_by, with_empty):
    if not group_by:
        return [((), rows)] if rows or with_empty else []
    groups = {}
    for row in rows:
        names = tuple(row[2] if name == "subject" else row[3][name] for name in group_by)
        groups.setdefault(names, []).append(row)
    # The subject comes first, whatever place it has in the question.
    ranks = sorted(range(len(group_by)), key=lambda index: group_by[index] != "subject")
    return sorted(
        groups.items(), key=lambda item: [_order(item[0][rank]) for rank in ranks]
    )


def _order(name):
    """Byte-wise, a missing value first."""
    return (0, b"") if name is None else (1, name.encode())
