"""The other ends of destinations, made of other people's code: who receives webhooks as the library
of Standard Webhooks does, who takes meter events as Stripe's library has them typed, and a bucket
that checks signatures as botocore makes them.

The libraries come from PyPI into a virtual environment under .build, at the versions of
outlets-requirements.txt. A check calls `enter()` first, and goes on within it.
"""

import collections
import decimal
import http.server
import json
import logging
import os
import subprocess
import sys
import threading
import time
import typing
import urllib.parse
import urllib.request
import venv

import odometer_check as check

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(check.ROOT, ".build", "outlets-check")


def enter():
    """Goes on in the virtual environment; False where PyPI is not to be had."""
    if os.path.realpath(sys.prefix) == os.path.realpath(FOLDER):
        return True
    with open(os.path.join(HERE, "outlets-requirements.txt")) as file:
        wanted = file.read()
    mark = os.path.join(FOLDER, "packages")
    if not os.path.exists(mark) or open(mark).read() != wanted:
        venv.create(FOLDER, with_pip=True, clear=True)
        pip = [os.path.join(FOLDER, "bin", "pip"), "install", "--quiet", "--retries", "1"]
        if subprocess.run(pip + wanted.split(), stdout=subprocess.DEVNULL).returncode != 0:
            return False
        with open(mark, "w") as file:
            file.write(wanted)
    sys.stdout.flush()
    python = os.path.join(FOLDER, "bin", "python")
    os.execv(python, [python, *sys.argv])


class Asked:
    """One request, as it came; `at` is when, of `time.monotonic()`."""

    def __init__(self, method, target, headers, body):
        self.at = time.monotonic()
        self.method, self.target, self.headers, self.body = method, target, headers, body

    @property
    def path(self):
        return urllib.parse.urlsplit(self.target).path

    def json(self):
        return json.loads(self.body, parse_int=str, parse_float=str)


class Receiver:
    """A server on a port of its own. `script` holds statuses to answer with before any request is
    looked at, one each, for those that are to be tried again."""

    def __init__(self, port=0, script=()):
        self.asked, self.script = [], collections.deque(script)
        self.lock = threading.Lock()
        receiver = self

        class Conversation(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body leave in two pieces, and the second would wait for an acknowledgement.
            disable_nagle_algorithm = True

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                asked = Asked(self.command, self.path, self.headers, self.rfile.read(length))
                status, body = receiver._take(asked)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Conversation)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def port(self):
        return self.server.server_address[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _take(self, asked):
        with self.lock:
            self.asked.append(asked)
            if self.script:
                return self.script.popleft(), b"{}"
            status, document = self.answer(asked)
        return status, json.dumps(document).encode()

    def answer(self, asked):
        """(status, document) for a request; called by one thread at a time."""
        return 200, {}

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Sink(Receiver):
    """Takes the messages of a webhook as they are."""

    @property
    def records(self):
        """The records of all messages, in the order in which they came."""
        return [record for _, record in self.arrivals]

    @property
    def arrivals(self):
        """(when, record) of each."""
        with self.lock:
            found = [(asked.at, asked.json()["data"]) for asked in self.asked]
        return [(at, record) for at, data in found for record in data.get("items", [data])]


class WebhookReceiver(Receiver):
    """Verifies each message with the PyPI package standardwebhooks and keeps it by its id, as a
    receiver should: one that comes again is counted once."""

    def __init__(self, secret, **options):
        import standardwebhooks

        super().__init__(**options)
        self.webhook = standardwebhooks.Webhook(secret)
        self.failure = standardwebhooks.WebhookVerificationError
        # webhook-id → message; in the order in which they first came.
        self.messages, self.repeated, self.refused = {}, 0, []

    def answer(self, asked):
        identifier = asked.headers.get("webhook-id")
        try:
            self.webhook.verify(asked.body, dict(asked.headers), json_parse=False)
        except self.failure as failure:
            self.refused.append(str(failure))
            return 401, {"error": str(failure)}
        message = asked.json()
        if identifier not in self.messages:
            self.messages[identifier] = message
        else:
            self.repeated += 1
            if self.messages[identifier] != message:
                self.refused.append(f"{identifier} came again with another body")
        return 200, {"id": identifier}

    @property
    def records(self):
        """The records of all messages, those of batches one by one."""
        with self.lock:
            found = [message["data"] for message in self.messages.values()]
        return [record for data in found for record in data.get("items", [data])]


class StripeReceiver(Receiver):
    """`/v1/billing/meter_events` as Stripe's own library has its parameters typed. Identifiers are
    counted once; a second one is refused in Stripe's words. The answer to an idempotency key is
    kept, and the key is refused for another body."""

    IDENTIFIER_MAX = 100
    # What a meter event may say besides the options of a request, which are headers.
    FIELDS = ("event_name", "payload", "identifier", "timestamp", "expand")

    def __init__(self, key, customers=None, customer_field="stripe_customer_id",
                 value_field="value", **options):
        from stripe.params.billing import MeterEventCreateParams

        super().__init__(**options)
        self.key, self.customers = key, customers
        self.customer_field, self.value_field = customer_field, value_field
        typed = MeterEventCreateParams.__annotations__
        # Not those of the options, some of which only type checkers can read.
        own = type("Own", (), {"__annotations__": {name: typed[name] for name in self.FIELDS}})
        names = vars(sys.modules[MeterEventCreateParams.__module__])
        self.types = typing.get_type_hints(own, names)
        self.events, self.kept, self.repeated = {}, {}, 0

    def answer(self, asked):
        if asked.headers.get("Authorization") != f"Bearer {self.key}":
            return 401, self._error("Invalid API Key provided")
        if asked.method == "GET" and asked.path == "/v1/billing/meters":
            return 200, {"object": "list", "data": []}
        if (asked.method, asked.path) != ("POST", "/v1/billing/meter_events"):
            return 404, self._error(f"Unrecognized request URL ({asked.method}: {asked.path})")
        key = asked.headers.get("Idempotency-Key")
        if key in self.kept:
            body, answer = self.kept[key]
            if body == asked.body:
                return answer
            return 400, self._error("Keys for idempotent requests can only be used with the same "
                                    "parameters they were first used with", "idempotency_error")
        answer = self._create(asked)
        if key:
            self.kept[key] = asked.body, answer
        return answer

    def _create(self, asked):
        try:
            event = self._event(asked)
        except ValueError as fault:
            return 400, self._error(str(fault))
        if event["identifier"] in self.events:
            self.repeated += 1
            return 400, self._error(
                f"An event already exists with identifier {event['identifier']}."
            )
        self.events[event["identifier"]] = event
        return 200, {"object": "billing.meter_event", "livemode": False, **event}

    def _event(self, asked):
        """The parameters of a form, each of the type that the library gives it."""
        if asked.headers.get_content_type() != "application/x-www-form-urlencoded":
            raise ValueError("Invalid request: not a form")
        event = {}
        pairs = urllib.parse.parse_qsl(
            asked.body.decode(), keep_blank_values=True, strict_parsing=True
        )
        for name, value in pairs:
            outer, bracket, inner = name.partition("[")
            if outer not in self.types:
                raise ValueError(f"Received unknown parameter: {outer}")
            if bracket:
                event.setdefault(outer, {})[inner.removesuffix("]")] = value
            elif self.types[outer] is int:
                event[outer] = int(value)
            elif self.types[outer] is str:
                event[outer] = value
            else:
                raise ValueError(f"Invalid object: {outer}")
        for name in ("event_name", "payload", "identifier", "timestamp"):
            if event.get(name) in (None, "", {}):
                raise ValueError(f"Missing required param: {name}.")
        if len(event["identifier"]) > self.IDENTIFIER_MAX:
            raise ValueError(f"Invalid string: identifier; longer than {self.IDENTIFIER_MAX}")
        self._check(event["payload"])
        return event

    def _check(self, payload):
        customer = payload.get(self.customer_field)
        if not customer or self.customers is not None and customer not in self.customers:
            raise ValueError(f"No such customer: {customer!r}")
        try:
            value = decimal.Decimal(payload.get(self.value_field, ""))
        except decimal.InvalidOperation:
            value = None
        if value is None or not value.is_finite():
            raise ValueError(f"Invalid value: {payload.get(self.value_field)!r}")

    @staticmethod
    def _error(message, kind="invalid_request_error"):
        return {"error": {"message": message, "type": kind}}

    @property
    def sums(self):
        """{(event name, customer): the sum of its values}, exact."""
        sums = collections.defaultdict(decimal.Decimal)
        with self.lock, decimal.localcontext(decimal.Context(prec=60)):
            for event in self.events.values():
                place = event["event_name"], event["payload"][self.customer_field]
                sums[place] += decimal.Decimal(event["payload"][self.value_field])
        return dict(sums)


class Bucket:
    """A bucket of moto's server, which computes each signature again, as botocore does, and refuses
    what differs. `access_key` and `secret_key` are those of a user who may put and read."""

    POLICY = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"},
    ]}

    def __init__(self, name="usage", region="eu-central-1"):
        self.name, self.region = name, region
        self.access_key = self.secret_key = None

    def __enter__(self):
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self.server.start()
        while True:
            try:
                host, port = self.server.get_host_and_port()
                break
            except AssertionError:
                time.sleep(0.01)
        self.endpoint = f"http://{host}:{port}"
        users = self._client("iam", "testing", "testing")
        users.create_user(UserName="odometer")
        users.put_user_policy(
            UserName="odometer", PolicyName="bucket", PolicyDocument=json.dumps(self.POLICY)
        )
        key = users.create_access_key(UserName="odometer")["AccessKey"]
        self.access_key, self.secret_key = key["AccessKeyId"], key["SecretAccessKey"]
        self._client("s3", "testing", "testing").create_bucket(
            Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": self.region}
        )
        # From here on nobody is let in without a signature that is right.
        request = urllib.request.Request(
            self.endpoint + "/moto-api/reset-auth", data=b"0",
            headers={"Content-Type": "text/plain"},
        )
        urllib.request.urlopen(request).read()
        return self

    def __exit__(self, *_):
        self.server.stop()

    def _client(self, service, access_key, secret_key):
        import boto3
        import botocore.config

        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=self.region,
            aws_access_key_id=access_key, aws_secret_access_key=secret_key,
            config=botocore.config.Config(s3={"addressing_style": "path"}),
        )

    def read(self, prefix=""):
        """{key: bytes} of all objects below a prefix."""
        client = self._client("s3", self.access_key, self.secret_key)
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
        return {
            key: client.get_object(Bucket=self.name, Key=key)["Body"].read() for key in keys
        }
