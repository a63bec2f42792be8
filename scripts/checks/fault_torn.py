"""The last write was torn: what a loss of power leaves of a commit that nobody was told of."""

import os
import shutil

import odometer_check as check
import write_ahead

TRIALS = 14
WAYS = ("garbage", "cut", "flip", "zeros", "none")


def torn_last_write(seeded):
    """Each trial sends batches one after the other and kills the server.

    garbage: bytes are appended after the last commit; every batch was acknowledged and must be
    there. cut, flip, zeros: the last commit's own bytes are damaged, as if the power had gone while
    it was written, before anybody could be told: all earlier batches must be there, the last one
    whole or not at all. Then everything is sent again: it must count once.
    """
    done, skipped = {way: 0 for way in WAYS}, 0
    for trial in range(TRIALS):
        way = WAYS[trial % len(WAYS)]
        if _trial(seeded, way):
            done[way] += 1
        else:
            skipped += 1
    for way in ("garbage", "cut", "flip", "zeros"):
        seeded.tally.check(done[way] > 0, f"torn: a trial by {way} could be made")
    return f"trials {done}, {skipped} without a commit of its own in the log"


def _trial(seeded, way):
    tally, generator = seeded.tally, seeded.generator
    store, ticks = seeded.store("torn-" + way), seeded.ticks("torn")
    batches = [ticks.make(generator.randint(1, 80)) for _ in range(generator.randint(2, 6))]
    with seeded.server(store) as server:
        client = server.client()
        for batch in batches:
            ticks.send(client, batch)
        server.kill()
    log = os.path.join(store, "ledger.sqlite-wal")
    everything = ticks.acknowledged
    expected = everything
    if way != "none":
        ends = write_ahead.commit_ends(log) if os.path.exists(log) else []
        if len(ends) < 2 or write_ahead.checkpointed_end(log) > ends[-2]:
            return False
        before = write_ahead.event_count(store, store + ".scratch")
        _damage(log, way, ends, generator)
        after = write_ahead.event_count(store, store + ".scratch")
        gone = before - after
        tally.check(gone in (0, len(batches[-1])) and (way != "garbage" or gone == 0),
                    f"torn, {way}: the damage reached the last commit only", before, after)
        expected = everything[:len(everything) - gone]
    with seeded.server(store) as server:
        client = server.client()
        tally.equal(ticks.told(client), ticks.expected(expected), f"torn, {way}: after the start")
        for batch in generator.sample(batches, len(batches)):
            counts = ticks.send(client, batch)
            missing = batch is batches[-1] and len(expected) < len(everything)
            tally.equal(counts["accepted"], len(batch) if missing else 0,
                        f"torn, {way}: sent again, counted once")
        tally.equal(ticks.told(client), ticks.expected(), f"torn, {way}: all of it, once")
        seeded.compare(client, f"torn, {way}")
        tally.equal(server.stop(), 0, f"torn, {way}: the server ends in order")
    seeded.verify(store, f"torn, {way}")
    if not tally.failed:
        shutil.rmtree(store)
    return True


def _damage(log, way, ends, generator):
    size = os.path.getsize(log)
    with open(log, "r+b") as file:
        if way == "garbage":
            file.truncate(ends[-1])
            file.seek(ends[-1])
            file.write(generator.randbytes(generator.randint(1, 20_000)))
            return
        at = generator.randrange(ends[-2], ends[-1])
        if way == "cut":
            file.truncate(at)
        elif way == "zeros":
            file.seek(at)
            file.write(bytes(size - at))
    if way == "flip":
        write_ahead.flip(log, at, generator)
