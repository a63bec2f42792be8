"""Destinations that call somebody: webhooks, meter events of Stripe, requests, CloudEvents."""

import base64
import collections
import re
import urllib.parse

import exact
import odometer_check as check
import outlet_house
import receivers

OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


class Webhooks(outlet_house.Part):
    """Signed messages, verified by the library of Standard Webhooks."""

    name = "webhooks"
    needs_packages = True

    def begin(self):
        self.single = self.house.receiver(receivers.WebhookReceiver(OLD))
        self.house.put("hook", "webhook", {"url": self.single.url, "secrets": [OLD, NEW]})
        # Its first tries fail, and come again.
        self.batched = self.house.receiver(receivers.WebhookReceiver(NEW, script=(503, 429)))
        self.house.put("hook-batch", "webhook", {"url": self.batched.url, "secrets": [NEW]},
                       batchSize=10, batchDelay="1s")

    def judge(self):
        house, tally = self.house, self.tally
        for key in ("hook", "hook-batch"):
            house.delivered(key)
        records = house.records()
        house.each_once(self.single.records, records, "webhook")
        house.each_once(self.batched.records, records, "webhook in batches")
        for receiver in (self.single, self.batched):
            tally.equal((receiver.refused, receiver.repeated), ([], 0), "all signatures hold")
        for identifier, message in self.single.messages.items():
            record = message["data"]
            tally.equal(
                (identifier, message["type"], message["timestamp"]),
                (record["id"], f"usage-record.{record['kind']}", record["createdAt"]),
                "a message says what it is",
            )
        types = {message["type"] for message in self.batched.messages.values()}
        tally.check("usage-record.batch" in types, "batches say that they are", types)
        tries = [asked.headers["webhook-id"] for asked in self.batched.asked[:3]]
        tally.equal(len(set(tries)), 1, "a message that was not taken comes again as it was")
        self._try()
        self._rotate()
        return f"{len(self.single.messages)} messages, {len(self.batched.messages)} with batches"

    def _try(self):
        house, tally = self.house, self.tally
        before = house.standing("hook")
        code, output = house.command("destinations", "test", "hook")
        tally.check(code == 0 and output.startswith("delivered (200)"), "a try is taken", output)
        identifier, message = list(self.single.messages.items())[-1]
        tally.equal((message["type"], message["data"].get("test")), ("odometer.test", True),
                    "a try says that it is one")
        del self.single.messages[identifier]
        tally.equal(house.standing("hook"), before, "a try is no delivery")
        self.single.script.append(400)
        code, output = house.command("destinations", "test", "hook")
        tally.check(code == 4 and "400" in output, "a try that is not taken leaves with 4", output)
        self.single.asked = [
            asked for asked in self.single.asked if asked.json()["type"] != "odometer.test"
        ]

    def _rotate(self):
        house, tally = self.house, self.tally
        for asked in self.single.asked:
            tally.equal(verifying(asked, (OLD, NEW)), [True, True], "both secrets sign")
        url = self.single.url
        shown = house.client.get("/v1/destinations/hook")["webhook"]["secrets"]
        tally.equal(shown, ["(hidden)", "(hidden)"], "secrets are not told")
        house.put("hook", "webhook", {"url": url, "secrets": [NEW]}, expected=(200,))
        self.single.webhook = type(self.single.webhook)(NEW)
        count = len(self.single.asked)
        record = house.late("house-3", "1.5")
        house.delivered("hook")
        new = self.single.asked[count:]
        tally.equal([asked.json()["data"]["id"] for asked in new], [record["id"]],
                    "a message after the rotation")
        for asked in new:
            tally.equal(verifying(asked, (OLD, NEW)), [False, True], "the new secret signs alone")


def verifying(asked, secrets):
    """Which of the secrets verify a message."""
    import standardwebhooks

    found = []
    for secret in secrets:
        try:
            standardwebhooks.Webhook(secret).verify(asked.body, dict(asked.headers))
            found.append(True)
        except standardwebhooks.WebhookVerificationError:
            found.append(False)
    return found


class Stripe(outlet_house.Part):
    """Meter events, held against Stripe's own library: its types, and what it would have posted."""

    name = "Stripe"
    needs_packages = True
    KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
    # What a house without a customer is called when the template has changed.
    MENDED = "cus_${subject}"

    def begin(self):
        customers = {reference for reference, _ in outlet_house.CUSTOMERS.values()}
        customers |= {self._mended(subject) for subject in outlet_house.UNOWNED}
        self.peer = self.house.receiver(receivers.StripeReceiver(self.KEY, customers))
        self.house.put("stripe", "stripe", {"apiKey": self.KEY, "url": self.peer.url})

    @classmethod
    def _mended(cls, subject):
        return cls.MENDED.replace("${subject}", subject)

    def judge(self):
        house, tally = self.house, self.tally
        records = house.records()
        unowned = [record for record in records if record["subject"] in outlet_house.UNOWNED]
        tally.check(unowned, "some records have no customer")
        house.delivered("stripe", failed=len(unowned))
        owned = [record for record in records if record not in unowned]
        tally.equal(set(self.peer.events), {record["id"] for record in owned},
                    "Stripe has the events of all who have a reference")
        self._judge_failed(unowned)
        house.put("stripe", "stripe", {
            "apiKey": "(hidden)", "url": self.peer.url, "customer": self.MENDED,
        }, expected=(200,))
        answer = house.command_json("deliveries", "resend", "--destination", "stripe", "--failed")
        tally.equal(answer["resent"], str(len(unowned)), "all that failed is sent again")
        house.delivered("stripe")
        self._judge_events(records)
        tally.equal(self.peer.repeated, 0, "no event is sent twice")
        self._hold_against_client()
        code, output = house.command("destinations", "test", "stripe")
        tally.check(code == 0, "a try of Stripe asks for meters", output)
        tally.equal(len(self.peer.events), len(records), "a try of Stripe makes no event")
        return f"{len(self.peer.events)} meter events, {len(unowned)} of them when mended"

    def _judge_failed(self, unowned):
        arguments = ("deliveries", "list", "--destination", "stripe", "--state", "failed")
        listed = self.house.command_json(*arguments, "--limit", "1000")["items"]
        self.tally.equal({each["record"]["id"] for each in listed},
                         {record["id"] for record in unowned}, "what failed is listed")
        for each in listed:
            self.tally.check(
                "customer" in each["answer"] and "externalRef" in each["answer"]
                and each["attempts"] == "1",
                "the reason says what is missing", each,
            )
        code, output = self.house.command(*arguments)
        self.tally.check(code == 0 and "externalRef" in output, "the table says why", output)

    def _judge_events(self, records):
        references = {key: reference for key, (reference, _) in outlet_house.CUSTOMERS.items()}
        for record in records:
            event = self.peer.events.get(record["id"])
            customer = references.get(record.get("customer")) or self._mended(record["subject"])
            end = exact.microseconds(record["period"]["end"])
            self.tally.equal(event, {
                "event_name": record["meterType"],
                "payload": {"stripe_customer_id": customer, "value": record["delta"]},
                "identifier": record["id"],
                "timestamp": end // exact.SECOND - 1,
            }, f"the meter event of {record['id']}")
        adjustments = [record for record in records if record["kind"] == "adjustment"]
        signs = {record["delta"].startswith("-") for record in adjustments}
        self.tally.equal(signs, {True, False}, "adjustments go up and down")

    def _hold_against_client(self):
        """Stripe's client reads the answers as its model, and posts the same pairs."""
        import stripe

        twin = self.house.receiver(receivers.StripeReceiver(self.KEY))
        client = stripe.StripeClient(
            self.KEY, base_addresses={"api": twin.url}, max_network_retries=0
        )
        stripe.enable_telemetry = False
        ours = {}
        for asked in self.peer.asked:
            if asked.method == "POST":
                pairs = dict(urllib.parse.parse_qsl(asked.body.decode()))
                ours[pairs["identifier"]] = pairs
        for event in self.peer.events.values():
            answer = {"object": "billing.meter_event", "livemode": False, "created": 0, **event}
            model = stripe.billing.MeterEvent.construct_from(answer, self.KEY)
            self.tally.equal(
                (type(model.event_name), type(model.identifier), type(model.timestamp),
                 model.payload.to_dict()),
                (str, str, int, event["payload"]), "the model of a meter event",
            )
            client.v1.billing.meter_events.create(dict(event))
            theirs = dict(urllib.parse.parse_qsl(twin.asked[-1].body.decode()))
            self.tally.equal(ours[event["identifier"]], theirs, "what the client would post")


class BillingAPI(receivers.Receiver):
    """An API behind OAuth 2, and the server of its tokens."""

    CLIENT, SECRET, SCOPE = "odo/meter", "s3cr&t=+/%:x", "usage:write"

    def __init__(self):
        super().__init__()
        self.tokens, self.is_forgetful = [], False
        # record → the request with it that was taken
        self.taken, self.faults = {}, []

    def answer(self, asked):
        if asked.path == "/token":
            return self._grant(asked)
        if self.is_forgetful or asked.headers["Authorization"] != f"Bearer {self.tokens[-1]}":
            self.is_forgetful = False
            return 401, {"error": "invalid_token"}
        identifier = asked.headers["X-Record"]
        self.taken[identifier] = asked
        # These are known already, from a time before.
        return (409 if asked.json()["subject"] == "house-1" else 201), {"id": identifier}

    def _grant(self, asked):
        form = dict(urllib.parse.parse_qsl(asked.body.decode()))
        kind, _, code = asked.headers.get("Authorization", "").partition(" ")
        client, _, secret = base64.b64decode(code).decode().partition(":")
        said = [kind, urllib.parse.unquote_plus(client), urllib.parse.unquote_plus(secret)]
        wanted = {"grant_type": "client_credentials", "scope": self.SCOPE}
        if said != ["Basic", self.CLIENT, self.SECRET] or form != wanted:
            self.faults.append((said, form))
            return 401, {"error": "invalid_client"}
        self.tokens.append(f"token-{len(self.tokens) + 1}")
        return 200, {
            "access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": 3600,
        }


class Requests(outlet_house.Part):
    """Requests made by templates, with tokens, as JSON and as forms."""

    name = "requests"
    BODY = {
        "subject": "${subject}",
        "usage": {
            "quantity": "${delta:number}", "events": "${eventsDelta:integer}",
            "tags": ["${meterType}", "${metadata.team}", "from ${period.start}"],
        },
        "meta": "${metadata:json}", "constant": [1, True, None], "literal": "$${stays}",
    }
    FORM = {"quantity": "${amount}", "meter": "${meter}", "who": "${customerExternalRef}"}

    def begin(self):
        owned = {**outlet_house.FILTER, "customers": list(outlet_house.CUSTOMERS)}
        self.api = self.house.receiver(BillingAPI())
        authorization = {
            "tokenURL": self.api.url + "/token", "clientID": BillingAPI.CLIENT,
            "clientSecret": BillingAPI.SECRET, "scope": BillingAPI.SCOPE,
        }
        self.house.put("requests", "http", {
            "url": self.api.url + "/customers/${customerExternalRef}/usage?meter=${meter}",
            "headers": {"X-Record": "${id}", "X-Kind": "${kind}/${revision}"},
            "body": self.BODY, "authorization": authorization, "expected": [201], "known": [409],
        }, filter=owned)
        self.forms = self.house.receiver(receivers.Receiver())
        self.house.put("forms", "http", {
            "method": "PUT", "url": self.forms.url + "/usage/${id}", "form": True,
            "body": self.FORM, "authorization": {"header": "X-Key", "value": "k-1"},
        }, filter=owned)
        self.plain = self.house.receiver(receivers.Receiver())
        self.house.put("picky", "http", {"url": self.plain.url, "expected": [202]},
                       filter={"meterTypes": ["kwh"]})

    def _records(self):
        return [record for record in self.house.records() if "customer" in record]

    def judge(self):
        house, tally = self.house, self.tally
        for key in ("requests", "forms"):
            house.delivered(key)
        records = self._records()
        tally.equal(set(self.api.taken), {record["id"] for record in records},
                    "the API has all records")
        calls = [asked for asked in self.api.asked if asked.path != "/token"]
        tally.equal(len(calls), len(records), "each record is asked for once")
        tally.equal((self.api.tokens, self.api.faults), (["token-1"], []),
                    "one token serves all")
        for record in records:
            self._judge_request(record)
        known = [each for each in house.deliveries("requests") if each["status"] == "409"]
        tally.equal(
            sorted(each["record"]["id"] for each in known),
            sorted(record["id"] for record in records if record["subject"] == "house-1"),
            "409 is an answer that takes",
        )
        tally.equal({each["state"] for each in known}, {"delivered"}, "known is delivered")
        self._judge_forms(records)
        self._renew()
        self._judge_picky()
        return f"{len(records)} records, {len(self.api.tokens)} tokens"

    def _judge_request(self, record):
        asked = self.api.taken.get(record["id"])
        if asked is None:
            return
        reference = urllib.parse.quote(record["customerExternalRef"], safe="")
        meter = urllib.parse.quote(record["meter"], safe="-._~")
        self.tally.equal(asked.target, f"/customers/{reference}/usage?meter={meter}",
                         "what is put into an address is percent-encoded")
        self.tally.equal(
            (asked.method, asked.headers["Content-Type"], asked.headers["X-Kind"]),
            ("POST", "application/json", f"{record['kind']}/{record['revision']}"),
            "the head of a request",
        )
        metadata = record.get("metadata")
        body = {
            "subject": record["subject"],
            "usage": {
                "quantity": record["delta"], "events": record["eventsDelta"],
                "tags": [record["meterType"], (metadata or {}).get("team", ""),
                         f"from {record['period']['start']}"],
            },
            "meta": metadata, "constant": ["1", True, None], "literal": "${stays}",
        }
        self.tally.equal(asked.json(), body, "the body of a request")
        number = b'"quantity":' + record["delta"].encode() + b","
        self.tally.check(number in asked.body, "a number is no text, and exact", asked.body)

    def _judge_forms(self, records):
        bodies = {}
        for asked in self.forms.asked:
            self.tally.equal(
                (asked.method, asked.headers["Content-Type"], asked.headers["X-Key"]),
                ("PUT", "application/x-www-form-urlencoded", "k-1"), "the head of a form",
            )
            pairs = urllib.parse.parse_qsl(asked.body.decode(), keep_blank_values=True)
            bodies[asked.path.removeprefix("/usage/")] = dict(pairs)
        self.tally.equal(bodies, {
            record["id"]: {"quantity": record["amount"], "meter": record["meter"],
                           "who": record["customerExternalRef"]}
            for record in records
        }, "the forms of all records")

    def _renew(self):
        self.api.is_forgetful = True
        count = len(self.api.asked)
        record = self.house.late("house-5", "2.25")
        self.house.delivered("requests")
        steps = [asked.path.split("/")[1] for asked in self.api.asked[count:]]
        self.tally.equal(steps, ["customers", "token", "customers"],
                         "a token that is refused is fetched anew, and the record sent again")
        self.tally.check(record["id"] in self.api.taken, "it is taken with the new token")

    def _judge_picky(self):
        records = self.house.records(["kwh"])
        self.house.delivered("picky", failed=len(records))
        failed = self.house.deliveries("picky", state="failed")
        self.tally.equal({(each["status"], each["attempts"]) for each in failed}, {("200", "1")},
                         "an answer that is not expected takes nothing")


class CloudEvents(outlet_house.Part):
    """CloudEvents 1.0 over HTTP, one by one and in batches; another server counts them."""

    name = "CloudEvents"
    MODES = {
        "structured": ("application/cloudevents+json", {}),
        "batched": ("application/cloudevents-batch+json", {"batchSize": 8, "batchDelay": "1s"}),
    }

    def begin(self):
        house = self.house
        self.other = check.Server(house.place.store("other"))
        house.stack.enter_context(self.other.start())
        client = self.other.client()
        client.json("POST", "/v1/meter-types", {
            "key": "billed", "eventTypes": ["com.example.usage"], "aggregation": "sum",
            "value": "$.data.delta", "dimensions": {"of": "$.data.meterType"},
        }, expected=(201,))
        self.peers = {}
        for mode, (_, options) in self.MODES.items():
            peer = self.peers[mode] = house.receiver(receivers.Receiver())
            house.put(f"ce-{mode}", "cloudEvents", {"url": peer.url, "source": f"/{mode}"},
                      **options)
            house.put(f"on-{mode}", "cloudEvents", {
                "url": f"http://127.0.0.1:{self.other.port}/v1/events",
                "source": f"urn:house:{mode}", "type": "com.example.usage",
            }, **options)

    def judge(self):
        house, tally = self.house, self.tally
        records = house.records()
        for mode in self.MODES:
            house.delivered(f"ce-{mode}")
            house.delivered(f"on-{mode}")
            events = self._events(mode)
            for event in events:
                faults = cloud_event_faults(event)
                tally.check(not faults, f"a {mode} event breaks the specification", faults, event)
                record = event["data"]
                tally.equal(
                    (event["id"], event["source"], event["type"], event["time"],
                     event["subject"]),
                    (record["id"], f"/{mode}", "odometer.usage-record", record["createdAt"],
                     record["meter"]),
                    f"the attributes of a {mode} event",
                )
            house.each_once([event["data"] for event in events], records, f"{mode} events")
        client = self.other.client()
        total, _ = check.books(client)
        count = len(self.MODES) * len(records)
        tally.equal((total["received"], total["counted"]), (count, count),
                    "another server counts each event, and nothing else comes to it")
        answer = client.get("/v1/usage", meterType="billed", groupBy="of",
                            **{"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"})
        sums = collections.Counter()
        for record in records:
            sums[record["meterType"]] += len(self.MODES) * exact.mantissa(record["delta"])
        tally.equal(
            {each["dimensions"]["of"]: each["value"] for each in answer["readings"]},
            {key: exact.quantity(sum) for key, sum in sums.items()},
            "the other server's sums",
        )
        return f"{count} events are received = accepted by another server"

    def _events(self, mode):
        content_type, _ = self.MODES[mode]
        events = []
        for asked in self.peers[mode].asked:
            kind = asked.headers.get_content_type()
            if mode == "batched" and kind == "application/cloudevents+json":
                # A batch of one is an event.
                events.append(asked.json())
                continue
            self.tally.equal(kind, content_type, "the content type says the mode")
            body = asked.json()
            events += body if isinstance(body, list) else [body]
        return events


def cloud_event_faults(event):
    """Where an event breaks the rules of CloudEvents 1.0 in JSON."""
    faults = []
    if event.get("specversion") != "1.0":
        faults.append("specversion")
    for name in ("id", "source", "type", "subject"):
        if not isinstance(event.get(name), str) or not event[name]:
            faults.append(name)
    try:
        exact.microseconds(event["time"])
    except (KeyError, ValueError):
        faults.append("time")
    if event.get("datacontenttype") != "application/json" or "data_base64" in event:
        faults.append("datacontenttype")
    for name, value in event.items():
        if not re.fullmatch("[a-z0-9]+", name):
            faults.append(name)
        if name != "data" and not isinstance(value, str):
            faults.append(name)
    return faults
