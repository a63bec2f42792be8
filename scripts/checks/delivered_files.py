"""What a destination of files left in its directory, held against the manifests beside it."""

import collections
import csv
import gzip
import hashlib
import io
import os

import exact
from odometer_check import parsed

MANIFEST = ".manifest.json"


def read(directory, tally):
    """The rows of all files in the order of their numbers."""
    names = sorted(os.listdir(directory))
    left = [name for name in names if name.startswith(".") or name.endswith(".partial")]
    tally.equal(left, [], "no temporary name is left")
    files = [name for name in names if name.endswith(".csv.gz")]
    manifests = [name for name in names if name.endswith(MANIFEST)]
    tally.equal(manifests, [name + MANIFEST for name in files], "each file has its manifest")
    tally.equal(len(files) + len(manifests), len(names), "nothing else is there")
    found = [_read(directory, name, tally) for name in manifests]
    found.sort(key=lambda one: int(one[0]["first"]))
    next_number = 1
    for manifest, _ in found:
        tally.equal(int(manifest["first"]), next_number,
                    f"{manifest['file']} follows the one before")
        next_number = int(manifest["last"]) + 1
    return [row for _, rows in found for row in rows]


def _read(directory, name, tally):
    """(manifest, rows) of one file."""
    with open(os.path.join(directory, name), "rb") as file:
        manifest = parsed(file.read())
    file_name = name.removesuffix(MANIFEST)
    with open(os.path.join(directory, file_name), "rb") as file:
        packed = file.read()
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(packed).decode(), newline="")))
    sums = collections.defaultdict(int)
    for row in rows:
        sums[row["meterType"]] += exact.mantissa(row["delta"])
    first = int(manifest["first"])
    expected = {
        "file": file_name, "bytes": str(len(packed)),
        "sha256": hashlib.sha256(packed).hexdigest(),
        "records": str(len(rows)), "first": str(first), "last": str(first + len(rows) - 1),
        "sums": {key: exact.quantity(sum) for key, sum in sorted(sums.items())},
        "createdAt": manifest["createdAt"],
    }
    tally.equal(manifest, expected, f"the manifest of {file_name}")
    return manifest, rows
