"""Clients that send as many new events as a server takes, and how many that is."""

import threading
import time

import odometer_check as check

BATCH = 1_000


def lines(kind, numbers, time_text, prefix, subjects):
    return "\n".join(
        f'{{"specversion":"1.0","id":"{prefix}{number}","source":"bench","type":"{kind}",'
        f'"subject":"s{number % subjects}","time":"{time_text}","data":{{"v":1.5}}}}'
        for number in numbers
    ).encode()


class Load(threading.Thread):
    """Sends batches of new events, one after the other, until told to stop."""

    def __init__(self, port, number, time_text):
        super().__init__(daemon=True)
        self.client = check.Client(port)
        self.number, self.time_text = number, time_text
        self.sent, self.is_over = 0, False

    def run(self):
        while not self.is_over:
            first = self.sent
            numbers = range(first, first + BATCH)
            body = lines("live", numbers, self.time_text, f"l{self.number}-", 10_000)
            status, _, _ = self.client.call(
                "POST", "/v1/events", body, {"Content-Type": "application/x-ndjson"}
            )
            if status == 200:
                self.sent += BATCH


def rate(loads, seconds):
    before = sum(load.sent for load in loads)
    began = time.monotonic()
    time.sleep(seconds)
    return (sum(load.sent for load in loads) - before) / (time.monotonic() - began)
