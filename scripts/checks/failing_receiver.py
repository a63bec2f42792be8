"""A receiver of webhooks that fails as receivers do: one time in five it answers an error, and now
and then it hangs up or is late; half of those times it has recorded what it was sent.

What it does at a request is drawn from the seed, the key and how often the key has come. It is
spoken to over kept-alive connections, and one thread serves them all.
"""

import asyncio
import base64
import email.utils
import hashlib
import hmac
import http
import json
import random
import threading
import time

import odometer_check

ERRORS = [500, 503, 429]
ERROR_SHARE, HANG_UP_SHARE, LATE_SHARE = 0.20, 0.03, 0.02
LATE_SECONDS = 0.2, 1.5
CLOCK_SECONDS_MAX = 300


class Conduct:
    """What the receiver does at one request."""

    def __init__(self, seed, key, attempt):
        generator = random.Random(f"{seed} {key} {attempt}")
        draw = generator.random()
        self.records_first = generator.random() < 0.5
        self.status, self.seconds, self.retry_after = 200, 0, None
        if draw < ERROR_SHARE:
            self.status = generator.choice(ERRORS)
            self.retry_after = generator.choice([None, "0", "1", "date"])
        elif draw < ERROR_SHARE + HANG_UP_SHARE:
            self.status = None
        elif draw < ERROR_SHARE + HANG_UP_SHARE + LATE_SHARE:
            self.seconds = generator.uniform(*LATE_SECONDS)

    @property
    def is_success(self):
        return self.status == 200


class FailingReceiver:
    """Keeps the first record under each key; `faults` holds, in words, what should not have come.

    told: Called with each record that is kept, once.
    """

    FAULTS_MAX = 100

    def __init__(self, seed, secret, told=lambda record: None):
        self.seed, self.told = seed, told
        self.secret = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        self.messages, self.order = {}, []
        self.faults = []
        self.attempts, self.answered = {}, set()
        self.requests = self.repeated = self.under_way = 0
        # Recorded when the answer was an error or none; and come again though answered 200.
        self.recorded_in_silence = self.answered_in_vain = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/usage"

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda _, context: self.fault(f"our own: {context}"))
        self.server = self.loop.run_until_complete(
            self.loop.create_server(lambda: _Conversation(self), "127.0.0.1", 0, backlog=256)
        )
        self.port = self.server.sockets[0].getsockname()[1]
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.server.close()

    def fault(self, words):
        if len(self.faults) < self.FAULTS_MAX:
            self.faults.append(words)

    # What follows is called by the one thread that serves.

    def conduct(self, headers, body):
        """What to do at a request; None for one that is none of ours."""
        self.requests += 1
        key = headers.get("webhook-id", "")
        reason = self._reason_against(key, headers, body)
        if reason:
            self.fault(f"{key}: {reason}")
            return None
        attempt = self.attempts[key] = self.attempts.get(key, 0) + 1
        if attempt > 1:
            self.repeated += 1
        if key in self.answered:
            self.answered_in_vain += 1
        return Conduct(self.seed, key, attempt)

    def _reason_against(self, key, headers, body):
        if not key or headers.get("idempotency-key") != key:
            return f"the idempotency key is {headers.get('idempotency-key')!r}"
        stamp = headers.get("webhook-timestamp", "")
        if not stamp.isdigit() or abs(time.time() - int(stamp)) > CLOCK_SECONDS_MAX:
            return f"the timestamp is {stamp!r}"
        code = hmac.digest(self.secret, f"{key}.{stamp}.".encode() + body, hashlib.sha256)
        expected = "v1," + base64.b64encode(code).decode()
        if expected not in headers.get("webhook-signature", "").split(" "):
            return "the signature is not of this body"
        if headers.get("content-type") != "application/json":
            return f"the content type is {headers.get('content-type')!r}"
        return None

    def record(self, key, body):
        """Keeps a message; whether it was not there yet."""
        message = odometer_check.parsed(body)
        record = message.get("data", {})
        if key in self.messages:
            if self.messages[key] != message:
                self.fault(f"{key} came again as another: {self.messages[key]}, now {message}")
            return False
        if record.get("id") != key:
            self.fault(f"{key}: this is the key of a record {record.get('id')!r}")
        if message.get("type") != f"usage-record.{record.get('kind')}":
            self.fault(f"{key}: the type is {message.get('type')!r}")
        self.messages[key] = message
        self.order.append(key)
        self.told(record)
        return True


class _Conversation(asyncio.Protocol):
    """One connection: requests one after the other, each with a Content-Length."""

    def __init__(self, receiver):
        self.receiver, self.read = receiver, b""
        self.is_answering = False

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.read += data
        self._proceed()

    def _proceed(self):
        if self.is_answering:
            return
        head, found, rest = self.read.partition(b"\r\n\r\n")
        if not found:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.split(":", 1) for line in lines)
        headers = {name.strip().lower(): value.strip() for name, value in pairs}
        length = headers.get("content-length")
        if length is None or first != "POST /usage HTTP/1.1":
            self.receiver.fault(f"not a request of a webhook: {first!r} {headers}")
            self.transport.abort()
            return
        if len(rest) < int(length):
            return
        body, self.read = rest[:int(length)], rest[int(length):]
        self._take(headers, body)

    def _take(self, headers, body):
        key, conduct = headers.get("webhook-id", ""), self.receiver.conduct(headers, body)
        if conduct is None:
            self._answer(401, {"error": "this is not signed as agreed"})
            return
        self.is_answering = True
        self.receiver.under_way += 1
        is_new = conduct.records_first and self.receiver.record(key, body)
        if conduct.seconds:
            self.receiver.loop.call_later(
                conduct.seconds, self._finish, key, body, conduct, is_new
            )
        else:
            self._finish(key, body, conduct, is_new)

    def _finish(self, key, body, conduct, is_new):
        receiver = self.receiver
        if conduct.is_success and not conduct.records_first:
            is_new = receiver.record(key, body)
        is_told = conduct.is_success and not self.transport.is_closing()
        if is_told:
            receiver.answered.add(key)
        elif is_new:
            receiver.recorded_in_silence += 1
        receiver.under_way -= 1
        self.is_answering = False
        if conduct.status is None:
            self.transport.abort() if conduct.records_first else self.transport.close()
            return
        self._answer(conduct.status, {"id": "their-" + key}, conduct.retry_after)
        self._proceed()

    def _answer(self, status, document, retry_after=None):
        body = json.dumps(document).encode()
        lines = [
            f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}",
            "Content-Type: application/json", f"Content-Length: {len(body)}",
        ]
        if retry_after == "date":
            retry_after = email.utils.formatdate(time.time() + 1, usegmt=True)
        if retry_after is not None:
            lines.append(f"Retry-After: {retry_after}")
        if not self.transport.is_closing():
            self.transport.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
