"""What every check shares: a server of our own, calls to it, and the count of passed and failed.

Environment: ODOMETER_BIN (the executable; else .build/release/odometer in the repository) and
ODOMETER_SHARED (the data sets; else ../shared/data beside the repository).
"""

import glob
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def binary():
    path = os.path.abspath(
        os.environ.get("ODOMETER_BIN") or os.path.join(ROOT, ".build", "release", "odometer")
    )
    if not os.access(path, os.X_OK):
        sys.exit(f"no executable at {path}: `make build` makes it, or set ODOMETER_BIN")
    return path


def data_root():
    """The data sets' folder; where it is absent the check ends here, with success and a message."""
    path = os.environ.get("ODOMETER_SHARED") or os.path.join(ROOT, "..", "shared", "data")
    path = os.path.abspath(path)
    if not os.path.isdir(path):
        print(f"skipped: no data sets at {path} (set ODOMETER_SHARED)")
        sys.exit(0)
    return path


class Tally:
    """Counts comparisons; shows the first failures in full, the rest as a number."""

    SHOWN_MAX = 20

    def __init__(self):
        self.passed = self.failed = 0
        self._lock = threading.Lock()

    def check(self, is_right, what, *details):
        with self._lock:
            if is_right:
                self.passed += 1
                return True
            self.failed += 1
            if self.failed <= self.SHOWN_MAX:
                print(f"FAILED {what}", flush=True)
                for detail in details:
                    print(f"       {str(detail)[:1500]}", flush=True)
        return False

    def equal(self, got, expected, what):
        return self.check(got == expected, what, f"got      {got!r}", f"expected {expected!r}")

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0


class Refused(Exception):
    """An answer that is not the one asked for."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body[:600]!r}")
        self.status, self.body = status, body


class Client:
    """One kept-alive connection; not shared between threads."""

    def __init__(self, port, timeout_seconds=60):
        self.port, self.timeout = port, timeout_seconds
        self._connection = None

    def call(self, method, target, body=None, headers=None):
        """(status, headers, body bytes); whatever fails is raised. A question that is told to come
        again (503, such as while derived state is rebuilt) is asked again, for a minute at most."""
        answer = self._call_once(method, target, body, headers)
        for _ in range(300):
            if method != "GET" or answer[0] != 503 or not target.startswith("/v1/"):
                break
            time.sleep(0.2)
            answer = self._call_once(method, target, body, headers)
        return answer

    def _call_once(self, method, target, body=None, headers=None):
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=self.timeout
            )
        try:
            self._connection.request(method, target, body, headers or {})
            answer = self._connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except BaseException:
            self.close()
            raise

    def json(self, method, target, body=None, headers=None, expected=(200,)):
        """The answer as JSON, numbers as text; any other status raises Refused."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers = {"Content-Type": "application/json", **(headers or {})}
        status, _, payload = self.call(method, target, body, headers)
        if status not in expected:
            raise Refused(status, payload)
        return parsed(payload)

    def get(self, path, **parameters):
        return self.json("GET", with_query(path, parameters))

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def until(is_so, what, seconds_max=60):
    """Asks again and again until it is so."""
    started = time.monotonic()
    while not is_so():
        if time.monotonic() - started > seconds_max:
            raise RuntimeError(f"not within {seconds_max} s: {what}")
        time.sleep(0.05)


def parsed(payload):
    return json.loads(payload, parse_int=str, parse_float=str) if payload else None


def with_query(path, parameters):
    pairs = []
    for name, value in parameters.items():
        for each in value if isinstance(value, (list, tuple)) else [value]:
            if each is not None:
                pairs.append((name, str(each)))
    return path + ("?" + urllib.parse.urlencode(pairs) if pairs else "")


def quoted(text):
    """A text as one segment of a path."""
    return urllib.parse.quote(text, safe="")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`odometer serve` on a directory, started and ended by its own process id."""

    READY_SECONDS_MAX = 120

    def __init__(self, data, log=None, port=None, environment=None, prefix=(), out=None):
        """out: Where its standard output goes, if not to the log."""
        self.data, self.port, self.out = data, port or free_port(), out
        self.log = log or data.rstrip("/") + ".log"
        self.environment = {**os.environ, **(environment or {})}
        self.prefix = list(prefix)
        self.process = None

    def start(self, is_awaited=True):
        command = self.prefix + [
            binary(), "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}",
        ]
        with open(self.log, "ab") as log, open(self.out or self.log, "ab") as out:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=log, stdin=subprocess.DEVNULL,
                env=self.environment, start_new_session=True,
            )
        if is_awaited:
            self.await_ready()
        return self

    def await_ready(self):
        started = time.monotonic()
        while time.monotonic() - started < self.READY_SECONDS_MAX:
            if self.process.poll() is not None:
                raise RuntimeError(
                    f"the server ended with {self.process.returncode} before it was ready:\n"
                    + self.log_tail()
                )
            try:
                if Client(self.port, 5).call("GET", "/readyz")[0] == 200:
                    return time.monotonic() - started
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.02)
        raise RuntimeError(f"not ready after {self.READY_SECONDS_MAX} s:\n{self.log_tail()}")

    def client(self, timeout_seconds=60):
        return Client(self.port, timeout_seconds)

    def stop(self, seconds_max=60):
        """Asks to end, and waits; the exit code, or None where it had to be killed."""
        if self.process is None or self.process.poll() is not None:
            return self.process and self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def log_tail(self, lines=25):
        try:
            with open(self.log, errors="replace") as file:
                return "".join(file.readlines()[-lines:])
        except OSError:
            return ""

    def __enter__(self):
        return self.start() if self.process is None else self

    def __exit__(self, *_):
        self.kill()


def run(*arguments, prefix=(), seconds_max=600):
    """(exit code, output) of an odometer command."""
    done = subprocess.run(
        [*prefix, binary(), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL, timeout=seconds_max,
    )
    return done.returncode, done.stdout.decode(errors="replace")


def verify(data):
    return run("verify", "--data", data)


class Workplace:
    """A directory of our own for stores and logs; kept, and named, where the check failed."""

    def __init__(self, name, parent=None):
        self.path = tempfile.mkdtemp(prefix=f"odometer-{name}-", dir=parent)
        self.is_kept = False

    def store(self, name):
        return os.path.join(self.path, name)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.is_kept or kind is not None:
            print(f"kept for inspection: {self.path}", flush=True)
        else:
            shutil.rmtree(self.path, ignore_errors=True)


def define(client, meters):
    for meter in meters:
        client.json("POST", "/v1/meter-types", meter.definition(), expected=(200, 201))


def await_backfill(client, meters, seconds_max=120):
    """Waits until the history of every meter type is counted."""
    deadline = time.monotonic() + seconds_max
    for meter in meters:
        while True:
            kind = client.get(f"/v1/meter-types/{quoted(meter.key)}")
            state = (kind.get("backfill") or {}).get("state", "done")
            if state != "running" and state != "waiting":
                break
            if time.monotonic() > deadline:
                raise RuntimeError(f"the backfill of {meter.key} is not done: {kind}")
            time.sleep(0.05)


BOOKS = ("received", "counted", "unmatched", "duplicate", "conflict", "quarantined")


def books(client, **parameters):
    """(total, lines): the books, each line a dict of integers beside its group's names."""
    answer = client.get("/v1/reconciliation", **parameters)
    return _line(answer["total"]), [_line(each) for each in answer.get("lines", [])]


def _line(raw):
    return {name: int(raw[name]) if name in BOOKS else raw[name] for name in raw}


def balances(line):
    return line["received"] == sum(line[name] for name in BOOKS[1:])


def derived_files(data):
    found = glob.glob(os.path.join(data, "derived", "**"), recursive=True)
    return sorted(path for path in found if os.path.isfile(path))
