"""The data sets under shared/data as events and meter types. Read-only; nothing is downloaded."""

import csv
import datetime
import gzip
import io
import json
import os
import re

import exact
from reference import Event, Meter
from wire import Number, json_text

COMBINED = re.compile(
    r'(\S+) (\S+) (\S+) \[(\d\d)/(\w{3})/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)\] '
    r'"((?:[^"\\]|\\.)*)" (\d+) (\d+|-) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)("?)$'
)
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


class DataSet:
    """Events with their meters.

    early: meter types defined before the events are sent; late: after, so that history is counted.
    refused: (line, reason) texts to be sent as NDJSON lines, which the intake must reject.
    """

    def __init__(self, name, events, early, late, refused, zones):
        self.name, self.events, self.early, self.late = name, events, early, late
        self.refused, self.zones = refused, zones

    @property
    def meters(self):
        return self.early + self.late


def _read(root, *path):
    with open(os.path.join(root, *path), "rb") as file:
        raw = file.read()
    return (gzip.decompress(raw) if path[-1].endswith(".gz") else raw).decode("utf-8")


def _rows(text):
    reader = csv.reader(io.StringIO(text))
    next(reader)
    return enumerate(reader, start=1)


def _event(source, id, type, subject, time_text, data, fields, **extensions):
    body = {
        "specversion": "1.0", "id": id, "source": source, "type": type, "subject": subject,
        "time": time_text, **extensions, "data": data,
    }
    return Event(source, id, type, subject, exact.microseconds(time_text), body, fields)


def azure(root):
    """28,185 LLM requests: requests and tokens by service."""
    events = []
    for service in ("code", "conv"):
        file = f"AzureLLMInferenceTrace_{service}.csv"
        for number, (stamp, taken, made) in _rows(_read(root, "azure-llm-2023", file + ".gz")):
            # Every other row gives its output as a text: text numbers count as numbers.
            output = made if number % 2 else Number(made)
            events.append(_event(
                f"azure/{service}", f"{file}:{number}", "llm.request", f"{service}-service",
                stamp.replace(" ", "T") + "Z",
                {"service": service, "tokens": {"input": Number(taken), "output": output}},
                {"service": service, "input": taken, "output": made}, deployment=service,
            ))
    by = {"service": ("$.data.service", "service")}
    by_extension = {"service": ("$.deployment", "service")}
    sides = {"input": "$.data.tokens.input", "output": "$.data.tokens.output"}

    def meter(aggregation, side, dimensions):
        return Meter(
            f"llm-{side}-{aggregation}", ["llm.request"], aggregation, sides[side], side,
            dimensions,
        )

    early = [
        Meter("llm-requests", ["llm.request"], "count", dimensions=by),
        Meter("llm-active", ["llm.*"], "unique", "$.subject", ":subject"),
        *(meter(kind, side, by) for side in sides for kind in ("sum", "max", "latest")),
    ]
    late = [meter(kind, side, by_extension) for side in sides for kind in ("min", "average")]
    # The publisher's times have no offset; sent as they stand, the intake must refuse them.
    bare = {**events[0].body, "id": "bare-time", "time": "2023-11-16 18:17:03.9799600"}
    return DataSet(
        "azure-llm-2023", events, early, late, [json_text(bare)],
        ["UTC", "Asia/Kathmandu", "America/St_Johns"],
    )


def access_logs(root):
    """10,000 access-log lines and 500 proxy snapshots: counts, bytes, visitors, gauges.

    One line of the log lost its closing quote. As it stands it is sent as an NDJSON line, which
    the intake must refuse without harm to its neighbours; the request did happen, so its event is
    sent as well, with the user agent to the end of the line.
    """
    events, refused = [], []
    lines = _read(root, "web-access-logs", "apache_logs.gz").splitlines()
    for number, line in enumerate(lines, start=1):
        match = COMBINED.match(line)
        if not match:
            raise SystemExit(f"apache_logs:{number} is no access-log line: {line!r}")
        (address, _, _, day, month, year, clock, off_hour, off_minute, request, status, sent,
         referrer, agent, quote) = match.groups()
        if not quote:
            refused.append(line)
        method, path = (request.split(" ") + [""])[:2]
        month = f"{MONTHS.index(month) + 1:02d}"
        fields = {"method": method, "status": status, "address": address}
        if sent != "-":
            fields["bytes"] = sent
        data = {
            "method": method, "path": path, "status": Number(status),
            "bytes": None if sent == "-" else Number(sent),
            "referrer": referrer, "agent": agent,
        }
        events.append(_event(
            "web/apache", f"apache_logs:{number}", "http.request", address,
            f"{year}-{month}-{day}T{clock}{off_hour}:{off_minute}", data, fields,
        ))
    if len(refused) != 1:
        raise SystemExit(f"expected one malformed access-log line, found {len(refused)}")
    events += _snapshots(root)
    by = {"status": ("$.data.status", "status"), "method": ("$.data.method", "method")}
    size = ("$.data.bytes", "bytes")
    early = [
        Meter("web-requests", ["http.request"], "count", dimensions=by),
        Meter("web-bytes", ["http.request"], "sum", *size, by),
        Meter("web-largest", ["http.request"], "max", *size, by),
        Meter("web-visitors", ["http.request"], "unique", "$.subject", ":subject", by),
        *_gauges(("latest", "min")),
    ]
    late = [
        Meter("web-smallest", ["http.*"], "min", *size, by),
        Meter("web-newest", ["http.*"], "latest", *size, by),
        Meter("web-mean", ["http.*"], "average", *size, by),
        *_gauges(("max", "average", "sum")),
    ]
    return DataSet(
        "web-access-logs", events, early, late, refused,
        ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"],
    )


GAUGES = {
    "active": "$.data.connections.active",
    "requests": "$.data.requests.total",
    "hg-sent": "$.data.server_zones['hg.nginx.org'].sent",
    "trac-peer": "$.data.upstreams['trac-backend'].peers[0].requests",
}


def _snapshots(root):
    events = []
    lines = _read(root, "web-access-logs", "nginxplus_json_logs.gz").splitlines()
    for number, line in enumerate(lines, start=1):
        data = json.loads(line, parse_int=Number, parse_float=Number)
        moment = exact.rfc3339(int(data["timestamp"]) * 1000)
        fields = {
            "active": data["connections"]["active"],
            "requests": data["requests"]["total"],
            "hg-sent": data["server_zones"]["hg.nginx.org"]["sent"],
            "trac-peer": data["upstreams"]["trac-backend"]["peers"][0]["requests"],
            "generation": data["generation"],
        }
        events.append(_event(
            "web/nginx", f"nginxplus_json_logs:{number}", "proxy.status", data["address"],
            moment, data, fields,
        ))
    return events


def _gauges(kinds):
    by = {"generation": ("$.data.generation", "generation")}
    return [
        Meter(f"proxy-{name}-{kind}", ["proxy.status"], kind, path, name, by)
        for name, path in GAUGES.items() for kind in kinds
    ]


def copenhagen(root):
    """3,600 calls, told by both sides, and 24,333 messages.

    A call is two events under one id: one of the caller's source, one of the callee's. A missed
    call (duration -1) is an event of its own type, so that call seconds count answered ones only.
    """
    start = exact.microseconds("2024-01-01T00:00:00Z")
    events = []
    for number, (second, caller, callee, length) in _rows(
        _read(root, "copenhagen-calls-sms", "calls.csv")
    ):
        moment = exact.rfc3339(start + int(second) * exact.SECOND)
        kind = "call.missed" if length == "-1" else "call.answered"
        for direction, who, whom in (("out", caller, callee), ("in", callee, caller)):
            fields = {"direction": direction, "peer": whom, "seconds": length}
            data = {"direction": direction, "peer": whom, "seconds": Number(length)}
            events.append(_event(
                f"cns/calls/{direction}", f"calls.csv:{number}", kind, f"person-{who}", moment,
                data, fields,
            ))
    berlin = datetime.timezone(datetime.timedelta(hours=1))
    for number, (second, sender, recipient) in _rows(
        _read(root, "copenhagen-calls-sms", "sms.csv")
    ):
        # Messages are told in Copenhagen's winter time: any offset is accepted.
        moment = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
        moment += datetime.timedelta(seconds=int(second))
        events.append(_event(
            "cns/sms", f"sms.csv:{number}", "sms.sent", f"person-{sender}",
            moment.astimezone(berlin).isoformat(), {"to": [recipient]}, {"peer": recipient},
        ))
    by = {"direction": ("$.data.direction", "direction")}
    seconds = ("$.data.seconds", "seconds")
    # Missed calls left out by a filter, whole minutes by an expression, long calls by another.
    kept = ("$.data.seconds != -1", lambda fields: fields["seconds"] != "-1")
    minutes = (
        "ceil($.data.seconds / 60)", lambda fields: str((int(fields["seconds"]) + 59) // 60)
    )
    by_length = {**by, "length": (
        "if($.data.seconds > 300, \"long\", \"short\")",
        lambda fields: "long" if int(fields["seconds"]) > 300 else "short",
    )}
    early = [
        Meter("calls", ["call.*"], "count", dimensions=by),
        Meter("call-seconds", ["call.answered"], "sum", *seconds, by),
        Meter("call-longest", ["call.answered"], "max", *seconds, by),
        Meter("call-peers", ["call.*"], "unique", "$.data.peer", "peer", by),
        Meter("call-raw", ["call.*"], "sum", *seconds, by),  # missed ones count -1 here
        Meter("call-kept", ["call.*"], "sum", *seconds, by, kept),
        Meter("call-minutes", ["call.*"], "sum", *minutes, by_length, kept),
        Meter("call-least", ["call.*"], "min", *seconds, by),
    ]
    late = [
        Meter("call-last", ["call.*"], "latest", *seconds, by),
        Meter("call-mean", ["call.answered"], "average", *seconds, by),
        Meter("call-kept-mean", ["call.*"], "average", *seconds, by_length, kept),
        Meter("call-kept-peers", ["*"], "unique", "$.data.peer", "peer", by, (
            "type startsWith \"call.\" and not ($.data.seconds < 0)",
            lambda fields: int(fields.get("seconds", "-1")) >= 0,
        )),
        Meter("messages", ["sms.sent"], "count"),
        Meter("message-peers", ["sms.sent"], "unique", "$.data.to", "peer"),
    ]
    return DataSet(
        "copenhagen-calls-sms", events, early, late, ["184,300,301,121"],
        ["UTC", "Europe/Berlin", "Australia/Sydney", "America/St_Johns"],
    )


def smart_meters(root):
    """293,874 half hours of ten households: energy by tariff time."""
    events = []
    for number, (household, stamp, energy) in _rows(
        _read(root, "sgsc-smart-meters", "readings.csv.gz")
    ):
        tariff = "night" if stamp[11:13] < "07" else "day"
        shown = energy if number % 3 == 0 else Number(energy)
        events.append(_event(
            "sgsc", f"readings.csv:{number}", "energy.half-hour", household,
            stamp.replace(" ", "T") + "Z", {"kwh": shown, "tariff": tariff},
            {"kwh": energy, "tariff": tariff},
        ))
    by = {"tariff": ("$.data.tariff", "tariff")}
    energy = ("$.data.kwh", "kwh")
    early = [
        Meter("energy", ["energy.half-hour"], "sum", *energy, by),
        Meter("energy-peak", ["energy.half-hour"], "max", *energy, by),
        Meter("energy-readings", ["energy.half-hour"], "count", dimensions=by),
        Meter("households", ["energy.half-hour"], "unique", "$.subject", ":subject"),
    ]
    late = [
        Meter("energy-least", ["energy.half-hour"], "min", *energy, by),
        Meter("energy-last", ["energy.half-hour"], "latest", *energy, by),
        Meter("energy-mean", ["energy.half-hour"], "average", *energy, by),
    ]
    return DataSet(
        "sgsc-smart-meters", events, early, late, ['{"kwh":0.141'],
        ["UTC", "Europe/Berlin", "Australia/Sydney", "Asia/Kathmandu", "America/St_Johns"],
    )


ALL = {"azure": azure, "web": access_logs, "copenhagen": copenhagen, "sgsc": smart_meters}
