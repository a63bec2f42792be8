"""SQLite's files as bytes: where the write-ahead log's commits end, and where a blob lies.

Format: https://www.sqlite.org/fileformat2.html, section 4 (the WAL), and walformat.html (the
index's nBackfill, at byte 96 of the -shm file).
"""

import os
import shutil
import sqlite3
import struct

HEADER, FRAME = 32, 24


def commit_ends(path):
    """Byte offsets at which the commits of a write-ahead log end, oldest first.

    Frames of an earlier round (other salts) are no part of it. Not for torn files: checksums are
    not looked at.
    """
    with open(path, "rb") as file:
        raw = file.read()
    if len(raw) < HEADER:
        return []
    page, salts = struct.unpack(">I", raw[8:12])[0], raw[16:24]
    ends, at = [], HEADER
    while at + FRAME + page <= len(raw) and raw[at + 8:at + 16] == salts:
        is_commit = struct.unpack(">I", raw[at + 4:at + 8])[0] != 0
        at += FRAME + page
        if is_commit:
            ends.append(at)
    return ends


def checkpointed_end(path):
    """The byte offset up to which the log was already copied into the database."""
    with open(path, "rb") as file:
        page = struct.unpack(">I", file.read(12)[8:12])[0]
    shared = path[:-len("-wal")] + "-shm"
    if not os.path.exists(shared):
        return HEADER
    with open(shared, "rb") as file:
        frames = struct.unpack("=I", file.read(100)[96:100])[0]
    return HEADER + frames * (FRAME + page)


def event_count(store, scratch):
    """How many events the truth holds, asked of a copy, as SQLite recovers it."""
    os.makedirs(scratch, exist_ok=True)
    for name in ("ledger.sqlite", "ledger.sqlite-wal"):
        if os.path.exists(os.path.join(store, name)):
            shutil.copy(os.path.join(store, name), scratch)
    connection = sqlite3.connect(os.path.join(scratch, "ledger.sqlite"))
    try:
        column = _column(connection, "count")
        return connection.execute(
            f'SELECT coalesce(sum("{column}"), 0) FROM event_block'
        ).fetchone()[0]
    finally:
        connection.close()
        shutil.rmtree(scratch)


def _column(connection, word):
    """The column of event_block that is named for a word: count, first …"""
    names = [row[1] for row in connection.execute("PRAGMA table_info(event_block)")]
    found = [name for name in names if word in name.lower()]
    if not found:
        raise RuntimeError(f"event_block has no column named for {word!r}: {names}")
    return found[0]


def blocks(store):
    """(first position, payload) of every block; the log is folded into the database first."""
    connection = sqlite3.connect(os.path.join(store, "ledger.sqlite"))
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        column = _column(connection, "first")
        return connection.execute(
            f'SELECT "{column}", payload FROM event_block ORDER BY 1'
        ).fetchall()
    finally:
        connection.close()


def flip_payload(store, payload, generator):
    """Flips one bit of a payload where it lies in the database file; the byte's offset."""
    path = os.path.join(store, "ledger.sqlite")
    with open(path, "rb") as file:
        raw = file.read()
    for _ in range(200):
        start = generator.randrange(max(1, len(payload) - 24))
        piece = payload[start:start + 24]
        at = raw.find(piece)
        if at >= 0 and raw.find(piece, at + 1) < 0:
            at += generator.randrange(len(piece))
            flip(path, at, generator)
            return at
    raise RuntimeError("the payload was not found in the database file")


def flip(path, at, generator):
    """Flips one bit of a file's byte."""
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0] ^ (1 << generator.randrange(8))
        file.seek(at)
        file.write(bytes([byte]))
