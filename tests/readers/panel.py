"""Uses the panel of a running session in headless Chromium: every control, two pages, a network that drops, a reload, the
client's screen. Prints as JSON what it observed; a step that has no effect within a minute ends it with an error.

usage: panel.py CHROMIUM FOLDER LINKS     LINKS is a file with the two links; screenshots go to FOLDER
"""

import json
import re
import socket
import sys
import threading
import time
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

chromium, folder = sys.argv[1], Path(sys.argv[2])
panel, screen = re.findall(r"http://\S+", Path(sys.argv[3]).read_text())
address = re.search(r"//([^/]+)/", panel).group(1)
found = {"console": [], "requests": [], "axe": [], "overflow": {}, "small": []}


class Network:
    """A way to the server that can be cut. The server wants its own address in `Host` and `Origin`, so that is put in."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.own = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.is_cut, self.connections = False, set()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            if self.is_cut:
                client.close()
                continue
            server = socket.create_connection(address.split(":"))
            self.connections |= {client, server}
            for pair in [(client, server), (server, client)]:
                threading.Thread(target=self.copy, args=pair, daemon=True).start()

    def copy(self, source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data.replace(self.own.encode(), address.encode()))
        except OSError:
            pass
        for end in (source, sink):
            end.close()

    def cut(self):
        self.is_cut = True
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def wait_until(page, condition):
    """Polls from outside: Playwright's own waiting evaluates code in the page, which its security policy forbids."""
    end = time.monotonic() + 60
    while not page.evaluate(condition):
        if time.monotonic() > end:
            page.screenshot(path=folder / "failed.png", full_page=True)
            raise TimeoutError(condition + "\n" + page.inner_text("body"))
        page.wait_for_timeout(30)


def text(page, name):
    return page.evaluate(f"document.getElementById('{name}').textContent")


def wait_for_text(page, name, pattern):
    wait_until(page, f"/{pattern}/.test(document.getElementById('{name}').textContent)")


def wait_for_press(page, selector, is_pressed=True):
    state = str(is_pressed).lower()
    wait_until(page, f"document.querySelector({json.dumps(selector)}).getAttribute('aria-pressed') === '{state}'")


def click_plane(page, valence, arousal):
    """Clicks a point of the plane, once it has stopped moving: the button that a press has just focused scrolls the page."""
    box, last = page.locator("#plane").bounding_box(), None
    while box != last:
        page.wait_for_timeout(100)
        box, last = page.locator("#plane").bounding_box(), box
    x, y = (valence + 1.03) / 2.06, (1.03 - arousal) / 2.06
    page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)


with sync_playwright() as playwright:
    arguments = ["--no-sandbox", "--disable-gpu"]
    browser = playwright.chromium.launch(executable_path=chromium, args=arguments)

    def open_page(link, browser=browser, **options):
        page = browser.new_context(**options).new_page()
        page.on("console", lambda message: found["console"].append(message.text))
        page.on("pageerror", lambda error: found["console"].append(str(error)))
        page.on("request", lambda request: found["requests"].append(request.url))
        page.goto(link, wait_until="load")
        return page

    network = Network()
    near = open_page(panel, viewport={"width": 1180, "height": 820})
    far = open_page(panel.replace(address, network.own), viewport={"width": 820, "height": 1180})
    wait_for_text(near, "status", "Live")
    wait_until(near, "!document.getElementById('skip').disabled && !!document.querySelector('.face.followed')")
    wait_for_text(near, "mood", "happy")
    wait_for_text(far, "mood", "happy")
    found["first"] = {name: text(near, name) for name in ("mood", "sure", "track", "why", "next", "next-why")}

    # What the one page does, the other shows.
    near.click("#like")
    wait_for_press(far, "#like")
    near.click("#dislike")
    wait_for_press(far, "#dislike")
    near.click("#hold")
    wait_for_press(far, "#hold")
    wait_for_text(far, "held", "hold")
    near.keyboard.press("h")
    wait_for_press(far, "#hold", False)
    before = text(near, "track")
    near.click("#skip")
    wait_until(far, f"document.getElementById('track').textContent !== {json.dumps(before)}")
    second = text(far, "track")
    wait_until(near, "!document.getElementById('previous').disabled")
    near.click("#previous")
    wait_until(far, f"document.getElementById('track').textContent === {json.dumps(before)}")
    near.click("#exclude")
    wait_until(far, f"document.getElementById('track').textContent !== {json.dumps(before)}")
    found["tracks"] = [before, second, text(far, "track")]
    near.focus("#volume")
    near.keyboard.press("Home")
    for _ in range(30):
        near.keyboard.press("ArrowRight")
    wait_for_text(far, "volume-text", "^30 %")
    near.click("#mood")
    near.keyboard.press("+")
    wait_for_text(far, "volume-text", "^35 %")

    near.click("[data-mood=sad]")
    wait_for_text(far, "mood", "sad")
    wait_for_press(far, "[data-mood=sad]")
    near.click("[data-mood='']")
    wait_for_press(far, "[data-mood='']")
    near.click("[data-strategy=target]")
    wait_for_press(far, "[data-strategy=target]")
    near.locator("#plane").scroll_into_view_if_needed()
    click_plane(near, -0.5, 0.7)
    wait_until(far, "document.getElementById('valence').value === '-0.5' && document.getElementById('arousal').value === '0.7'")
    near.focus("#arousal")
    near.keyboard.press("ArrowDown")
    wait_until(far, "document.getElementById('arousal').value === '0.65'")
    # The path is drawn before it begins.
    near.click("[data-strategy=iso]")
    click_plane(near, 0.6, -0.4)
    found["path"] = text(near, "path-text")
    found["steps"] = near.evaluate("document.querySelectorAll('#steps circle').length")
    near.wait_for_timeout(300)
    found["began early"] = far.evaluate("document.querySelector('[data-strategy=iso]').getAttribute('aria-pressed')")
    near.screenshot(path=folder / "path.png")
    near.click("#begin")
    wait_for_press(far, "[data-strategy=iso]")
    wait_until(far, "document.getElementById('valence').value === '0.6' && document.getElementById('arousal').value === '-0.4'")
    near.click("[data-strategy=match]")
    wait_for_press(far, "[data-strategy=match]")
    near.select_option("#limit", "300")
    wait_until(far, "document.getElementById('limit').value === '300'")
    near.click("[data-subject=mean]")
    wait_for_press(far, "[data-subject=mean]")
    near.click(".face")
    wait_for_press(far, ".face")
    near.click("[data-subject=largest]")
    wait_for_press(far, "[data-subject=largest]")

    # Markers.
    near.keyboard.press("1")
    wait_for_text(far, "list", "verbalises")
    near.click("#edit")
    near.fill("#inputs label:nth-child(9) input", "hums <b>")
    near.click("#save")
    wait_for_text(far, "keys", "hums <b>")
    near.keyboard.press("9")
    wait_for_text(far, "list", "hums <b>")
    near.keyboard.press("m")
    near.keyboard.type("looks at the window")
    near.keyboard.press("Enter")
    wait_for_text(far, "list", "looks at the window")
    near.keyboard.press("Escape")
    wait_for_text(far, "undo", "looks at the window")
    found["undo"] = [text(far, "undo")]
    near.keyboard.press("Control+z")
    wait_until(far, "!/window/.test(document.getElementById('list').textContent)")
    far.click("#undo")
    wait_until(near, "!/hums/.test(document.getElementById('list').textContent)")
    wait_for_text(near, "undo", "verbalises")
    found["undo"].append(text(near, "undo"))

    # The picture is there only while it is switched on.
    found["picture at first"] = near.evaluate("document.getElementById('picture').hidden")
    near.click("#show-picture")
    wait_until(far, "document.getElementById('picture').naturalWidth > 100")
    far.click("#show-picture")
    wait_until(near, "document.getElementById('picture').hidden && !document.getElementById('picture').hasAttribute('src')")

    # The client's screen.
    client = open_page(screen)
    wait_until(client, "document.getElementById('title').textContent.length > 1")
    found["screen"] = client.inner_text("body")
    client.screenshot(path=folder / "screen.png")
    near.click("#screen")
    wait_until(client, "document.getElementById('title').textContent === ''")
    client.close()

    # The network drops; what happens meanwhile is there afterwards.
    network.cut()
    wait_for_text(far, "status", "No connection")
    found["lost"] = [text(far, "link"), far.evaluate("document.getElementById('skip').disabled"), text(far, "mood")]
    far.screenshot(path=folder / "lost.png")
    near.keyboard.press("2")
    wait_for_text(near, "list", "plays along")
    network.is_cut = False
    wait_for_text(far, "list", "plays along")
    wait_for_text(far, "status", "Live")

    # A page that is loaded again loses nothing.
    near.reload()
    wait_for_text(near, "status", "Live")
    wait_for_text(near, "list", "verbalises")
    wait_for_text(near, "keys", "hums")
    wait_for_text(near, "volume-text", "^35 %")
    wait_until(near, "document.querySelectorAll('#chart path').length > 10")

    views = {
        "tablet": {"viewport": {"width": 1180, "height": 820}},
        "dark": {"viewport": {"width": 1180, "height": 820}, "color_scheme": "dark"},
        "upright": {"viewport": {"width": 820, "height": 1180}},
        "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
    }
    large = playwright.chromium.launch(
        executable_path=chromium, args=[*arguments, "--blink-settings=defaultFontSize=24"])
    for name, options in [*views.items(), ("large", views["tablet"])]:
        page = open_page(panel, large if name == "large" else browser, **options)
        wait_for_text(page, "status", "Live")
        wait_until(page, "!!document.querySelector('.face') && document.querySelectorAll('#chart path').length > 10")
        page.screenshot(path=folder / f"{name}.png", full_page=True)
        found["overflow"][name] = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        for violation in Axe().run(page).response["violations"]:
            found["axe"].append(f"{name}: {violation['id']}: {[node['target'] for node in violation['nodes']][:3]}")
        found["small"] += page.evaluate(
            """[...document.querySelectorAll('button, input, select')].filter((control) => control.offsetParent)
            .map((control) => [control.id || control.textContent, control.getBoundingClientRect()])
            .filter(([, box]) => box.width < 47.9 || box.height < 47.9).map(([name]) => name)""")
        page.close()
    large.close()

    near.keyboard.press(" ")
    wait_for_text(far, "status", "Paused")
    far.click("#play")
    wait_for_text(near, "status", "Live")
    far.click("#stop")
    wait_for_text(near, "status", "Stopped")
    near.click("#play")
    wait_for_text(far, "status", "Live")
    browser.close()

json.dump(found, sys.stdout)
