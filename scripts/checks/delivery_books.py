"""All that was delivered, held against the records, the events, the readings and the books."""

import collections
import csv
import os

import closing_work
import delivered_files
import exact
import odometer_check as check

SAMPLED_METERS = 300
SUBJECTS_ASKED = 50
# Columns of the files that are fields of the record under the same name.
COLUMNS = ["sequence", "id", "kind", "meter", "revision", "value", "delta", "amount", "createdAt"]


def records(client, after=0):
    """All usage records after one, page by page."""
    return _pages(client, "/v1/usage-records", after=after)


def _pages(client, path, **parameters):
    cursor = None
    while True:
        page = client.get(path, limit=1000, cursor=cursor, **parameters)
        yield from page["items"]
        cursor = page.get("next")
        if cursor is None:
            return


def judge(server, work, receiver, files, generator, tally):
    client = server.client()
    made = list(records(client))
    owed = judge_records(made, tally)
    judge_received(owed, receiver, tally)
    for destination in ("web", "files"):
        judge_deliveries(client, destination, owed, tally)
        judge_books(client, destination, work, tally)
    rows = delivered_files.read(files, tally)
    tally.equal([row["id"] for row in rows], [record["id"] for record in owed],
                "the files hold each record once, in their order")
    for row, record in zip(rows, owed):
        tally.equal({name: row[name] for name in COLUMNS},
                    {name: record[name] for name in COLUMNS}, "a row of a file")
    received = [message["data"] for message in receiver.messages.values()]
    judge_sums(client, work, received, generator, tally)
    client.close()
    judge_reconciliation(server, received, os.path.dirname(files), generator, tally)
    kinds = collections.Counter(record["kind"] for record in owed)
    print(f"  {work.count} events ({work.late} late) of {work.meters} meters, {len(made)} records: "
          f"{len(received)} received ({kinds['final']} final, {kinds['adjustment']} adjustments), "
          f"{len(rows)} in {len(os.listdir(files)) // 2} files", flush=True)


def judge_records(made, tally):
    """The records that are owed to destinations: those that change something."""
    numbers = [int(record["sequence"]) for record in made]
    tally.equal(numbers, list(range(1, len(made) + 1)), "the sequence has no gap")
    tally.equal({record["kind"] for record in made} - {"final", "adjustment"}, set(),
                "records are final, or adjustments")
    chains = collections.defaultdict(list)
    for record in made:
        chains[closing_work.place_of(record)].append(int(record["revision"]))
    for place, chain in chains.items():
        tally.equal(chain, list(range(len(chain))), f"the revisions of {place}")
    return [record for record in made if record["kind"] == "final" or record["delta"] != "0"]


def judge_received(owed, receiver, tally):
    """Each (meter, period, revision) is at the receiver once, as it stands in the records."""
    tally.equal(len(set(map(_point, owed))), len(owed),
                "no (meter, period, revision) is made twice")
    received = {key: message["data"] for key, message in receiver.messages.items()}
    points = collections.Counter(map(_point, received.values()))
    tally.equal([point for point, count in points.items() if count > 1], [],
                "no (meter, period, revision) is received twice")
    expected = set(map(_point, owed))
    tally.equal(sorted(expected - set(points)), [], "none is missing at the receiver")
    tally.equal(sorted(set(points) - expected), [], "none is at the receiver that was not made")
    for record in owed:
        own = dict(received.get(record["id"], {}))
        own.pop("deliveryNumber", None)
        tally.equal(own, record, "a record at the receiver")
    last = collections.defaultdict(int)
    for key in receiver.order:
        meter, number = received[key]["meter"], int(received[key]["deliveryNumber"])
        tally.check(last[meter] < number, f"the records of {meter} come in their order",
                    f"{number} after {last[meter]}")
        last[meter] = number


def _point(record):
    return record["meter"], record["period"]["start"], record["revision"]


def judge_deliveries(client, destination, owed, tally):
    """One delivery for each record, numbered without a gap, all delivered."""
    found = list(_pages(client, "/v1/deliveries", destination=destination))
    tally.equal([int(each["number"]) for each in found], list(range(1, len(owed) + 1)),
                f"{destination}: the numbers of deliveries have no gap")
    tally.equal([each["record"]["id"] for each in found], [record["id"] for record in owed],
                f"{destination}: each record is one delivery, in their order")
    tally.equal({each["state"] for each in found} - {"delivered"}, set(),
                f"{destination}: all are delivered")
    standing = client.get(f"/v1/destinations/{destination}")["standing"]
    tally.equal(standing, {"pending": "0", "delivered": str(len(owed)), "failed": "0",
                           "waiting": "0", "missing": "0"}, f"{destination}: how it stands")


def judge_books(client, destination, work, tally):
    """What was acknowledged of each meter type and period is what the events add up to."""
    sums = collections.defaultdict(int)
    for (meter_type, _, start), amount in work.sums.items():
        sums[meter_type, start] += amount
    books = client.get(f"/v1/destinations/{destination}/reconciliation")["items"]
    found = {}
    for book in books:
        found[book["meterType"], exact.microseconds(book["start"])] = exact.mantissa(
            book["acknowledged"]["amount"]
        )
        tally.equal(book["made"], book["acknowledged"], f"{destination}: what was made is taken")
        for side in ("failed", "pending"):
            tally.equal(book[side], {"records": "0", "amount": "0"}, f"{destination}: {side}")
    tally.equal(found, dict(sums), f"{destination}: the books by meter type and period")


def judge_sums(client, work, received, generator, tally):
    """Amounts received add up to the events, and to the readings."""
    sums = collections.defaultdict(int)
    for record in received:
        sums[closing_work.place_of(record)] += exact.mantissa(record["amount"])
    tally.equal(set(sums), set(work.sums), "records are of the periods that have events")
    for place, amount in work.sums.items():
        tally.equal(sums.get(place), amount, f"the sum of {place}")
    for kind, subjects in work.subjects.items():
        sample = generator.sample(subjects, min(SAMPLED_METERS // 2, len(subjects)))
        for start in work.starts:
            _judge_readings(client, kind.key, sample, start, sums, tally)


def _judge_readings(client, key, subjects, start, sums, tally):
    """Readings of some meters in one period, and of all meters together."""
    end = start + exact.HOUR
    asked = {"meterType": key, "from": exact.rfc3339(start), "to": exact.rfc3339(end)}
    read = {}
    for at in range(0, len(subjects), SUBJECTS_ASKED):
        page = client.get("/v1/usage", subject=subjects[at:at + SUBJECTS_ASKED],
                          groupBy="subject", limit=1000, **asked)
        read |= {row["subject"]: exact.mantissa(row["value"]) for row in page["readings"]}
    for subject in subjects:
        tally.equal(read.get(subject), sums.get((key, subject, start), 0),
                    f"the reading of {subject} in {asked}")
    total = client.get("/v1/usage", **asked)["readings"]
    told = sum(amount for place, amount in sums.items() if (place[0], place[2]) == (key, start))
    tally.equal([exact.mantissa(row["value"]) for row in total], [told], f"the total of {asked}")


def judge_reconciliation(server, received, folder, generator, tally):
    """`odometer reconcile` finds nothing in what the receiver has, and what is wrong in another."""
    rows = [(record["id"], record["amount"]) for record in received]
    code, findings = _reconcile(server, os.path.join(folder, "received.csv"), rows)
    tally.equal((code, findings), (0, []), "reconcile finds nothing in what was received")
    at_removed, at_changed = generator.sample(range(len(rows)), 2)
    removed, (changed, amount) = rows[at_removed][0], rows[at_changed]
    rows[at_changed] = changed, exact.quantity(exact.mantissa(amount) + 1)
    added = "ur_" + generator.randbytes(16).hex()
    rows = [row for row in rows if row[0] != removed] + [(added, "1")]
    code, findings = _reconcile(server, os.path.join(folder, "tampered.csv"), rows)
    expected = sorted([("missing", removed), ("different", changed), ("extra", added)])
    tally.equal((code, findings), (4, expected), "reconcile finds what was tampered with")


def _reconcile(server, path, rows):
    """(exit code, [(finding, record)]) of the command."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "amount"), *rows])
    code, output = check.run(
        "reconcile", "--destination", "web", "--against", path, "--json",
        "--server", f"http://127.0.0.1:{server.port}",
    )
    try:
        items = check.parsed(output)["items"]
    except ValueError:
        return code, output
    return code, sorted((item["finding"], item["record"]) for item in items)
