"""Disks that are full or read-only, and a directory that another server holds."""

import contextlib
import os
import re
import subprocess
import threading
import time

import odometer_check as check
from faulted import METERS

DISK_MIB, LEFT_MIB = 256, 4


@contextlib.contextmanager
def disk(path, mebibytes):
    """A small disk of memory; None where none can be mounted."""
    os.makedirs(path)
    command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "odometer-check", path]
    try:
        is_mounted = subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        is_mounted = False
    try:
        yield path if is_mounted else None
    finally:
        if is_mounted:
            subprocess.run(["umount", path], check=True)


def full(seeded):
    """The disk fills up under load and is freed again; the server is not restarted."""
    with disk(seeded.place.store("disk"), DISK_MIB) as path:
        if path is None:
            return "skipped: a tmpfs cannot be mounted here (needs root)"
        store, ticks = seeded.empty("full", path), seeded.ticks("full")
        ballast = os.path.join(path, "ballast")
        with seeded.server(store) as server:
            client = server.client()
            check.define(client, METERS)
            ticks.send(client, ticks.make(500, 400))
            note = _filled(seeded, server, ticks, ballast)
            _freed(seeded, server, ticks, ballast)
            seeded.tally.equal(server.stop(), 0, "full: the server ends in order")
        seeded.verify(store, "full, then freed")
        _killed_while_full(seeded, store, ticks, ballast)
        return note


def _fill(ballast):
    """Writes until only a little is left."""
    space = os.statvfs(os.path.dirname(ballast))
    count = space.f_bavail * space.f_frsize - LEFT_MIB * 2**20
    with open(ballast, "wb") as file:
        for _ in range(count // 2**20):
            file.write(bytes(2**20))


def _filled(seeded, server, ticks, ballast):
    """Several connections send until each was told 507 a few times."""
    _fill(ballast)
    statuses, lock, unacknowledged = {}, threading.Lock(), []

    def sender(number):
        client, refusals = server.client(), 0
        for _ in range(400):
            with lock:
                batch = ticks.make(60, 2000)
            try:
                with_lock = ticks.send(client, batch)
                status = 200 if with_lock["accepted"] == len(batch) else "partial"
            except check.Refused as refused:
                status, refusals = refused.status, refusals + 1
                unacknowledged.append(batch)
                time.sleep(0.02)
            except OSError as fault:
                status = type(fault).__name__
                refusals += 1
                unacknowledged.append(batch)
            with lock:
                statuses[status] = statuses.get(status, 0) + 1
            if refusals == 5:
                return

    threads = [threading.Thread(target=sender, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally = seeded.tally
    tally.check(statuses.get(507), "full: the answer is 507", statuses)
    tally.check(set(statuses) <= {200, 503, 507}, "full: no answer but 200, 503 and 507", statuses)
    tally.check(server.process.poll() is None, "full: the server goes on", server.log_tail())
    client = server.client()
    tally.check(client.call("GET", "/healthz")[0] == 200, "full: it is alive")
    tally.equal(ticks.told(client), ticks.expected(), "full: readings go on, and are exact")
    ticks.left = unacknowledged
    return f"answers while it filled up: {statuses}"


def _freed(seeded, server, ticks, ballast):
    """There is space again: what was refused is sent again, and counts once."""
    os.remove(ballast)
    client, started, answered = server.client(), time.monotonic(), None
    for batch in ticks.left:
        while True:
            try:
                ticks.send(client, batch)
                answered = answered or time.monotonic() - started
                break
            except (check.Refused, OSError) as fault:
                if time.monotonic() - started > 60:
                    seeded.tally.check(False, "freed: service resumes without a restart", fault)
                    return
                time.sleep(0.1)
    seeded.tally.check(answered is not None, f"freed: service resumes ({answered:.1f} s)")
    seeded.tally.equal(ticks.told(client), ticks.expected(), "freed: counts exactly")
    total, _ = check.books(client)
    seeded.tally.check(check.balances(total), "freed: the books balance", total)
    seeded.tally.equal(total["counted"], len(ticks.acknowledged), "freed: counted, each once")


def _killed_while_full(seeded, store, ticks, ballast):
    """Full, then killed: after space is back, a start finds everything acknowledged."""
    with seeded.server(store) as server:
        client = server.client()
        _fill(ballast)
        for _ in range(400):
            try:
                ticks.send(client, ticks.make(60, 2000))
            except (check.Refused, OSError):
                break
        server.kill()
    os.remove(ballast)
    with seeded.server(store) as server:
        client = server.client()
        told, expected = ticks.told(client), ticks.expected()
        # The refused call may have been committed before its answer was lost; it is never partial.
        seeded.tally.check(told == expected, "killed while full: all acknowledged is there",
                           told, expected)
        seeded.tally.equal(server.stop(), 0, "killed while full: the server ends in order")
    seeded.verify(store, "killed while full")


def _refuses(seeded, server, what, words):
    """The server must end by itself, with a non-zero code and words that help."""
    server.start(is_awaited=False)
    try:
        code = server.process.wait(30)
    except Exception:
        server.kill()
        seeded.tally.check(False, f"{what}: the server ends by itself", server.log_tail())
        return
    output = server.log_tail()
    seeded.tally.check(code > 0, f"{what}: a non-zero exit code, no signal", code, output)
    seeded.tally.check(server.data in output, f"{what}: the message names the directory", output)
    seeded.tally.check(re.search(words, output, re.I), f"{what}: the message says why", output)
    seeded.tally.check("Fatal error" not in output, f"{what}: no trap", output)


def read_only(seeded):
    notes = []
    with disk(seeded.place.store("read-only"), DISK_MIB) as path:
        if path is None:
            notes.append("mount skipped: a tmpfs cannot be mounted here (needs root)")
        else:
            store = seeded.store("read-only", path)
            subprocess.run(["mount", "-o", "remount,ro", path], check=True)
            _refuses(seeded, seeded.server(store), "read-only disk, a store",
                     "read-only|not writable|cannot write|permission")
            _refuses(seeded, seeded.server(os.path.join(path, "empty")), "read-only disk, empty",
                     "read-only|not writable|cannot|permission")
            subprocess.run(["mount", "-o", "remount,rw", path], check=True)
            seeded.verify(store, "read-only disk")
            notes.append("read-only mount")
    notes.append(_without_rights(seeded))
    return ", ".join(notes)


def _without_rights(seeded):
    """Root may write anywhere, so the server runs as somebody who may not."""
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if os.getuid() != 0:
        prefix = []
    store = seeded.store("forbidden")
    os.chmod(seeded.place.path, 0o755)
    try:
        probe = [*prefix, "test", "-x", check.binary()]
        if subprocess.run(probe, capture_output=True).returncode != 0:
            return "rights skipped: nobody may not run the executable"
    except FileNotFoundError:
        return "rights skipped: no setpriv"
    for folder, _, files in os.walk(store):
        for file in files:
            os.chmod(os.path.join(folder, file), 0o444)
        os.chmod(folder, 0o555)
    _refuses(seeded, seeded.server(store, prefix=prefix), "no right to write",
             "permission|not writable|cannot write|read-only")
    for folder, _, files in os.walk(store):
        os.chmod(folder, 0o755)
        for file in files:
            os.chmod(os.path.join(folder, file), 0o644)
    return "no right to write"


def two_servers(seeded):
    """The second server on one directory ends with a clear message; the first does not notice."""
    store, ticks = seeded.store("two"), seeded.ticks("two")
    with seeded.server(store) as first:
        client = first.client()
        ticks.send(client, ticks.make(50))
        second = seeded.server(store)
        second.log += ".second"
        _refuses(seeded, second, "two servers", "lock|in use|another|running|held")
        ticks.send(client, ticks.make(50))
        seeded.tally.equal(ticks.told(client), ticks.expected(), "two servers: the first goes on")
        first.kill()
    with seeded.server(store) as third:
        seeded.tally.equal(ticks.told(third.client()), ticks.expected(),
                           "two servers: a lock of the dead holds nobody up")
        seeded.tally.equal(third.stop(), 0, "two servers: the server ends in order")
    seeded.verify(store, "two servers")
    return "second refused"
