"""The machine's clock steps back while the server runs, and again between two runs."""

import glob
import os

import odometer_check as check
from faulted import METERS


def _library():
    places = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")
    found = [path for place in places for path in glob.glob(place)]
    return found[0] if found else None


# libfaketime sets a variable of its own at start, which moves the environment away from the
# arguments, where Swift looks for them; behind `env` the variable is there already.
BEHIND = ("env",)


def stepped_back(seeded):
    """Events without a time are stamped on arrival; positions grow whatever the clock says."""
    library = _library()
    if library is None:
        return "skipped: no libfaketime (Debian: apt-get install faketime)"
    store, ticks, tally = seeded.empty("clock"), seeded.ticks("clock"), seeded.tally
    clock = seeded.place.store("clock")
    environment = {
        "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
    }
    batches = [ticks.make(40, is_timed=False) for _ in range(4)]
    positions, arrivals = [], []

    def send(client, batch):
        counts = ticks.send(client, batch)
        tally.equal(counts["accepted"], len(batch), "clock: every event is accepted")
        event = client.get(f"/v1/events/{check.quoted(batch[0].source)}/{batch[0].id}")
        positions.append(int(event["position"]))
        arrivals.append(event["receivedAt"])

    def judge(client, what):
        tally.equal(ticks.told(client), ticks.expected(), f"clock, {what}: counts exactly")
        total, _ = check.books(client)
        tally.check(check.balances(total), f"clock, {what}: the books balance", total)
        _, hours = check.books(client, groupBy="hour")
        tally.equal(sum(line["counted"] for line in hours), len(ticks.acknowledged),
                    f"clock, {what}: the books by hour have every event")

    _set(clock, "+0")
    with seeded.server(store, environment=environment, prefix=BEHIND) as server:
        client = server.client()
        check.define(client, METERS)
        send(client, batches[0])
        _set(clock, "-7200")
        send(client, batches[1])
        counts = ticks.send(client, batches[0])
        tally.equal(counts["duplicates"], len(batches[0]), "clock: known ones stay known")
        judge(client, "stepped back two hours")
        server.kill()
        _sweep(server)
    _set(clock, "-90000")
    with seeded.server(store, environment=environment, prefix=BEHIND) as server:
        client = server.client()
        judge(client, "killed and started a day earlier")
        send(client, batches[2])
        _set(clock, "+7200")
        send(client, batches[3])
        judge(client, "stepped forward again")
        tally.equal(server.stop(), 0, "clock: the server ends in order")
        _sweep(server)
    tally.check(positions == sorted(set(positions)), "clock: positions only grow", positions)
    tally.check(arrivals[1] < arrivals[0] and arrivals[2] < arrivals[1] < arrivals[3],
                "clock: the server did see the steps (or libfaketime did not take)", arrivals)
    seeded.verify(store, "clock")
    return "two hours back while running, a day back across a start"


def _sweep(server):
    """Removes what libfaketime shared under the server's process id."""
    for path in glob.glob(f"/dev/shm/*faketime_*_{server.process.pid}"):
        os.remove(path)


def _set(path, offset):
    with open(path + ".next", "w") as file:
        file.write(offset + "\n")
    os.replace(path + ".next", path)
