#!/usr/bin/env bash
# Makes the images of README.md from the demo's results: `make demo` first, then scripts/pictures.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
demo=$PWD/target/demo pictures=$PWD/docs/pictures
[ -e "$demo/annotated.mp4" ] || { echo 'pictures: run make demo first' >&2; exit 1; }
mkdir -p "$pictures"

# One frame of each of the four emotions, in a grid.
ffmpeg -v error -y -i "$demo/annotated.mp4" -vf \
    "select='between(t,6.0,6.03)+between(t,16.0,16.03)+between(t,24.0,24.03)+between(t,33.5,33.53)',tile=2x2" \
    -frames:v 1 "$pictures/overlay.png"

profile=$(mktemp -d)
trap 'rm -r "$profile"' EXIT
chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$profile" \
    --window-size=1400,1000 --screenshot="$pictures/report.png" "file://$demo/report.html" 2>/dev/null

# The demo's music in the mood plane: with mood tags, and without any.
plane=$(mktemp -d)
trap 'rm -r "$profile" "$plane"' EXIT
mkdir "$plane/untagged"
for piece in "$demo"/material/music/*.flac; do
    ffmpeg -v error -i "$piece" -map_metadata -1 -c copy "$plane/untagged/$(basename "$piece")"
done
target/release/gst-mood library scan "$demo/material/music" "$plane/untagged" --library "$plane/library.db"
target/release/gst-mood library list --library "$plane/library.db" --plot "$pictures/plane.svg"

# The panel, half a minute into a live session with the demo's actor and music.
target/release/gst-mood live --panel --no-window --no-mpris --camera "$demo/material/actor.mp4" \
    --audio-sink 'fakesink sync=true' --library "$demo/material/music" --min-dwell 8 >"$profile/links" &
live=$!
trap 'kill "$live" 2>/dev/null; rm -r "$profile" "$plane"' EXIT
target/readers/bin/python - "$profile/links" "$pictures/panel.png" <<'PYTHON'
import re, shutil, sys, time
from pathlib import Path
from playwright.sync_api import sync_playwright

links, picture = map(Path, sys.argv[1:])
while not (found := re.search(r"^panel: (\S+)$", links.read_text(), re.MULTILINE)):
    time.sleep(0.1)
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
    page = browser.new_page(viewport={"width": 1180, "height": 980})
    page.goto(found.group(1))
    while page.inner_text("#track") == "silence":
        page.wait_for_timeout(100)
    for key in "12":
        page.wait_for_timeout(7_000)
        page.keyboard.press(key)
    page.wait_for_timeout(5_000)
    page.screenshot(path=picture)
PYTHON
# The film may have ended by itself.
kill -INT "$live" 2>/dev/null || true
wait "$live" || true
