"""Uses pages in headless Chromium: opens, hovers, clicks, zooms, presses keys, picks a film, prints. Prints as JSON what it
observed, by the name of each page's folder.

usage: browser.py CHROMIUM CLIP NAMES FOLDER     all FOLDER/*/*.html; screenshots go beside each; CLIP, a video or "", is picked
                                                 where a page has no film; NAMES, with commas, are those of the folders whose
                                                 pages axe checks, light and dark, which takes most of the time
"""

import json
import sys
import time
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

chromium, clip, checked, folder = sys.argv[1], sys.argv[2], sys.argv[3].split(","), Path(sys.argv[4]).resolve()

DESKTOP = {"width": 1100, "height": 900}


def wait_until(page, condition):
    """Polls from outside: Playwright's own waiting evaluates code in the page, which its security policy forbids."""
    end = time.monotonic() + 60
    while not page.evaluate(condition):
        if time.monotonic() > end:
            raise TimeoutError(condition)
        page.wait_for_timeout(10)


def film_is_visible(page):
    """Whether at least 40 pixels of the film's height are in the window."""
    return page.evaluate(
        "(() => { const film = document.querySelector('video').getBoundingClientRect();"
        " return Math.min(film.bottom, innerHeight) - Math.max(film.top, 0) >= 40; })()"
    )


def use_session(page, found):
    """Uses the chart and the film of a session's page."""
    moment = lambda: page.inner_text("#moment")
    video = lambda what: page.evaluate(f"document.querySelector('video').{what}")
    found["at first"] = moment()
    found["film at first"] = page.is_visible("video")
    if not found["film at first"] and clip:
        page.set_input_files("#recording", clip)
    has_film = found["film at first"] or bool(clip)
    if has_film:
        wait_until(page, "document.querySelector('video').readyState > 2")
        found["cues"] = video("textTracks[0].cues.length")
        found["subtitles"] = video("textTracks[0].mode")
    canvas = page.query_selector("#picture canvas")

    def place(share):
        """A place in the plot, which is 66 pixels from the left and 8 from the right, by its share of the width."""
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        return box["x"] + 66 + (box["width"] - 74) * share, box["y"] + box["height"] / 4

    page.mouse.move(*place(0.5))
    found["hover"] = moment()
    page.mouse.click(*place(0.5))
    page.mouse.move(2, 2)
    found["after the click"] = moment()
    if has_film:
        wait_until(page, "!document.querySelector('video').seeking")
        found["film"] = [video("currentTime"), video("duration")]
    page.click("[data-zoom=in]")
    page.click("[data-zoom=in]")
    found["zoomed"] = page.inner_text("#shown-part")
    found["zoomed hover"] = []
    for share in (0, 0.999):
        page.mouse.move(*place(share))
        found["zoomed hover"].append(moment().split("\n")[0])
    page.mouse.move(2, 2)
    page.click("[data-zoom=all]")
    buttons = page.query_selector_all("button[data-at]:visible")
    if buttons:
        buttons[-1].click()
        found["row"] = [float(buttons[-1].get_attribute("data-at")), moment().split("\n")[0]]
        if has_film:
            wait_until(page, "!document.querySelector('video').seeking")
            found["row film"] = video("currentTime")
            found["film stays"] = film_is_visible(page)
    fold = page.query_selector(".fold")
    if fold:
        rows = lambda: len([row for row in fold.query_selector_all("tbody tr") if row.is_visible()])
        found["folded"] = [rows()]
        fold.query_selector("button.more").click()
        found["folded"].append(rows())
    faces = page.query_selector("#faces")
    if faces and faces.is_visible():
        faces.click()
        wait_until(page, "document.getElementById('faces').hidden")
        found["faces"] = len([canvas for canvas in page.query_selector_all("canvas[data-person]") if canvas.is_visible()])
    page.focus("#time")
    page.keyboard.press("Home")
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    if has_film:
        wait_until(page, "!document.querySelector('video').seeking")
    found["keys"] = moment()
    found["spoken"] = page.get_attribute("#time", "aria-valuetext")


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])

    def observe(path):
        found = {"console": [], "requests": [], "axe": [], "overflow": {}}

        def open_page(**options):
            page = browser.new_context(**options).new_page()
            page.on("console", lambda message: found["console"].append(message.text))
            page.on("pageerror", lambda error: found["console"].append(str(error)))
            page.on("request", lambda request: found["requests"].append(request.url))
            start = time.monotonic()
            page.goto(path.as_uri(), wait_until="load")
            found["seconds"] = max(found.get("seconds", 0), time.monotonic() - start)
            return page

        def check_accessibility(page, name):
            violations = Axe().run(page).response["violations"] if path.parent.name in checked else []
            for violation in violations:
                found["axe"].append(f"{name}: {violation['id']}: {[node['target'] for node in violation['nodes']][:3]}")

        def overflow(page):
            return page.evaluate("document.documentElement.scrollWidth - innerWidth")

        page = open_page(viewport={"width": 390, "height": 800}, device_scale_factor=2)
        page.screenshot(path=path.parent / "phone.png")
        found["overflow"]["phone"] = overflow(page)
        if page.query_selector("video") and page.is_visible("video"):
            page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
            found["phone film"] = film_is_visible(page)
        page = open_page(viewport=DESKTOP)
        # Opening a page takes longer than to give it other colours.
        for name in ("dark", "light"):
            page.emulate_media(color_scheme=name)
            page.screenshot(path=path.parent / f"{name}.png", full_page=name == "light")
            found["overflow"][name] = overflow(page)
            check_accessibility(page, name)
        # Tables beside the film fit without being moved, also in windows that are hardly wide enough for both.
        for width in (1024, 1240, 1260):
            page.set_viewport_size({"width": width, "height": 900})
            found["overflow"][f"table at {width}"] = page.evaluate(
                "Math.max(0, ...[...document.querySelectorAll('.scroll:has(table)')].map((box) => box.scrollWidth - box.clientWidth))"
            )
        page.set_viewport_size(DESKTOP)
        if page.query_selector("#picture canvas"):
            use_session(page, found)
        found["text"] = page.inner_text("body")
        page.emulate_media(media="print", color_scheme="light")
        found["print text"] = page.inner_text("body")
        # Chromium writes this object for every page of a PDF.
        found["printed"] = page.pdf(path=path.parent / "print.pdf", format="A4").count(b"/Type /Page\n")
        for context in browser.contexts:
            context.close()
        return found

    observed = {path.parent.name: observe(path) for path in sorted(folder.glob("*/*.html"))}
    browser.close()

json.dump(observed, sys.stdout)
