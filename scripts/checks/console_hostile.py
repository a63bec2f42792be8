"""Hostile data and hostile sites: texts that would run where a page forgot to escape them, sent
through everything that a page shows; and posts that another site would forge."""

import json
import os
import re
import urllib.parse

import odometer_check as check

# Each leaves window.struck behind where it runs. The last ones aim at the seams of escaping: a
# quote that is one letter with its accent, a direction override, an attribute without quotes.
CORPUS = [
    "<script>window.struck=1</script>",
    "<img src=x onerror=window.struck=1>",
    "\"><svg onload=window.struck=1>",
    "'><details open ontoggle=window.struck=1>",
    "javascript:window.struck=1",
    "</title></textarea></pre><script>window.struck=1</script>",
    "{{constructor.constructor('window.struck=1')()}}",
    "x\"\u0301 autofocus onfocus=window.struck=1 x=\"\u0301",
    "x\"\u200d onmouseover=window.struck=1 style=position:fixed;inset:0 \"",
    "--><iframe srcdoc='<script>parent.struck=1</script>'>",
    "\u202e<a href=javascript:window.struck=1>x</a>",
    "a`onload=window.struck=1`",
]
REASON = "<b>why</b><script>window.struck=1</script>"
AUTHOR = "<img src=x onerror=window.struck=1>"


def fill(client, folder, tally):
    """The corpus as sources, ids, subjects, types, data, names, units, dimensions, reasons, authors,
    dead letters, destinations, and names of files that are delivered into a folder."""
    by = {"Odometer-Actor": "hostile", "Odometer-Reason": REASON}
    _make(client, tally, "/v1/meter-types", {
        "key": "hostile", "name": CORPUS[0], "unit": "<i>unit</i>", "aggregation": "sum",
        "eventTypes": ["*"], "value": "$.data.amount", "filter": "exists($.data.amount)",
        "dimensions": {"said": "$.data.said"}, "resetSchedule": "daily", "capacity": "1000",
    }, by)
    events = [
        {
            "source": text, "id": f"{number} {text}", "type": text, "subject": text,
            "time": "2026-11-01T12:00:00Z",
            "data": {"amount": number + 1, "said": text, text: {text: [text]}, "file": text},
        }
        for number, text in enumerate(CORPUS)
    ]
    body = "\n".join(json.dumps(each) for each in events)
    answer = client.json(
        "POST", "/v1/events", body.encode(), {"Content-Type": "application/x-ndjson"},
    )
    # What is rejected is shown too, as it came.
    dead = "\n".join(text + "\n" + json.dumps({"id": text, "time": text}) for text in CORPUS)
    client.json("POST", "/v1/events", dead.encode(), {"Content-Type": "application/x-ndjson"})
    _make(client, tally, "/v1/customers/hostile", {"name": CORPUS[1], "subjects": CORPUS[:4]}, by, "PUT")
    _make(client, tally, "/v1/validation-rules", {
        "key": "hostile", "eventType": "*", "action": "warn", "message": CORPUS[2],
        "range": {"path": "$.data.amount", "max": "0"},
    }, by)
    _make(client, tally, "/v1/corrections", {
        "kind": "void", "events": [{"source": CORPUS[3], "id": f"3 {CORPUS[3]}"}],
        "reason": REASON, "author": AUTHOR,
    }, by)
    _make(client, tally, "/v1/backfill-sets", {"name": CORPUS[4], "reason": REASON, "author": AUTHOR}, by)
    _make(client, tally, "/v1/destinations/hostile", {
        "webhook": {
            "url": "http://127.0.0.1:9/" + urllib.parse.quote(CORPUS[1]),
            "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        },
        "start": "first",
    }, by, "PUT")
    for number, text in enumerate(CORPUS):
        _make(client, tally, f"/v1/destinations/files-{number}", {
            "name": text, "start": "first", "filter": {"meterTypes": ["hostile"]},
            "files": {
                "directory": os.path.join(folder, text.replace("/", "|")), "format": "csv",
                "name": text.replace("/", "|") + "-${first}",
            },
        }, by, "PUT")
    meters = client.get("/v1/meters?limit=1000")["items"]
    tally.check(len(meters) == len(CORPUS) - 1, "hostile subjects have meters but the voided one", len(meters))
    for meter in meters:
        _make(client, tally, f"/v1/meters/{urllib.parse.quote(meter['id'], safe='')}/suspend", {
            "from": "2026-11-02T00:00:00Z", "to": "2026-11-03T00:00:00Z", "reason": REASON,
        }, by)
    return int(answer["accepted"])


def _make(client, tally, path, body, headers, method="POST"):
    """Makes it; what the API itself refuses of it is no displayed field."""
    status, _, payload = client.call(
        method, path, json.dumps(body).encode(), {"Content-Type": "application/json", **headers},
    )
    tally.check(status < 300, f"{path} takes hostile text", status, payload[:300])


def addresses(browser, page, first, pages_max=160):
    """The Console's pages that can be reached from one by links, each shape of an address a few
    times, whatever data its links hold."""
    waiting, seen, shapes = [first], set(), {}
    while waiting and len(seen) < pages_max:
        address = waiting.pop(0)
        if address in seen:
            continue
        seen.add(address)
        yield address
        for link in page.evaluate(
            "[...document.querySelectorAll('main a[href], nav a[href], main [data-href]')]"
            ".map(each => each.getAttribute('href') || each.dataset.href)"
        ):
            whole = urllib.parse.urljoin(browser.origin + address, link)
            if not whole.startswith(browser.origin + "/console"):
                continue
            short = whole[len(browser.origin):].split("#")[0]
            path, _, query = short.partition("?")
            names = sorted({part.partition("=")[0] for part in query.split("&")})
            shape = re.sub(r"(?<=/)(?=[^/]*[%0-9])[^/]+", "*", path) + "?" + ",".join(names)
            if short not in seen and shapes.get(shape, 0) < 5:
                shapes[shape] = shapes.get(shape, 0) + 1
                waiting.append(short)


def strike(browser, tally):
    """Opens every page that shows hostile data: nothing runs, nothing of it becomes an element."""
    page, count, seen, asked = browser.page(), 0, set(), set()
    queries = ["", *("?" + urllib.parse.urlencode({"q": text}) for text in CORPUS[:3])]
    firsts = ["/console", *("/console/meters" + each for each in queries)]
    for first in firsts:
        for address in addresses(browser, page, first, 160 if first == "/console" else 2):
            answer = page.goto(browser.origin + address, wait_until="load")
            count += 1
            tally.check(answer.status < 500, f"{address}: {answer.status}")
            page.wait_for_timeout(30)
            _unharmed(page, tally, address)
            seen |= _shown(page)
            asked |= _ask(page, tally, address, asked)
    for text in [*CORPUS, REASON, AUTHOR]:
        tally.check(text in seen, f"a page shows {text!r}")
    tally.check(len(asked) >= 4, "forms that show what they would do were asked", asked)
    _palette(browser, page, tally)
    page.context.close()
    return count


def _unharmed(page, tally, address):
    harm = page.evaluate(
        """() => ({
            struck: window.struck ?? null,
            scripts: [...document.scripts].filter(each => !each.src).length,
            handlers: [...document.querySelectorAll('*')].flatMap(each =>
                [...each.attributes].filter(one => /^on/i.test(one.name) || one.name === 'style'
                    || (/^(href|src|action|data-href)$/.test(one.name)
                        && /^\\s*(javascript|data):/i.test(one.value)))
                .map(one => each.outerHTML.slice(0, 200))),
            aliens: document.querySelectorAll('iframe, object, embed, svg[onload], base, img').length,
        })"""
    )
    tally.check(
        harm["struck"] is None and not harm["handlers"] and not harm["aliens"]
        and not harm["scripts"],
        f"{address}: hostile text did something", harm,
    )


def _shown(page):
    """Which hostile texts can be read on a page, letter by letter."""
    return set(page.evaluate(
        """texts => {
            const all = [document.body.textContent,
                ...[...document.querySelectorAll('input, textarea')].map(each => each.value)];
            return texts.filter(text => all.some(one => one.includes(text)));
        }""",
        [*CORPUS, REASON, AUTHOR],
    ))


def _ask(page, tally, address, asked):
    """Fills the forms that show what they would do with hostile text, and asks them. A form is
    asked once, whatever page of its kind it stands on: by what it is called and its fields.
    """
    fresh = set()
    while True:
        form = page.evaluate(
            """([texts, asked]) => {
                for (const form of document.querySelectorAll('main form[method=post]')) {
                    const look = form.querySelector('[name=do][value=look], [name=do][value=history]');
                    if (!look) continue;
                    const fields = [...form.querySelectorAll('input:not([type=hidden]), textarea')];
                    const name = fields.map(each => each.name).join();
                    if (asked.includes(name)) continue;
                    fields.forEach((each, place) => {
                        const isTime = /^(from|to|start|end|history)/.test(each.name);
                        if (['checkbox', 'radio'].includes(each.type)) return;
                        each.removeAttribute('maxlength');
                        each.value = isTime ? '2026-11-01' : texts[place % texts.length];
                    });
                    const button = look.tagName === 'BUTTON' ? look : form.querySelector('button');
                    form.noValidate = true;
                    form.closest('details')?.setAttribute('open', '');
                    button.dataset.asked = '';
                    return name;
                }
                return null;
            }""",
            [CORPUS, [*asked, *fresh]],
        )
        if form is None:
            return fresh
        fresh.add(form)
        with page.expect_navigation(wait_until="load"):
            page.evaluate("document.querySelector('[data-asked]').click()")
        _unharmed(page, tally, f"{address}, asked with {form}")
        page.goto(page.url)


def _palette(browser, page, tally):
    page.goto(browser.origin + "/console")
    for text in ("<script>", "onerror", "javascript:"):
        page.keyboard.press("Control+k")
        page.keyboard.insert_text(text)
        page.wait_for_timeout(500)
        _unharmed(page, tally, f"the palette, asked for {text}")
        page.keyboard.press("Escape")


def posts():
    """The addresses of the Console that take a form, as its own table of pages names them."""
    found, folder = [], os.path.join(check.ROOT, "Sources", "Console")
    for name in sorted(each for each in os.listdir(folder) if each.startswith("ConsolePages")):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            text = file.read().split("\n    ]\n")[0]
        # Each route up to the next one.
        for route in re.split(r"(?=PageRoute\(\"|\bwork\(\")", text)[1:]:
            path = re.match(r'\w+\("([^"]*)"', route).group(1)
            if re.search(r"\bpost:", route):
                found.append("/console" + re.sub(r"\{\w+\}", "x", path))
    return found


def forge(server, tally):
    """Requests as another site would make them: all are refused, and nothing has changed."""
    client = server.client()
    status, headers, body = client.call("GET", "/console/meter-types/new")
    tally.equal(status, 200, "the form is there")
    token = re.search(rb'name="csrf" value="([^"]+)"', body)
    tally.check(token is not None, "the form has a token")
    cookies = headers.get_all("Set-Cookie") or []
    for each in cookies:
        tally.check("samesite=strict" in each.lower(), "cookies are SameSite=Strict", each)
    home = f"http://127.0.0.1:{server.port}"
    honest = {"Cookie": "; ".join(each.split(";")[0] for each in cookies), "Origin": home,
              "Sec-Fetch-Site": "same-origin"}
    fields = {"key": "forged", "eventTypes": "x", "aggregation": "count",
              "csrf": token.group(1).decode() if token else ""}
    elsewhere = [
        ("from another origin", {"Origin": "https://evil.example"}),
        ("from no origin", {"Origin": "null"}),
        ("cross-site", {"Sec-Fetch-Site": "cross-site"}),
        ("same-site", {"Sec-Fetch-Site": "same-site"}),
    ]
    forged = [(name, {**honest, **sent}, fields) for name, sent in elsewhere] + [
        ("without a token", honest, {**fields, "csrf": ""}),
        ("with another token", honest, {**fields, "csrf": "0" * 64}),
        ("without its cookie", {**honest, "Cookie": ""}, fields),
    ]
    before = _trail(client)
    places = posts()
    tally.check(len(places) >= 15, "the pages that take a form are known", places)
    for path in places:
        for name, sent, form in forged:
            code, _, answer = client.call(
                "POST", path, urllib.parse.urlencode(form).encode(),
                {"Content-Type": "application/x-www-form-urlencoded", **sent},
            )
            tally.check(code == 403, f"a post to {path} {name} is refused", code, answer[:300])
    # The API has no form and no token: it goes by what a browser says of where a page stands.
    type_body = json.dumps({"key": "forged", "eventTypes": ["x"], "aggregation": "count"}).encode()
    for method, path, body in [
        ("POST", "/v1/events", b'{"source":"forged","id":"1","type":"x","subject":"x"}'),
        ("POST", "/v1/meter-types", type_body), ("PUT", "/v1/customers/forged", b"{}"),
        ("DELETE", "/v1/meter-types/requests", None), ("POST", "/v1/corrections", b"{}"),
    ]:
        for name, sent in elsewhere:
            for kind in ("application/json", "text/plain"):
                code, _, answer = client.call(method, path, body, {"Content-Type": kind, **sent})
                tally.check(code == 403, f"{method} {path} {name} is refused", code, answer[:300])
    # By a name that an attacker made lead here, and a stream that another site opens.
    for path in ("/console", "/console/meters", "/console/live", "/v1/events", "/v1/meter-types"):
        code, _, _ = client.call("GET", path, headers={"Host": f"evil.example:{server.port}"})
        tally.equal(code, 421, f"{path} by another name is refused")
    code, _, _ = client.call("GET", "/console/live", headers={"Sec-Fetch-Site": "cross-site"})
    tally.equal(code, 403, "another site opens no stream")
    tally.equal(_trail(client), before, "nothing was changed")
    client.close()
    return f"{len(places)} pages that take a form"


def _trail(client):
    """What tells that something was changed: the trail's last entry, and where the log ends."""
    entries = client.get("/v1/audit?limit=1")["items"]
    return entries, client.get("/v1/status")["position"]
