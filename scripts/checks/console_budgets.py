"""What the Console may cost: bytes of the first page and of all script, and nothing from elsewhere;
and every page of the navigation as it stands, held against axe."""

import http.client
import re

FIRST_PAGE_BYTES_MAX = 60 * 1024
SCRIPT_BYTES_MAX = 20 * 1024
STYLE_BYTES_MAX = 14 * 1024


def pages(browser, tally, prefix):
    """Every page that the side leads to, and the forms that make things; how many."""
    page = browser.page()
    page.goto(browser.origin + "/console")
    links = page.evaluate(
        "[...document.querySelectorAll('nav.side a[href]')].map(each => each.pathname)"
    )
    links += [
        "/console/meter-types/new", "/console/meters/new", "/console/corrections/new",
        "/console/search-page?q=a",
    ]
    for link in dict.fromkeys(links):
        answer = page.goto(browser.origin + link)
        tally.equal(answer.status, 200, f"{link} answers")
        tally.check(page.title().endswith("· Odometer"), f"{link} has a title", page.title())
        tally.equal(page.locator("h1").count(), 1, f"{link} has one h1")
        name = re.sub(r"\W+", "-", link.split("?")[0].removeprefix("/console")).strip("-")
        browser.shown(page, f"{prefix}{name or 'overview'}")
    page.context.close()
    return len(links)


def first_page(server, browser, tally):
    """The first page with all it loads, and all script there is, as sent to a browser."""
    before = len(browser.requested)
    page = browser.page()
    page.goto(browser.origin + "/console", wait_until="load")
    page.wait_for_timeout(500)
    page.keyboard.press("Control+k")
    page.locator("dialog[open]").wait_for()
    loaded = {each for each in browser.requested[before:] if "/console/live" not in each}
    page.context.close()
    sizes = {each: packed(server.port, each) for each in loaded}
    whole = sum(size for size, _ in sizes.values())
    tally.check(whole < FIRST_PAGE_BYTES_MAX, "the first page is within its budget", whole, sizes)
    # All modules: those loaded, and those that they name.
    waiting = [each for each in loaded if each.endswith(".js")]
    scripts = {}
    while waiting:
        address = waiting.pop()
        if address in scripts:
            continue
        scripts[address], text = packed(server.port, address)
        folder = address.rsplit("/", 1)[0]
        waiting += [f"{folder}/{name}" for name in re.findall(r'"\./([\w.-]+\.js)"', text)]
    script = sum(scripts.values())
    tally.check(len(scripts) >= 10, "the modules name one another", sorted(scripts))
    tally.check(script < SCRIPT_BYTES_MAX, "all script is within its budget", script, scripts)
    for address, (size, _) in sizes.items():
        if address.endswith(".css"):
            tally.check(size < STYLE_BYTES_MAX, "the style sheet is within its budget", size)
    return f"first page {whole:,} bytes, all script {script:,} bytes"


def packed(port, address):
    """(bytes of the body as packed, text) of an address; its headers are held against the rules."""
    import gzip

    path = "/" + address.split("/", 3)[3]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    is_packed = answer.headers.get("Content-Encoding") == "gzip"
    return len(body), (gzip.decompress(body) if is_packed else body).decode(errors="replace")
