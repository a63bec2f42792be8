"""Sending events and believing nothing: every answer is held against what was sent."""

import http.client
import time

import wire
from odometer_check import Refused, parsed

VERBOSE = "/v1/events?verbose=true"


class Ledgerbook:
    """What the answers told: verdicts by source, and each event's one and only position."""

    def __init__(self, tally):
        self.tally = tally
        self.received = self.accepted = self.duplicates = self.conflicts = self.rejected = 0
        self.position = 0

    def note(self, answer, events):
        """Takes in one answer to a call that carried exactly these events (None: a bad line)."""
        check = self.tally.check
        counts = {name: int(answer[name]) for name in
                  ("received", "accepted", "duplicates", "conflicts", "rejected")}
        check(
            counts["received"] == len(events) == sum(counts.values()) - counts["received"],
            "an answer counts every event of its call once", answer,
        )
        self.received += counts["received"]
        self.accepted += counts["accepted"]
        self.duplicates += counts["duplicates"]
        self.conflicts += counts["conflicts"]
        self.rejected += counts["rejected"]
        self.position = max(self.position, int(answer["position"]))
        for item in answer.get("items", []):
            event = events[int(item["index"])]
            if item["verdict"] not in ("accepted", "duplicate") or event is None:
                continue
            place = int(item["position"])
            if event.position is None:
                event.position = place
            elif event.position != place:
                check(False, f"{event.source} {event.id} keeps its position",
                      f"was {event.position}, now {place} ({item['verdict']})")
        return counts


def send(client, headers, body, path=VERBOSE):
    """One try: the parsed answer, or Refused."""
    return client.json("POST", path, body, headers)


def send_until_acknowledged(client, headers, body, deadline, attempts=None):
    """Retries what a retry can mend (no connection, 429, 5xx) until the answer is 200."""
    pause = 0.005
    while True:
        if attempts is not None:
            attempts()
        try:
            status, _, payload = client.call("POST", VERBOSE, body, headers)
            if status == 200:
                return parsed(payload)
            if status != 429 and status < 500:
                raise Refused(status, payload)
        except (OSError, http.client.HTTPException):
            pass
        if time.monotonic() > deadline:
            raise TimeoutError("no acknowledgement within the time allowed")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def batches(generator, events, smallest, largest):
    """The events cut into batches of random sizes."""
    at = 0
    while at < len(events):
        size = generator.randint(smallest, largest)
        yield events[at:at + size]
        at += size


def text(event, mirrored=False):
    return wire.json_text(event.body, mirrored)
