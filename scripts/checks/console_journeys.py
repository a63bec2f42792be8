"""The ways that people go through the Console, each by mouse and again by keyboard. What a way does
is asked of the API afterwards, so that a page cannot claim it."""

import re

import console_world
import odometer_check as check

AUTHOR = "Ada"


class Journey:
    """hand: `Mouse` or `Keyboard`; each goes on a page of its own."""

    def __init__(self, world, browser, hand):
        self.world, self.browser, self.tally = world, browser, browser.tally
        self.page = browser.page(permissions=["clipboard-read", "clipboard-write"])
        self.hand = hand(self.page)
        self.name = f"{type(self).__name__.lower()}-{hand.name}"
        self.client = world.server.client()

    def go(self):
        self.page.goto(self.browser.origin + "/console")
        try:
            self.walk()
        except Exception:
            path = f"{self.browser.pictures}/{self.name}-broken-off.png"
            self.page.screenshot(path=path, full_page=True)
            print(f"{self.name} broke off at {self.page.url}; see {path}", flush=True)
            raise
        finally:
            self.page.context.close()
            self.client.close()

    def shown(self, what):
        self.browser.shown(self.page, f"{self.name}-{what}")

    def button(self, name):
        return self.page.get_by_role("button", name=name)

    def link(self, name):
        return self.page.locator("main").get_by_role("link", name=name)

    def label(self, name, within="main"):
        """The field of that name; whether it is needed may be said behind the name."""
        pattern = re.compile(f"^{re.escape(name)}( needed)?$")
        return self.page.locator(within).get_by_label(pattern).first

    def sees(self, text, what):
        """Waits for a text on the page."""
        self.page.locator("main").get_by_text(text).first.wait_for()
        self.tally.check(True, what)

    def press(self, target):
        """Presses what leads to another page."""
        with self.page.expect_navigation():
            self.hand.press(target)

    def sign(self, within, reason):
        self.hand.fill(self.label("Why", within), reason)
        if self.label("Who", within).input_value() != AUTHOR:
            self.hand.fill(self.label("Who", within), AUTHOR)


class Defining(Journey):
    """A meter type is defined by picking from what came, and the real data are counted."""

    def walk(self):
        key = f"bytes-by-{self.hand.name}"
        self.hand.go("t")
        self.press(self.link("New meter type"))
        self.hand.press(self.pick("#catalogue-types", "http.request"))
        field = self.pick("#catalogue-value", "$.data.bytes")
        field.wait_for()
        self.hand.fill(self.label("Name"), f"Bytes, by {self.hand.name}")
        self.hand.fill(self.label("Key"), key)
        self.hand.press(self.page.get_by_role("radio", name=re.compile("^Sum")).first)
        self.hand.press(field)
        self.hand.fill(self.label("Unit"), "byte")
        self.hand.press(self.pick("#catalogue-dimensions", "status"))
        self.hand.press(self.button("Add a condition"))
        self.hand.fill(self.label("Field"), "$.data.bytes")
        self.hand.choose(self.label("Comparison"), "is there")
        self.tally.equal(self.label("Filter, as text").input_value(), "exists($.data.bytes)",
                         "conditions are text, too")
        yearly = self.page.locator('#reset option[value="yearly"]').inner_text()
        self.hand.choose(self.label("Reset schedule"), yearly)
        self.page.keyboard.press("Tab")
        self.page.locator("#resets", has_text="Next").wait_for()
        self.page.locator("[data-preview-out] .big data.q").wait_for()
        self.page.locator("[data-preview-out]:not([aria-busy])").wait_for()
        self.shown("form")
        self.press(self.button("Make the meter type"))
        self.sees(key, "the meter type")
        self.shown("made")
        total = self.counted(key)
        self.tally.equal(total, self.world.sum_of_bytes(), "the real data are counted")

    def pick(self, within, text):
        return self.page.locator(f"{within} button", has_text=text).first

    def counted(self, key):
        found = []

        def is_read():
            try:
                found[:] = self.client.get("/v1/usage", meterType=key)["readings"]
            except check.Refused:
                return False  # its history is being counted
            return bool(found)

        check.until(is_read, "history is counted", 60)
        return sum(int(each["value"]) for each in found)


class Repairing(Journey):
    """The line of the access log that lost its quote becomes the event that it was, and counts."""

    def walk(self):
        # For each hand a line of its own: what is released is known, and waits no more.
        id = f"apache_logs:lost-{self.hand.name}"
        if self.hand.name == "keyboard":
            self.client.call(
                "POST", "/v1/events", self.world.line[:-1].encode(),
                {"Content-Type": "application/x-ndjson"},
            )
        self.hand.go("q")
        self.sees("malformed-json", "the group of the line")
        self.shown("groups")
        with self.page.expect_navigation():
            self.hand.open_row("malformed-json")
        self.sees("configlib.py", "the line itself")
        self.shown("records")
        with self.page.expect_navigation():
            self.hand.open_row("configlib.py")
        self.shown("record")
        field = self.label("Event as JSON")
        self.hand.fill(field, '{"source": "web/apache"')
        self.press(self.button("Save and release"))
        kept = self.label("Event as JSON").input_value()
        self.tally.equal(kept, '{"source": "web/apache"', "what was typed is kept")
        self.shown("refused")
        self.hand.fill(self.label("Event as JSON"), self.world.mended(id))
        self.sign("#mend", "it lost its closing quote")
        self.press(self.button("Save and release"))
        self.sees("Released", "the line is released")
        self.shown("released")
        self.press(self.link(id))
        self.sees("Who counted it", "the event is explained")
        event = self.client.get(f"/v1/events/{check.quoted('web/apache')}/{check.quoted(id)}")
        self.tally.equal(event["status"], "counted", "the API counts it")
        self.shown("event")


class Voiding(Journey):
    """An event is voided: the reading falls, the closed period is adjusted, the trail tells it."""

    def walk(self):
        id = {"mouse": "apache_logs:102", "keyboard": "apache_logs:230"}[self.hand.name]
        path = f"/v1/events/{check.quoted('web/apache')}/{check.quoted(id)}"
        event = self.client.get(path)
        subject = event["event"]["subject"]
        before = self.reading(subject)
        self.hand.go("e")
        self.sees("Everything that was accepted", "the events")
        self.shown("events")
        self.hand.fill(self.label("Subject"), subject)
        self.hand.fill(self.label("Source"), "web/apache")
        self.press(self.page.locator("form.toolbar").get_by_role("button", name="Filter"))
        with self.page.expect_navigation():
            self.hand.open_row(re.compile(re.escape(id) + r"(?!\d)"))
        self.sees("Who counted it", "the explanation")
        self.shown("explained")
        self.press(self.link("Void this event"))
        self.sees("What it would do", "the dry run")
        self.tally.equal(self.client.get(path)["status"], "counted", "nothing happened yet")
        self.shown("dry-run")
        self.sign("#in-earnest", "sent by a load test")
        self.press(self.button("Void 1 event"))
        self.sees("The correction was made", "the correction")
        self.shown("correction")
        self.tally.equal(self.client.get(path)["status"], "void", "the event is void")
        self.tally.equal(self.reading(subject), before - 1, "the reading fell by one")

        def is_adjusted():
            return self.client.get(
                "/v1/usage-records", meterType="requests", subject=subject, kind="adjustment",
            )["items"]

        check.until(is_adjusted, "the adjustment", 60)
        self.hand.go("r")
        self.hand.fill(self.label("Subject"), subject)
        self.press(self.page.locator("form.toolbar").get_by_role("button", name="Filter"))
        self.shown("records")
        with self.page.expect_navigation():
            self.hand.open_row("adjustment")
        self.shown("adjustment")
        self.hand.go("a")
        self.sees(AUTHOR, "who did it")
        self.sees("sent by a load test", "why")
        self.shown("audit")

    def reading(self, subject):
        answer = self.client.get("/v1/usage", meterType="requests", subject=subject)
        return sum(int(each["value"]) for each in answer["readings"])


class Delivering(Journey):
    """A destination is made, a delivery fails, what was broken is mended, and it is sent again."""

    def walk(self):
        with console_world.Receiver() as receiver:
            self.deliver(receiver, f"billing-{self.hand.name}")

    def deliver(self, receiver, key):
        self.hand.go("d")
        self.press(self.link("Make a destination").or_(self.link("Make one")).first)
        self.hand.fill(self.label("Key"), key)
        self.hand.fill(self.label("Address"), receiver.url)
        self.hand.choose(self.label("Begins with"), "All records that there are")
        self.hand.fill(self.label("Only meter types"), "tokens-in")
        self.hand.fill(self.label("Attempts, at most"), "1")
        self.shown("form")
        self.press(self.button("Make it"))
        self.sees("The destination is there", "it is made")

        def has_failed():
            return self.client.get("/v1/deliveries", destination=key, state="failed")["items"]

        check.until(has_failed, "a delivery fails", 60)
        self.page.reload()
        self.shown("failing")
        self.press(self.link("Its deliveries").or_(self.link("Deliveries")).first)
        with self.page.expect_navigation():
            self.hand.open_row("failed")
        self.sees("What came back", "the attempt")
        self.sees("500", "its status")
        self.sees("webhook-signature", "what was sent, with its headers")
        self.sees("These are the bytes of the last try", "the body is what was sent")
        self.shown("failed")
        receiver.is_mended = True
        self.press(self.button("Send it again"))

        def is_delivered():
            return self.client.get("/v1/deliveries", destination=key, state="delivered")["items"]

        check.until(is_delivered, "it is delivered", 60)
        self.tally.check(receiver.taken > 0, "the receiver took it")
        self.page.reload()
        self.sees("delivered", "the page says so")
        self.shown("delivered")


class Following(Journey):
    """A subject is looked up, and its reading followed by a bar of the chart to one event."""

    def walk(self):
        subject = console_world.SUBJECT
        with self.page.expect_navigation(url=re.compile("/console/(meters|customers|events)")):
            self.hand.find(subject)
        if "/console/meters/" not in self.page.url:
            self.press(self.page.locator('main a[href^="/console/meters/"]').first)
        self.sees("This period", "the meter")
        self.shown("meter")
        self.hand.fill(self.label("From"), "2015-05-17T00:00:00Z")
        self.hand.fill(self.label("To"), "2015-05-21T00:00:00Z")
        self.press(self.page.locator("form.toolbar").get_by_role("button", name="Show"))
        day = self.page.locator(".segments").get_by_role("link", name="Day")
        if day.get_attribute("aria-current") is None:
            self.press(day)
        chart = self.page.get_by_role("slider")
        chart.wait_for()
        self.shown("chart")
        with self.page.expect_navigation():
            self.hand.open_bar(chart, 1)
        self.sees(subject, "the events of the bar")
        self.shown("events")
        with self.page.expect_navigation():
            self.hand.open_row("apache_logs:")
        self.sees("Who counted it", "the explanation")
        self.shown("event")


class Moving(Journey):
    """What works everywhere: keys, the palette, copying in full, times with their zones."""

    def walk(self):
        if self.hand.name == "mouse":
            return
        press, page = self.page.keyboard.press, self.page
        focused = "document.activeElement.id || document.activeElement.tagName"
        page.goto(self.browser.origin + "/console/meters")
        press("Tab")
        self.tally.equal(page.evaluate(focused), "A", "the first stop is the link past the head")
        press("Enter")
        self.tally.equal(page.evaluate(focused), "main", "it leads to the page")
        press("/")
        self.tally.equal(page.evaluate(focused), "search", "/ is the search")
        press("Escape")
        press("f")
        self.tally.equal(page.evaluate(focused), "q", "f is the filter")
        page.keyboard.insert_text(console_world.SUBJECT)
        page.wait_for_url(re.compile("q=" + re.escape(console_world.SUBJECT)))
        rows = page.locator("main tr[data-href]")
        rows.filter(has_text=console_world.SUBJECT).first.wait_for()
        page.wait_for_function(
            f"![...document.querySelectorAll('main tr[data-href]')]"
            f".some(each => !each.textContent.includes('{console_world.SUBJECT}'))"
        )
        self.tally.equal(page.evaluate(focused), "q", "the field keeps the focus")
        press("Escape")
        press("j")
        self.tally.equal(page.evaluate(focused), "TR", "j is the first row")
        press("?")
        page.locator("#keys").wait_for()
        self.browser.judge(page, "the keys")
        press("Escape")
        press("Control+k")
        page.locator("dialog.palette[open]").wait_for()
        page.keyboard.insert_text("met")
        page.wait_for_timeout(400)
        self.browser.judge(page, "the palette")
        self.shown_once("palette")
        press("Escape")
        tokens = self.client.get("/v1/usage", meterType="tokens-in", subject="conv-service")
        meter = page.evaluate("fetch('/console/search?q=conv-service').then(each => each.json())")
        link = next(each["href"] for each in meter["items"] if "/meters/" in each["href"])
        page.goto(self.browser.origin + link + "?from=2023-11-01T00:00:00Z&to=2023-12-01T00:00:00Z")
        value = tokens["readings"][0]["value"]
        number = page.locator(f'main h2 data.q[value="{value}"]').first
        number.wait_for()
        self.tally.check(number.inner_text() != value or len(value) < 4, "it is shown for reading")
        number.evaluate("each => getSelection().selectAllChildren(each)")
        press("Control+c")
        copied = page.evaluate("navigator.clipboard.readText()")
        self.tally.equal(copied, value, "it is copied in full")

    def shown_once(self, what):
        path = f"{self.browser.pictures}/{self.name}-{what}.png"
        self.page.screenshot(path=path)


ALL = [Defining, Following, Repairing, Voiding, Delivering, Moving]
