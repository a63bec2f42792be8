"""What the Console is shown with: the access log and the requests to a language model, metered by
types with yearly and monthly periods, a customer, a line that lost its quote; and a receiver of
webhooks that is broken until it is mended."""

import http.server
import threading

import data_sets
import odometer_check as check
from wire import json_text

# The malformed line's request is the one event that is not sent: it waits to be repaired.
LOST_AGENT_END = "+http://www.google.com/bot.html"
SUBJECT = "46.105.14.53"  # the busiest visitor of the log
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
METER_TYPES = [
    {
        "key": "requests", "name": "Requests", "eventTypes": ["http.request"],
        "aggregation": "count", "resetSchedule": "yearly", "timezone": "Europe/Berlin",
        "dimensions": {"status": "$.data.status", "method": "$.data.method"}, "capacity": "400",
    },
    {
        "key": "bytes-sent", "name": "Bytes sent", "unit": "byte", "aggregation": "sum",
        "eventTypes": ["http.request"], "value": "$.data.bytes",
        "filter": "exists($.data.bytes)", "dimensions": {"status": "$.data.status"},
    },
    {
        "key": "tokens-in", "name": "Input tokens", "unit": "token", "aggregation": "sum",
        "eventTypes": ["llm.request"], "value": "$.data.tokens.input",
        "dimensions": {"service": "$.data.service"}, "resetSchedule": "monthly",
        "timezone": "UTC", "capacity": "50000000",
    },
]


class World:
    """lost: the event of the malformed line, as it should have come, and the line itself."""

    def __init__(self, server, root):
        self.server = server
        web = data_sets.access_logs(root)
        self.line = web.refused[0]
        is_lost = [
            each.body["data"].get("agent", "").endswith(LOST_AGENT_END)
            and each.body["data"]["path"] in self.line and each.body["subject"] in self.line
            and "12:05:17" in each.body["time"]
            for each in web.events
        ]
        self.lost = [each for each, lost in zip(web.events, is_lost) if lost]
        self.events = [each for each, lost in zip(web.events, is_lost) if not lost]
        self.events += data_sets.azure(root).events

    def make(self, tally):
        client = self.server.client()
        tally.equal(len(self.lost), 1, "the malformed line is one event")
        for each in METER_TYPES:
            client.json("POST", "/v1/meter-types", each, expected=(201,))
        client.json("PUT", "/v1/customers/raspail", {
            "name": "Raspail SARL", "timezone": "Europe/Paris", "subjects": [SUBJECT],
        }, expected=(201,))
        texts = [json_text(each.body) for each in self.events]
        for first in range(0, len(texts), 2000):
            body = "\n".join(texts[first:first + 2000]).encode()
            answer = client.json(
                "POST", "/v1/events", body, {"Content-Type": "application/x-ndjson"},
            )
            tally.equal(answer.get("rejected", "0"), "0", "the data sets are accepted")
        self.send_line(client)

        def is_closed():
            return bool(client.get("/v1/usage-records", meterType="requests", limit=1)["items"])

        check.until(is_closed, "periods are closed", 120)
        client.close()

    def send_line(self, client):
        client.call(
            "POST", "/v1/events", self.line.encode(), {"Content-Type": "application/x-ndjson"},
        )

    def sum_of_bytes(self):
        """What a sum over `$.data.bytes` of the access log must read."""
        counted = [each.body["data"].get("bytes") for each in self.events
                   if each.body["type"] == "http.request"]
        return sum(int(each) for each in counted if each is not None)

    def mended(self, id):
        """The lost event as JSON, under an id of its own."""
        return json_text({**self.lost[0].body, "id": id})


class Receiver:
    """Answers 500 until `is_mended`; counts what it was sent then."""

    def __init__(self):
        self.is_mended, self.taken, self.failed = False, 0, 0
        outer = self

        class Answers(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if outer.is_mended:
                    outer.taken += 1
                else:
                    outer.failed += 1
                self.send_response(200 if outer.is_mended else 500)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/usage"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
