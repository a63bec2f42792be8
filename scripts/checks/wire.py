"""How events are put on the wire: JSON with exact numbers, and every framing the intake takes."""

import gzip
import json
import struct
import urllib.parse


class Number(str):
    """A number by its text, so that 0.10 is sent as 0.10 and no float is ever made."""


def json_text(value, mirrored=False):
    """JSON of dicts, lists, texts, Numbers, bools and None.

    mirrored: the same value spelled otherwise (members in reverse order, blanks between, escapes,
    numbers with a zero more); an intake that compares content as JSON values must not notice.
    """
    if isinstance(value, Number):
        return str(value) if not mirrored else value + ("0" if "." in value else ".0")
    if isinstance(value, dict):
        items = list(value.items())
        if mirrored:
            items.reverse()
        gap = " " if mirrored else ""
        inner = ("," + gap).join(
            f"{json.dumps(key)}:{gap}{json_text(member, mirrored)}" for key, member in items
        )
        return "{" + gap + inner + gap + "}"
    if isinstance(value, list):
        return "[" + ",".join(json_text(member, mirrored) for member in value) + "]"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise TypeError("numbers go over the wire as wire.Number, by their text")
    return json.dumps(value, ensure_ascii=not mirrored)


def stored(payload):
    """A zstd frame that stores the payload in raw blocks (RFC 8878): zstd without a library."""
    frame = bytearray(struct.pack("<IBQ", 0xFD2FB528, 0xE0, len(payload)))
    step = 128 * 1024
    starts = range(0, len(payload), step) or [0]
    for start in starts:
        block = payload[start:start + step]
        last = start + step >= len(payload)
        frame += struct.pack("<I", len(block) << 3 | last)[:3] + block
    return bytes(frame)


def _lines(texts):
    return ("\n".join(texts) + "\n").encode()


def _array(texts):
    return ("[" + ",".join(texts) + "]").encode()


BATCH = "application/cloudevents-batch+json"
FRAMINGS = {
    "ndjson": ("application/x-ndjson", _lines, None),
    "array": ("application/json", _array, None),
    "batch": (BATCH, _array, None),
    "batch-charset": (BATCH + "; charset=utf-8", _array, None),
    "ndjson-gzip": ("application/x-ndjson", _lines, "gzip"),
    "array-gzip": ("application/json", _array, "gzip"),
    "batch-zstd": (BATCH, _array, "zstd"),
    "ndjson-zstd": ("application/x-ndjson", _lines, "zstd"),
}


def framed(framing, texts):
    """(headers, body) of a batch of event texts."""
    content_type, join, encoding = FRAMINGS[framing]
    headers, body = {"Content-Type": content_type}, join(texts)
    if encoding:
        headers["Content-Encoding"] = encoding
        body = gzip.compress(body, 1) if encoding == "gzip" else stored(body)
    return headers, body


def structured(event_body):
    """One event as a structured CloudEvent."""
    return {"Content-Type": "application/cloudevents+json"}, json_text(event_body).encode()


def binary(event_body):
    """One event in binary mode: attributes as ce- headers, data as the body."""
    headers = {"Content-Type": "application/json"}
    for name, value in event_body.items():
        if name != "data":
            # Blank, quote and percent are percent-encoded; what is printable else stays.
            headers["ce-" + name] = urllib.parse.quote(value, safe="!#$&'()*+,-./:;<=>?@[]^_`{|}~")
    return headers, json_text(event_body["data"]).encode()
