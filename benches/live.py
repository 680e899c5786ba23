#!/usr/bin/env python3
"""Measures a live session at 1280x720 and 30 frames a second: how long a frame takes from the camera to its face on the panel
and to the window, and where the processor's time goes.

usage: benches/live.py FRAMES.yuv [--seconds N]     after make build; I420 frames of a face, 1280x720

The camera is another process: this one, which writes frames into shared memory. Each frame carries its number as 16 black and
white squares, by which it is recognised where the window would show it. An event of the panel belongs to the frame of the record
with the same box of the largest face, and the frames of the record to those of the window, which has all of them. The window is
a file, so that what a display costs is not in it. Latencies are meaningful on an otherwise idle machine only; CPU time also on
a busy one.
"""

import argparse
import http.client
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst

GST_MOOD = Path(__file__).resolve().parent.parent / "target/release/gst-mood"
WIDTH, HEIGHT, RATE = 1280, 720, 30
FRAME_SIZE = WIDTH * HEIGHT * 3 // 2
CAPS = f"video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate={RATE}/1"
# The number of a frame: bits in squares of this many pixels.
BITS, SQUARE = 16, 16
# What the threads do, by the beginning of the name that GStreamer gives them after the pad that they push from.
WORK = [
    ("camera", "camera: copies frames from shared memory, and for the record encodes them with x264enc"),
    ("analyse", "haarfacedetect, emotionclassify, emotionlog, emotionoverlay"),
    ("show", "conversion for the window, and the file in its place"),
    ("listen", "moodplayer's mood pad"),
    ("player", "moodplayer: mixes"),
    ("sound", "the sound output"),
    ("panel", "the panel"),
    ("gst-mood", "the session's thread"),
]


class Camera:
    """Writes frames into shared memory at their times, and notes when."""

    def __init__(self, frames, socket):
        data = Path(frames).read_bytes()
        count = len(data) // FRAME_SIZE
        pictures = [data[index * FRAME_SIZE:(index + 1) * FRAME_SIZE] for index in range(min(count, 90))]
        # Forth and back, so that nothing jumps where it begins anew.
        self.pictures = pictures + pictures[-2:0:-1]
        self.pipeline = Gst.parse_launch(
            f"appsrc name=in is-live=true format=time caps={CAPS} block=true max-bytes={2 * FRAME_SIZE} "
            f"! shmsink socket-path={socket} shm-size={16 * FRAME_SIZE} wait-for-connection=false sync=false")
        self.source = self.pipeline.get_by_name("in")
        self.pipeline.set_state(Gst.State.PLAYING)
        self.sent, self.is_running = {}, True
        threading.Thread(target=self.run, daemon=True).start()

    def picture(self, number):
        planes = bytearray(self.pictures[number % len(self.pictures)])
        for bit in range(BITS):
            value = b"\xeb" if number >> bit & 1 else b"\x10"
            for row in range(SQUARE):
                start = row * WIDTH + bit * SQUARE
                planes[start:start + SQUARE] = value * SQUARE
        return bytes(planes)

    def run(self):
        begin = time.monotonic()
        number = 0
        while self.is_running:
            number += 1
            picture = self.picture(number)
            time.sleep(max(begin + number / RATE - time.monotonic(), 0))
            self.sent[number] = time.monotonic()
            buffer = Gst.Buffer.new_wrapped(picture)
            buffer.pts = number * Gst.SECOND // RATE
            self.source.emit("push-buffer", buffer)

    def stop(self):
        self.is_running = False
        self.pipeline.set_state(Gst.State.NULL)


def watch_window(fifo, shown):
    """Notes when each frame comes out of the pipe, which has the row of squares of each, 8 bits a pixel."""
    size = BITS * SQUARE * SQUARE
    with open(fifo, "rb") as pipe:
        while len(row := pipe.read(size)) == size:
            middle = [row[SQUARE // 2 * BITS * SQUARE + bit * SQUARE + SQUARE // 2] for bit in range(BITS)]
            number = sum(1 << bit for bit, value in enumerate(middle) if value > 128)
            shown.setdefault(number, time.monotonic())


def watch_panel(link, events):
    """Notes when each event with faces arrives, and the box of the largest face."""
    host, path = re.match(r"http://([^/]+)(/\S*)", link).groups()
    connection = http.client.HTTPConnection(host)
    connection.request("GET", path + "events")
    name = None
    try:
        for line in connection.getresponse():
            if line.startswith(b"event: "):
                name = line[7:].strip()
            elif line.startswith(b"data: ") and name == b"faces":
                faces = json.loads(line[6:])
                if faces:
                    events.append((time.monotonic(), tuple(faces[0]["box"])))
    except OSError:
        pass  # The session has ended.


def panel_latencies(camera, shown, events, timeline):
    """How long after a frame the panel had its face, seconds."""
    frames = [json.loads(line) for line in timeline.read_text().splitlines()]
    frames = [frame for frame in frames if frame["type"] == "frame"]
    # The stop may cut off the last ones of the window; if others were missing, it would not be known which is which.
    if not 0 <= len(frames) - len(shown) <= 2:
        sys.exit(f"{len(frames)} frames in the record, {len(shown)} in the window")
    numbers = {}
    for number, frame in zip(sorted(shown), frames):
        if frame["faces"]:
            numbers.setdefault(tuple(frame["faces"][0]["box"]), []).append(number)
    found = []
    for at, box in events:
        # A box that was there before is that of the latest frame that was sent.
        sent = [camera.sent[number] for number in numbers.get(box, []) if camera.sent[number] < at]
        if sent:
            found.append(at - max(sent))
    if len(found) < len(events) // 2:
        sys.exit(f"only {len(found)} of {len(events)} events of the panel are known frames")
    return found


def thread_times(pid):
    """User and system time of the threads by name, seconds."""
    times = defaultdict(float)
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # It has ended.
        times[name] += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return times


def measure(camera, options, folder, library, seconds):
    folder.mkdir()
    fifo = folder / "window"
    os.mkfifo(fifo)
    shown, events = {}, []
    threading.Thread(target=watch_window, args=(fifo, shown), daemon=True).start()
    window = (f"video/x-raw,format=GRAY8 ! videocrop right={WIDTH - BITS * SQUARE} bottom={HEIGHT - SQUARE} "
              f"! filesink sync=SYNC buffer-mode=unbuffered location={fifo}")
    # As a window of the program does.
    window = window.replace("SYNC", "false")
    source = f"shmsrc name=camera is-live=true do-timestamp=true socket-path={camera.socket} ! {CAPS}"
    environment = {**os.environ, "GST_MOOD_DATA": str(folder / "data")}
    process = subprocess.Popen(
        [GST_MOOD, "live", "--no-mpris", "--panel", "--camera", source, "--library", library, "--video-sink", window,
         "--audio-sink", "fakesink sync=true", "-o", folder / "record", *options],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    link = process.stdout.readline().split()[1]
    threading.Thread(target=process.stdout.read, daemon=True).start()
    threading.Thread(target=watch_panel, args=(link, events), daemon=True).start()
    # What is loaded at the start is not measured.
    time.sleep(5)
    since, before, first = time.monotonic(), thread_times(process.pid), max(camera.sent)
    time.sleep(seconds)
    elapsed, after, last = time.monotonic() - since, thread_times(process.pid), max(camera.sent)
    process.send_signal(signal.SIGINT)
    if process.wait(60):
        sys.exit("the session has failed")
    used = {name: (time - before.get(name, 0)) / elapsed for name, time in after.items()}
    window_latencies = [at - camera.sent[number] for number, at in shown.items() if since < at < since + elapsed]
    frames = sum(first < number <= last for number in shown)
    measured = [event for event in events if since < event[0] < since + elapsed]
    panel = panel_latencies(camera, shown, measured, folder / "record/timeline.jsonl")
    return used, window_latencies, panel, frames / (last - first)


def milliseconds(values):
    if not values:
        return "none measured"
    values = sorted(1000 * value for value in values)
    return f"median {statistics.median(values):4.0f} ms, 95 % {values[len(values) * 95 // 100]:4.0f} ms ({len(values)} measured)"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("frames")
    parser.add_argument("--seconds", type=float, default=30)
    arguments = parser.parse_args()
    Gst.init(None)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        library = folder / "music"
        library.mkdir()
        for frequency, mood in [(880, "happy"), (440, "neutral"), (220, "sad")]:
            path = library / f"{mood}.wav"
            subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"sine={frequency}:d=60", path], check=True)
            Path(f"{path}.mood").write_text(mood)
        camera = Camera(arguments.frames, folder / "camera")
        camera.socket = folder / "camera"
        record = ["--record-video", "--client", "bench", "--consent", "bench, 3 May 2026",
                  "--microphone", "audiotestsrc is-live=true volume=0.1"]
        for name, options in [("window, panel, record", []), ("the same with picture and sound", record)]:
            used, window, panel, share = measure(
                camera, options, folder / name.replace(" ", "-").replace(",", ""), library, arguments.seconds)
            print(f"{name}: {100 * sum(used.values()):.0f} % of a core; {100 * share:.0f} % of the frames shown")
            print(f"  camera to window  {milliseconds(window)}")
            print(f"  camera to panel   {milliseconds(panel)}")
            work = defaultdict(float)
            for thread, time_used in used.items():
                known = next((words for prefix, words in WORK if thread.startswith(prefix)), f"other: {thread}")
                work[known] += time_used
            for words, time_used in sorted(work.items(), key=lambda item: -item[1]):
                if time_used >= 0.002:
                    print(f"  {100 * time_used:5.1f} %  {words}")
        camera.stop()


if __name__ == "__main__":
    main()
