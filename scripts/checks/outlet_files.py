"""Destinations that write: files in a bucket and in directories, and the standard output."""

import csv
import gzip
import hashlib
import io
import os

import exact
import odometer_check as check
import outlet_house
import receivers

MANIFEST = ".manifest.json"


def read_csv(bytes_):
    return list(csv.DictReader(io.StringIO(bytes_.decode(), newline="")))


def read_ndjson(bytes_):
    return [check.parsed(line) for line in bytes_.splitlines()]


READERS = {"csv": read_csv, "ndjson": read_ndjson, "json": check.parsed}


def judge_manifests(tally, files, expected, what):
    """Each file has a manifest that is true of it.

    files: Name → bytes. expected: The records in the order of their numbers.
    """
    plain = sorted(name for name in files if not name.endswith(MANIFEST))
    tally.equal(sorted(name for name in files if name.endswith(MANIFEST)),
                [name + MANIFEST for name in plain], f"{what}: a manifest beside each file")
    covered = []
    for name in plain:
        told = check.parsed(files.get(name + MANIFEST, b"{}"))
        first, last = int(told["first"]), int(told["last"])
        covered += range(first, last + 1)
        sums = {}
        for record in expected[first - 1:last]:
            key = record["meterType"]
            sums[key] = sums.get(key, 0) + exact.mantissa(record["delta"])
        bytes_ = files[name]
        tally.equal(
            {field: told[field] for field in told if field != "createdAt"},
            {"file": name, "bytes": str(len(bytes_)),
             "sha256": hashlib.sha256(bytes_).hexdigest(), "records": str(last - first + 1),
             "first": str(first), "last": str(last),
             "sums": {key: exact.quantity(sum) for key, sum in sums.items()}},
            f"{what}: the manifest of {name}",
        )
        exact.microseconds(told["createdAt"])
    tally.equal(sorted(covered), list(range(1, len(expected) + 1)),
                f"{what}: the files cover all numbers")


class Buckets(outlet_house.Part):
    """A bucket of moto, first under a wrong secret."""

    name = "a bucket"
    needs_packages = True
    PREFIX = "2026/Ü b/"

    def begin(self):
        self.bucket = self.house.receiver(receivers.Bucket())
        self._put("bm90IHRoZSBrZXk")

    def _put(self, secret, expected=(201,)):
        self.house.put("bucket", "files", {
            "bucket": {
                "endpoint": self.bucket.endpoint, "region": self.bucket.region,
                "name": self.bucket.name, "prefix": self.PREFIX,
                "accessKey": self.bucket.access_key, "secretKey": secret,
            },
            "format": "ndjson", "name": "${date}/${destination}-${first}-${last}",
        }, expected=expected, batchSize=7, batchDelay="1s")

    def judge(self):
        house, tally = self.house, self.tally
        records = house.records()
        house.delivered("bucket", failed=len(records))
        tally.equal(self.bucket.read(), {}, "nothing is written under a wrong secret")
        failed = house.deliveries("bucket", state="failed")
        for each in failed:
            tally.check(each["status"] == "403" and "SignatureDoesNotMatch" in each["answer"],
                        "the reason is the store's", each)
        self._put(self.bucket.secret_key, expected=(200,))
        answer = house.command_json("deliveries", "resend", "--destination", "bucket", "--failed")
        tally.equal(answer["resent"], str(len(records)), "all files are sent again")
        house.delivered("bucket")
        files = {}
        for key, bytes_ in self.bucket.read().items():
            tally.check(key.startswith(self.PREFIX), "keys begin with the prefix", key)
            files[key.removeprefix(self.PREFIX)] = bytes_
        judge_manifests(tally, files, records, "bucket")
        lines = [
            record for name in files if not name.endswith(MANIFEST)
            for record in read_ndjson(files[name])
        ]
        house.each_once(lines, records, "bucket")
        return f"{len(files)} objects, after {len(failed)} failed deliveries"


class Directories(outlet_house.Part):
    """Files of every format, packed and not."""

    name = "directories"
    KINDS = [
        (format, is_zipped) for format in READERS for is_zipped in (False, True)
    ]

    def begin(self):
        for format, is_zipped in self.KINDS:
            key = self._key(format, is_zipped)
            os.mkdir(self.house.place.store(key))
            self.house.put(key, "files", {
                "directory": self.house.place.store(key), "format": format, "gzip": is_zipped,
            }, batchSize=5 if is_zipped else 1000, batchDelay="1s")

    @staticmethod
    def _key(format, is_zipped):
        return f"files-{format}" + ("-gz" if is_zipped else "")

    def judge(self):
        records = self.house.records()
        count = 0
        for format, is_zipped in self.KINDS:
            key = self._key(format, is_zipped)
            self.house.delivered(key)
            files = self._read(self.house.place.store(key))
            judge_manifests(self.tally, files, records, key)
            suffix = "." + format + (".gz" if is_zipped else "")
            rows = []
            for name, bytes_ in files.items():
                if not name.endswith(MANIFEST):
                    self.tally.check(name.endswith(suffix), f"{key}: names say the format", name)
                    rows += READERS[format](gzip.decompress(bytes_) if is_zipped else bytes_)
            if format == "csv":
                self._judge_rows(rows, records, key)
            else:
                self.house.each_once(rows, records, key)
            count += len(files)
        return f"{count} files"

    @staticmethod
    def _read(folder):
        files = {}
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                files[name] = file.read()
        return files

    def _judge_rows(self, rows, records, what):
        """Each column holds what the record's document has."""
        places = {
            "periodStart": ("period", "start"), "periodEnd": ("period", "end"),
            "localStart": ("period", "localStart"), "localEnd": ("period", "localEnd"),
            "timezone": ("period", "timezone"), "thresholdName": ("threshold", "name"),
            "thresholdAmount": ("threshold", "amount"),
        }
        wanted = []
        for record in records:
            cells = {}
            for column in rows[0] if rows else ():
                value = record
                for step in places.get(column, (column,)):
                    value = (value or {}).get(step)
                cells[column] = value if value is not None else ""
            wanted.append(cells)
        for row in rows:
            for column in ("dimensions", "metadata", "meterMetadata"):
                row[column] = check.parsed(row[column]) or ""
        self.house.same(rows, wanted, what)


class StandardOutput(outlet_house.Part):
    """A line for each record on the server's standard output, and nothing else."""

    name = "standard output"

    def begin(self):
        self.house.put("out", "stdout", {})

    def judge(self):
        self.house.delivered("out")
        with open(self.house.server.out, "rb") as file:
            bytes_ = file.read()
        self.tally.check(bytes_.endswith(b"\n"), "the last line is whole", bytes_[-80:])
        lines = read_ndjson(bytes_)
        self.house.each_once(lines, self.house.records(), "stdout")
        return f"{len(lines)} lines"
