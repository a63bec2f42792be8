"""What the stories' readings must be, computed over the files: no events, no meter types, no buckets.

Each function compares all readings of one story, and says how many.
"""

import collections
import csv
import datetime
import glob
import gzip
import os
import re

import exact

UTC = "%Y-%m-%d %H:%M:%S"


def _rows(*path):
    path = os.path.join(*path)
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _at(text):
    """Microseconds of a time in UTC, finer digits cut off."""
    return exact.microseconds(text.replace(" ", "T") + "Z")


def _readings(client, **question):
    """All readings of a question: {(meter type, subject, start, dimensions…): (value, events)}."""
    found, cursor = {}, None
    for name in ("start", "end"):
        question[{"start": "from", "end": "to"}[name]] = exact.rfc3339(question.pop(name))
    while True:
        answer = client.get("/v1/usage", **question, limit=1000, cursor=cursor)
        for row in answer["readings"]:
            key = (row["meterType"], row.get("subject"), exact.microseconds(row["from"]),
                   *row.get("dimensions", {}).values())
            found[key] = (row["value"], int(row["events"]))
        cursor = answer.get("next")
        if not cursor:
            return found


def _compare(tally, found, expected, what):
    for key in sorted(set(found) | set(expected), key=str):
        tally.equal(found.get(key), expected.get(key), f"{what} {key}")
    return len(expected)


class Sums:
    """Sums and counts by key; a key that is not there has no reading."""

    def __init__(self):
        self.sums = collections.defaultdict(lambda: [0, 0])

    def add(self, key, mantissa):
        self.sums[key][0] += mantissa
        self.sums[key][1] += 1

    def all(self):
        return {key: (exact.quantity(total), count) for key, (total, count) in self.sums.items()}


def ai_tokens(client, root, tally):
    start, end = _at("2023-11-16 00:00:00"), _at("2023-11-17 00:00:00")
    tokens, quarters, prompts = Sums(), Sums(), Sums()
    for product in ("code", "conv"):
        file = f"AzureLLMInferenceTrace_{product}.csv.gz"
        for row in _rows(root, "azure-llm-2023", file):
            at = _at(row["TIMESTAMP"])
            taken, made = int(row["ContextTokens"]), int(row["GeneratedTokens"])
            quarter = at - at % (15 * exact.MINUTE)
            for key, count in (("tokens-in", taken), ("tokens-out", made)):
                tokens.add((key, product, start), count * exact.ONE)
                quarters.add((key, product, quarter), count * exact.ONE)
            length = "long" if taken >= 4096 else "medium" if taken >= 1024 else "short"
            prompts.add(("requests", product, at - at % exact.HOUR, length), exact.ONE)
    both = {"meterType": ["tokens-in", "tokens-out"], "groupBy": "subject"}
    asked = {"start": start, "end": end}
    return (
        _compare(tally, _readings(client, **both, **asked), tokens.all(), "tokens")
        + _compare(tally, _readings(client, **both, **asked, window="15m"), quarters.all(),
                   "tokens by the quarter")
        + _compare(tally, _readings(client, meterType="requests", groupBy=["subject", "prompt"],
                                    window="hour", **asked), prompts.all(), "prompts by the hour")
    )


def energy(client, root, tally):
    zone = exact.zone("Australia/Sydney")
    days, tariffs = Sums(), Sums()
    start, end = _at("2012-02-01 00:00:00"), _at("2014-04-01 00:00:00")
    for row in _rows(root, "sgsc-smart-meters", "readings.csv.gz"):
        at = datetime.datetime.strptime(row["reading_datetime"], UTC)
        local = at.replace(tzinfo=datetime.timezone.utc).astimezone(zone)
        midnight = exact.since_epoch(datetime.datetime(
            local.year, local.month, local.day, tzinfo=zone
        ))
        energy = exact.mantissa(row["general_supply_kwh"])
        days.add(("kwh", row["customer_id"], max(midnight, start)), energy)
        tariff = "peak" if 14 <= local.hour < 20 else "off-peak"
        tariffs.add(("kwh", row["customer_id"], start, tariff), energy)
    asked = {"meterType": "kwh", "start": start, "end": end}
    return (
        _compare(tally, _readings(client, **asked, groupBy="subject", window="day",
                                  timezone="Australia/Sydney"), days.all(), "a household's day")
        + _compare(tally, _readings(client, **asked, groupBy=["subject", "tariff"]), tariffs.all(),
                   "a household's tariff")
    )


def calls(client, root, tally):
    start = _at("2024-01-01 00:00:00")
    end = start + 28 * exact.DAY
    weekly, lengths = Sums(), Sums()

    def week(at):
        return start + (at - start) // (7 * exact.DAY) * 7 * exact.DAY

    for row in _rows(root, "copenhagen-calls-sms", "calls.csv"):
        at, seconds = start + int(row["timestamp"]) * exact.SECOND, int(row["duration"])
        if seconds < 0:
            continue
        minutes = (seconds + 59) // 60
        weekly.add(("call-seconds", row["caller"], week(at)), seconds * exact.ONE)
        weekly.add(("call-minutes", row["caller"], week(at)), minutes * exact.ONE)
        length = "long" if seconds > 600 else "short"
        lengths.add(("call-minutes", row["caller"], start, length), minutes * exact.ONE)
    for row in _rows(root, "copenhagen-calls-sms", "sms.csv"):
        at = start + int(row["timestamp"]) * exact.SECOND
        weekly.add(("texts", row["sender"], week(at)), exact.ONE)
    asked = {"start": start, "end": end}
    every = ["call-seconds", "call-minutes", "texts"]
    return (
        _compare(tally, _readings(client, meterType=every, groupBy="subject", window="week",
                                  **asked), weekly.all(), "a phone's week")
        + _compare(tally, _readings(client, meterType="call-minutes", **asked,
                                    groupBy=["subject", "length"]), lengths.all(), "call lengths")
    )


def data_quality(client, root, tally):
    start = _at("2024-01-01 00:00:00")
    asked = {"start": start, "end": start + 28 * exact.DAY, "groupBy": "subject"}
    used, missed, long, texts = Sums(), 0, 0, set()
    for row in _rows(root, "copenhagen-calls-sms", "calls.csv"):
        seconds = int(row["duration"])
        missed, long = missed + (seconds < 0), long + (seconds > 3600)
        used.add(("call-seconds", row["caller"], start), max(seconds, 0) * exact.ONE)
    for row in _rows(root, "copenhagen-calls-sms", "sms.csv"):
        texts.add((row["timestamp"], row["sender"], row["recipient"]))
    for _, sender, _ in texts:
        used.add(("texts", sender, start), exact.ONE)
    with gzip.open(os.path.join(root, "web-access-logs", "apache_logs.gz"), "rt") as file:
        all_lines = file.read().splitlines()
    lines = set(all_lines)
    broken = sum(not line.endswith('"') for line in lines)
    known = 24_333 - len(texts) + len(all_lines) - len(lines)
    books = client.get("/v1/reconciliation")
    tally.equal(books["total"]["balances"], True, "the books balance")
    tally.equal(books["total"]["quarantined"], str(missed + broken), "rejected by a rule")
    tally.equal(books["total"]["duplicate"], str(known), "texts and lines that stand twice")
    released = books["quarantine"]["total"]["released"]
    tally.equal(released, str(missed + broken), "mended and released")
    log = Sums()
    for line in lines:
        log.add(("log-lines", line.split(" ")[0], _at("2015-05-17 00:00:00")), exact.ONE)
    days = {"start": _at("2015-05-17 00:00:00"), "end": _at("2015-05-21 00:00:00")}
    compared = _compare(
        tally, _readings(client, meterType="log-lines", groupBy="subject", **days), log.all(), "a log"
    )
    warned = client.get("/v1/validation-rules/call-is-short")["warnings"]
    tally.equal(warned["events"], str(long), "calls over an hour")
    return compared + _compare(
        tally, _readings(client, meterType=["call-seconds", "texts"], **asked), used.all(), "a phone"
    )


LINE = re.compile(r'(\S+) \S+ \S+ \[(\d\d)/May/2015:(\d\d:\d\d:\d\d) \+0000\] "(?:[^"\\]|\\.)*" '
                  r"(\d+) (\d+|-) ")


def web_api(client, root, tally):
    start, end = _at("2015-05-17 00:00:00"), _at("2015-05-21 00:00:00")
    used, clients = Sums(), collections.defaultdict(list)
    with gzip.open(os.path.join(root, "web-access-logs", "apache_logs.gz"), "rt") as file:
        for line in file:
            client_address, day, clock, status, sent = LINE.match(line).groups()
            at = _at(f"2015-05-{day} {clock}")
            kind = {"5": "5xx", "4": "4xx", "3": "3xx"}.get(status[0], "2xx")
            day = at - at % exact.DAY
            used.add(("api-calls", client_address, day, kind), exact.ONE)
            if sent != "-":
                used.add(("api-bytes", client_address, day, kind), int(sent) * exact.ONE)
            clients["api-clients", None, day].append(client_address)
    asked = {"start": start, "end": end, "window": "day"}
    distinct = {key: (str(len(set(all))), len(all)) for key, all in clients.items()}
    return (
        _compare(tally, _readings(client, meterType=["api-calls", "api-bytes"], **asked,
                                  groupBy=["subject", "class"]), used.all(), "a client's day")
        + _compare(tally, _readings(client, meterType="api-clients", **asked), distinct, "clients")
    )


CARRY = 15 * exact.MINUTE


def gauges(client, root, tally):
    compared = 0
    for path in sorted(glob.glob(os.path.join(root, "cloudwatch-gauges", "*.csv.gz"))):
        series = os.path.basename(path).removesuffix(".csv.gz")
        samples = [(_at(row["timestamp"]), exact.mantissa(row["value"])) for row in _rows(path)]
        start = min(samples)[0] // exact.DAY * exact.DAY
        end = (max(samples)[0] // exact.DAY + 2) * exact.DAY
        asked = {"subject": series, "groupBy": "subject", "start": start, "end": end}
        for key, expected in (("gauge-hours", _hours), ("gauge-p95", _percentiles)):
            for width, window in ((exact.DAY, {"window": "day"}), (end - start, {})):
                compared += _compare(
                    tally, _readings(client, meterType=key, **asked, **window),
                    expected(key, series, samples, start, width), key,
                )
    return compared


def _windows(at, until, start, width):
    """The windows between two moments: (start of the window, moments within it)."""
    while at < until:
        window = start + (at - start) // width * width
        edge = min(window + width, until)
        yield window, edge - at
        at = edge


def _hours(key, series, samples, start, width):
    """The integral: each sample holds until the next moment that has one, or for CARRY."""
    held = {}
    for at, value in samples:
        held[at] = value  # of one moment the last in the file
    counts = collections.Counter(start + (at - start) // width * width for at, _ in samples)
    moments = sorted(held)
    sums = collections.defaultdict(int)
    for at, following in zip(moments, [*moments[1:], None]):
        until = at + CARRY if following is None else min(at + CARRY, following)
        for window, length in _windows(at, until, start, width):
            sums[window] += held[at] * length
    return {
        (key, series, window): (
            exact.quantity(exact.divided(total, exact.HOUR)), counts.get(window, 0)
        )
        for window, total in sums.items()
    }


def _percentiles(key, series, samples, start, width):
    """The least value that 95 % of the values do not exceed."""
    values = collections.defaultdict(list)
    for at, value in samples:
        values[start + (at - start) // width * width].append(value)
    return {
        (key, series, window): (
            exact.quantity(sorted(all)[-(-95 * len(all) // 100) - 1]), len(all)
        )
        for window, all in values.items()
    }


STORIES = {
    "ai-tokens": ai_tokens, "energy": energy, "calls": calls, "web-api": web_api, "gauges": gauges,
    "data-quality": data_quality,
}
