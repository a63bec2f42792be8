"""A browser for the check of the Console: Debian's Chromium, driven by Playwright, by a person who
has a mouse, or by one who has only a keyboard; and what every page is held against.

The libraries come from PyPI into a virtual environment under .build, at the versions and hashes of
console-requirements.txt. A check calls `enter()` first, and goes on within it.
"""

import os
import re
import shutil
import subprocess
import sys
import venv

import odometer_check as check

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(check.ROOT, ".build", "console-check")
SCHEMES = ("light", "dark")
WIDTHS = (1280, 390)
SECONDS_MAX = 15
TABS_MAX = 400


def enter():
    """Goes on in the virtual environment; False where PyPI is not to be had."""
    if os.path.realpath(sys.prefix) == os.path.realpath(FOLDER):
        return True
    requirements = os.path.join(HERE, "console-requirements.txt")
    with open(requirements) as file:
        wanted = file.read()
    mark = os.path.join(FOLDER, "packages")
    if not os.path.exists(mark) or open(mark).read() != wanted:
        venv.create(FOLDER, with_pip=True, clear=True)
        pip = [os.path.join(FOLDER, "bin", "pip"), "install", "--quiet", "--retries", "1"]
        pip += ["--require-hashes", "-r", requirements]
        if subprocess.run(pip, stdout=subprocess.DEVNULL).returncode != 0:
            return False
        with open(mark, "w") as file:
            file.write(wanted)
    sys.stdout.flush()
    python = os.path.join(FOLDER, "bin", "python")
    os.execv(python, [python, *sys.argv])


def chromium():
    """Debian's Chromium; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """The browser, its pictures and what it noticed.

    Every page that is opened is watched: an error of a script, a message of the policy, a dialog
    and a request to another origin are failures, whichever part of the check is running.
    """

    def __init__(self, port, tally, pictures):
        self.origin, self.tally, self.pictures = f"http://127.0.0.1:{port}", tally, pictures
        self.requested = []
        os.makedirs(pictures, exist_ok=True)

    def __enter__(self):
        from axe_playwright_python.sync_playwright import Axe
        from playwright.sync_api import sync_playwright

        self.axe = Axe()
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox"],
        )
        return self

    def __exit__(self, *_):
        self._browser.close()
        self._playwright.stop()

    def page(self, width=1280, scheme="light", **more):
        context = self._browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, locale="en-GB",
            timezone_id="Europe/Berlin", **more,
        )
        context.set_default_timeout(SECONDS_MAX * 1000)
        page = context.new_page()
        page.on("request", self._request)
        page.on("pageerror", lambda fault: self.tally.check(False, f"a script's error: {fault}"))
        page.on("console", self._message)
        page.on("dialog", self._dialog)
        return page

    def _request(self, request):
        self.requested.append(request.url)
        is_ours = request.url.startswith((self.origin + "/", "about:", "blob:" + self.origin))
        self.tally.check(is_ours, f"a request to another origin: {request.url}")

    def _message(self, message):
        if re.search("Content Security Policy|violates|Refused to", message.text):
            self.tally.check(False, f"the policy was broken: {message.text}")

    def _dialog(self, dialog):
        self.tally.check(False, f"a dialog: {dialog.message}")
        dialog.dismiss()

    def shown(self, page, name, is_pictured=True):
        """Holds the page as it stands against axe and its own width, in both schemes and at both
        widths, and takes its picture each time."""
        before = page.viewport_size
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                page.evaluate("scrollTo(0, 0)")
                page.wait_for_timeout(150)
                where = f"{name} at {width} px, {scheme}"
                self.judge(page, where)
                if is_pictured:
                    path = os.path.join(self.pictures, f"{name}-{width}-{scheme}.png")
                    page.screenshot(path=path, full_page=True, animations="disabled")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(before)

    def judge(self, page, where):
        wide = page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        self.tally.check(wide[0] <= wide[1], f"{where}: the page is wider than its window", wide)
        # What is on its way in is half transparent still.
        page.evaluate(
            """Promise.allSettled(document.getAnimations()
                .filter(each => each.effect.getComputedTiming().endTime !== Infinity)
                .map(each => each.finished)).then(() => null)"""
        )
        found = self.axe.run(page).response["violations"]
        details = [
            f"{each['id']}: {each['help']}: {node['html'][:200]} "
            f"{(node.get('any') or node.get('all') or [{}])[0].get('message', '')}"
            for each in found for node in each["nodes"][:3]
        ]
        self.tally.check(not found, f"{where}: axe", *details)


class Mouse:
    """A person who points and clicks, and types only into fields."""

    name = "mouse"

    def __init__(self, page):
        self.page = page

    def press(self, target):
        target.click()

    def fill(self, target, text):
        target.click()
        target.fill(text)

    def choose(self, target, label):
        target.select_option(label=label)

    def open_row(self, text):
        row = self.page.locator("main tr[data-href]").filter(has_text=text).first
        row.locator("td").last.click()

    def open_bar(self, chart, place):
        chart.locator(".hit").nth(place).click()

    def go(self, key):
        self.page.locator(f'nav.side a[data-key="{key}"]').click()

    def find(self, text):
        """By the search of the head, and a click on the first that is found."""
        self.fill(self.page.locator("#search"), text)
        self.page.keyboard.press("Enter")
        self.page.locator("main a", has_text=text).first.click()


class Keyboard:
    """A person without a mouse: the Tab key, Enter, arrows, and the Console's own keys."""

    name = "keyboard"

    def __init__(self, page):
        self.page = page

    def focus(self, target):
        target.wait_for(state="visible")
        element = target.element_handle()
        for _ in range(TABS_MAX):
            if element.evaluate("each => each === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise RuntimeError(f"Tab does not reach {target}")

    def press(self, target):
        kind = target.evaluate("each => each.type || each.tagName")
        if kind == "radio":
            return self._radio(target)
        self.focus(target)
        self.page.keyboard.press("Space" if kind == "checkbox" else "Enter")

    def _radio(self, target):
        # A group has one stop; the arrows move within it.
        name = target.get_attribute("name")
        group = self.page.locator(f'input[type=radio][name="{name}"]')
        first = group.and_(self.page.locator(":checked"))
        self.focus(first if first.count() else group.first)
        for _ in range(group.count()):
            if target.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        raise RuntimeError(f"arrows do not reach {target}")

    def fill(self, target, text):
        self.focus(target)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(text)

    def choose(self, target, label):
        self.focus(target)
        count = target.locator("option").count()
        chosen = "each => each.selectedOptions[0]?.label"
        if target.evaluate(chosen) != label:
            self.page.keyboard.press("Home")
        for _ in range(count):
            if target.evaluate(chosen) == label:
                return
            self.page.keyboard.press("ArrowDown")
        raise RuntimeError(f"arrows do not reach {label}")

    def open_row(self, text):
        self.page.keyboard.press("Escape")
        rows = self.page.locator("main tr[data-href]")
        for _ in range(rows.count() + 1):
            self.page.keyboard.press("j")
            here = self.page.evaluate("document.activeElement.textContent")
            if re.search(text if isinstance(text, re.Pattern) else re.escape(text), here):
                self.page.keyboard.press("Enter")
                return
        raise RuntimeError(f"j does not reach a row with {text}")

    def open_bar(self, chart, place):
        self.focus(chart)
        self.page.keyboard.press("Home")
        for _ in range(place):
            self.page.keyboard.press("ArrowRight")
        self.page.keyboard.press("Enter")

    def go(self, key):
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("g")
        with self.page.expect_navigation():
            self.page.keyboard.press(key)

    def find(self, text):
        """By the palette."""
        self.page.keyboard.press("Control+k")
        self.page.locator("dialog.palette[open]").wait_for()
        self.page.keyboard.insert_text(text)
        self.page.locator("#palette-list .kind", has_not_text="Page").first.wait_for()
        options = self.page.locator("#palette-list [role=option]")
        options.filter(has_text=text).first.wait_for()
        for _ in range(options.count()):
            chosen = self.page.locator("#palette-list [aria-selected=true]")
            if text in chosen.inner_text() and "Page" not in chosen.inner_text():
                break
            self.page.keyboard.press("ArrowDown")
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
