"""Flipped bits at rest: in the truth they are found and named, in derived state also mended."""

import os
import re
import shutil

import odometer_check as check
import write_ahead

BLOCKS, FILES_MAX = 3, 12


def flipped_block(seeded):
    """A bit flips in a stored block: verify must find it and name the block's first position."""
    tally, generator = seeded.tally, seeded.generator
    store = seeded.store("block")
    stored = write_ahead.blocks(store)
    for first, payload in generator.sample(stored, min(BLOCKS, len(stored))):
        path = os.path.join(store, "ledger.sqlite")
        shutil.copy(path, path + ".whole")
        write_ahead.flip_payload(store, payload, generator)
        code, output = check.verify(store)
        tally.check(code > 0, f"a flipped bit in the block at {first}: verify reports it", output)
        tally.check(re.search(rf"(?<!\d){first}(?!\d)", output),
                    f"verify names position {first}", output)
        os.replace(path + ".whole", path)
    seeded.verify(store, "the block mended")
    return f"{len(stored)} blocks, {min(BLOCKS, len(stored))} flipped in turn"


def damaged_derived(seeded):
    """Every derived file flipped, cut short, emptied, missing; and the directory gone."""
    tally, generator = seeded.tally, seeded.generator
    store = seeded.store("derived")
    files = [os.path.relpath(path, store) for path in check.derived_files(store)]
    tally.check(files, "the seeded store has derived files")
    shutil.rmtree(store)
    chosen = generator.sample(files, min(FILES_MAX, len(files)))
    flipped = 0
    for file in chosen:
        for way in ("flip", "cut", "empty", "missing"):
            if way not in ("flip", "cut") and generator.random() < 0.5:
                continue
            flipped += _damaged(seeded, file, way)
    store = seeded.store("derived-gone")
    shutil.rmtree(os.path.join(store, "derived"))
    _mended(seeded, store, "the derived directory deleted")
    return f"{len(files)} derived files, {len(chosen)} of them damaged in turn, {flipped} flipped"


def _damaged(seeded, file, way):
    tally, generator = seeded.tally, seeded.generator
    store = seeded.store("derived-" + way)
    path, what = os.path.join(store, file), f"{file}, {way}"
    size = os.path.getsize(path)
    if way == "missing":
        os.remove(path)
    elif way == "empty" or size == 0:
        os.truncate(path, 0)
    elif way == "cut":
        os.truncate(path, generator.randrange(size))
    else:
        write_ahead.flip(path, generator.randrange(size), generator)
        code, output = check.verify(store)
        tally.check(code > 0, f"{what}: verify reports it", output)
        tally.check(os.path.basename(file) in output, f"{what}: verify names the file", output)
    _mended(seeded, store, what)
    return way == "flip"


def _mended(seeded, store, what):
    """The start rebuilds it; readings and duplicates are as before."""
    ticks = seeded.ticks("mended")
    with seeded.server(store) as server:
        client = server.client()
        seeded.compare(client, what)
        check.until(lambda: client.get("/v1/status")["derived"]["isChecked"],
                    f"{what}: the derived files are checked after the start")
        batch = ticks.make(20)
        counts = ticks.send(client, batch), ticks.send(client, batch)
        seeded.tally.equal([each["accepted"] for each in counts], [20, 0], f"{what}: counts once")
        seeded.tally.equal(ticks.told(client), ticks.expected(), f"{what}: counts exactly")
        seeded.tally.equal(server.stop(), 0, f"{what}: the server ends in order")
    seeded.verify(store, what)
    if not seeded.tally.failed:
        shutil.rmtree(store)
