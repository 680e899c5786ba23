"""Uses a page in headless Chromium: opens, hovers, presses keys, clicks, prints. Prints as JSON what it observed.

usage: browser.py CHROMIUM FOLDER PAGE     screenshots go to FOLDER
"""

import json
import sys
import time
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

chromium, folder, path = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]).resolve()
found = {"console": [], "requests": [], "axe": [], "overflow": {}}


def wait_until(page, condition):
    """Polls from outside: Playwright's own waiting evaluates code in the page, which its security policy forbids."""
    end = time.monotonic() + 60
    while not page.evaluate(condition):
        if time.monotonic() > end:
            raise TimeoutError(condition)
        page.wait_for_timeout(50)


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])

    def open_page(**options):
        page = browser.new_context(**options).new_page()
        page.on("console", lambda message: found["console"].append(message.text))
        page.on("pageerror", lambda error: found["console"].append(str(error)))
        page.on("request", lambda request: found["requests"].append(request.url))
        start = time.monotonic()
        page.goto(path.as_uri(), wait_until="load")
        found["seconds"] = max(found.get("seconds", 0), time.monotonic() - start)
        return page

    views = {
        "light": {"viewport": {"width": 1100, "height": 900}, "color_scheme": "light"},
        "dark": {"viewport": {"width": 1100, "height": 900}, "color_scheme": "dark"},
        "phone": {"viewport": {"width": 390, "height": 800}, "color_scheme": "light", "device_scale_factor": 2},
    }
    for name, options in views.items():
        page = open_page(**options)
        page.screenshot(path=folder / f"{name}.png", full_page=True)
        found["overflow"][name] = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        for violation in Axe().run(page).response["violations"]:
            found["axe"].append(f"{name}: {violation['id']}: {[node['target'] for node in violation['nodes']][:3]}")

    page = open_page(viewport={"width": 1100, "height": 900})
    if page.query_selector("#picture svg") and page.query_selector("#time"):
        moment = lambda: page.inner_text("#moment")
        found["at first"] = moment()
        if page.query_selector("video"):
            wait_until(page, "document.querySelector('video').readyState > 2")
        page.query_selector("#picture svg").scroll_into_view_if_needed()
        box = page.query_selector("#picture svg").bounding_box()
        middle = (box["x"] + box["width"] * (74 + 988) / 2 / 1000, box["y"] + box["height"] / 4)
        page.mouse.move(*middle)
        found["hover"] = moment()
        if page.query_selector("video"):
            page.mouse.click(*middle)
            wait_until(page, "!document.querySelector('video').seeking")
            found["video"] = page.evaluate("[document.querySelector('video').currentTime, document.querySelector('video').duration]")
        page.focus("#time")
        page.keyboard.press("Home")
        for _ in range(100):
            page.keyboard.press("ArrowRight")
        found["keys"] = moment()
        found["spoken"] = page.get_attribute("#time", "aria-valuetext")
    page.emulate_media(media="print", color_scheme="light")
    page.screenshot(path=folder / "print.png", full_page=True)
    # Chromium writes this object for every page of a PDF.
    found["printed"] = page.pdf(path=folder / "print.pdf", format="A4").count(b"/Type /Page\n")
    found["text"] = page.inner_text("body")
    browser.close()

json.dump(found, sys.stdout)
