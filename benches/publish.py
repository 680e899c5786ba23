#!/usr/bin/env python3
"""Measures what publishing costs a pipeline, what a broker that stalls does to it, and how soon MPD plays what a mood asks for.

usage: benches/publish.py [--rounds N] [--stall SECONDS]     after make build; with mosquitto and mpd installed

- Cost: 500 frames a second with one face give 1,000 publications a second, for the broker mosquitto on this machine. CPU time of the
  thread that the frames pass and of the whole process, with emotionpublish and with identity in its place, in alternation. The
  share of the thread is the share of a frame's time at any frame rate.
- Stall: mosquitto is stopped (SIGSTOP) while 30 frames a second are published; the longest times between two frames, against the
  same time before and against a branch without emotionpublish, which the machine's load delays as much; and the memory.
- MPD: a mood is given by hand to `gst-mood follow --player`; the sound comes from MPD's fifo output, and each mood has a tone of its
  own. From the line on standard input until the new tone is heard; the fades are in it.
"""

import argparse
import math
import os
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import tempfile
import threading
import time
import wave
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst

ROOT = Path(__file__).resolve().parent.parent
GST_MOOD = ROOT / "target/release/gst-mood"
os.environ["PATH"] += ":/usr/sbin:/usr/local/sbin"
TONES = {"happy": 880, "sad": 220}
RATE = 44_100


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Broker:
    def __init__(self, folder):
        self.port = free_port()
        config = folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n")
        self.process = subprocess.Popen(["mosquitto", "-c", config], stderr=subprocess.DEVNULL)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.05)


def draw_face(folder):
    """A photo with a face: the demo's actor, or a frame of the test media."""
    data = Path(os.environ.get("MOOD_TEST_DATA", ROOT / "../shared/data"))
    clip = data / "video/single_face.mp4"
    if not clip.exists():
        clip = ROOT / "target/demo/material/actor.mp4"
    photo = folder / "face.png"
    subprocess.run(["ffmpeg", "-v", "error", "-i", clip, "-frames:v", "1", "-vf", "scale=320:180", photo], check=True)
    return photo


def cpu_seconds():
    """CPU time of each thread of this process, by name, s."""
    ticks, times = os.sysconf("SC_CLK_TCK"), {}
    for task in Path("/proc/self/task").iterdir():
        try:
            name, rest = (task / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
            user, system = rest.split()[11:13]
            # Finer than ticks.
            nanoseconds = int((task / "schedstat").read_text().split()[0])
            times[name] = times.get(name, 0) + (nanoseconds / 1e9 or (int(user) + int(system)) / ticks)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return times


def run_pipeline(photo, rate, seconds, element, during=None):
    """CPU seconds by thread, the times of the frames behind the element and, with `during`, of those in another branch, and the
    element's statistics, of a live pipeline."""
    tee, control = ("tee name=tee ! ", " tee. ! queue ! fakesink name=control") if during else ("", "")
    pipeline = Gst.parse_launch(
        f"filesrc location={photo} ! pngdec ! videoconvert ! video/x-raw,format=GRAY8 ! imagefreeze name=camera is-live=true "
        f"num-buffers={int(rate * (seconds + 2))} ! video/x-raw,framerate={rate}/1 ! haarfacedetect threads=1 roll-range=0 "
        f"scan-interval=3600000000000 follow=0 ! emotionclassify interval=3600000000000 ! {tee}queue name=frames ! "
        f"{element} name=measured ! fakesink name=sink{control}"
    )
    times, control_times = [], []
    for name, noted in (("sink", times), ("control", control_times)):
        if sink := pipeline.get_by_name(name):
            note = lambda _pad, _info, noted=noted: noted.append(time.monotonic()) or Gst.PadProbeReturn.OK
            sink.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, note)
    pipeline.set_state(Gst.State.PLAYING)
    while not times:
        time.sleep(0.05)
    # Until the face is found and classified once.
    time.sleep(1)
    before, begin, first = cpu_seconds(), time.monotonic(), len(times)
    if during:
        during()
    time.sleep(max(0, begin + seconds - time.monotonic()))
    after, count = cpu_seconds(), len(times) - first
    measured = pipeline.get_by_name("measured")
    statistics_ = measured.get_property("stats").to_string() if measured.find_property("stats") and element != "identity" else ""
    pipeline.set_state(Gst.State.NULL)
    cpu = {name: (value - before.get(name, 0)) / (time.monotonic() - begin) for name, value in after.items()}
    return cpu, times[first:first + count], control_times[first:], statistics_


def measure_cost(photo, broker, rounds):
    publish = f"emotionpublish interval=0 queue-size=4096 uri=mqtt://127.0.0.1:{broker.port}/bench"
    rows = {"identity": [], publish: []}
    for _ in range(rounds):
        for element in rows:
            cpu, _, _, stats = run_pipeline(photo, 500, 10, element)
            thread = sum(value for name, value in cpu.items() if name.startswith("frames"))
            rows[element].append((thread, sum(cpu.values())))
            if stats:
                print(f"  {stats}")
    median = lambda element, index: statistics.median(row[index] for row in rows[element])
    for index, name in enumerate(["the frames' thread", "the whole process"]):
        plain, published = median("identity", index), median(publish, index)
        print(f"{name}: {100 * plain:.2f} % of one core without, {100 * published:.2f} % with: "
              f"1,000 publications a second take {100 * (published - plain):.2f} %")


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure_stall(photo, broker, seconds):
    element = f"emotionpublish interval=0 uri=mqtt://127.0.0.1:{broker.port}/bench"
    memory = []

    def stall():
        memory.append(resident())
        time.sleep(seconds)
        stalled_at.append(time.monotonic())
        broker.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        memory.append(resident())
        broker.process.send_signal(signal.SIGCONT)

    stalled_at = []
    _, times, control, stats = run_pipeline(photo, 30, 2 * seconds + 5, element, stall)
    for branch, times in (("with emotionpublish", times), ("without", control)):
        gaps = {True: [], False: []}
        for one, other in zip(times, times[1:]):
            gaps[one > stalled_at[0]].append(1000 * (other - one))
        for name, stalled in (("before", False), ("while it stalls", True)):
            longest = sorted(gaps[stalled])[-3:]
            print(f"{branch}, {name}: {len(gaps[stalled])} frames, the longest times between two "
                  f"{longest[2]:.0f}, {longest[1]:.0f}, {longest[0]:.0f} ms")
    print(f"memory {memory[0]:.1f} MB, after {seconds} s of stalling {memory[1]:.1f} MB; {stats}")


class Mpd:
    def __init__(self, folder, music):
        self.fifo, self.socket = folder / "sound", folder / "socket"
        os.mkfifo(self.fifo)
        (folder / "mpd.conf").write_text(
            f'music_directory "{music}"\ndb_file "{folder}/db"\nbind_to_address "{self.socket}"\n'
            f'audio_output {{\n type "fifo"\n name "fifo"\n path "{self.fifo}"\n format "{RATE}:16:1"\n mixer_type "software"\n}}\n'
        )
        self.process = subprocess.Popen(["mpd", "--no-daemon", folder / "mpd.conf"], stderr=subprocess.DEVNULL)
        self.heard = (None, 0.0)
        threading.Thread(target=self.listen, daemon=True).start()
        while "songs: 2" not in self.ask("stats"):
            self.ask("update")
            time.sleep(0.2)

    def ask(self, line):
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(self.socket))
                connection.sendall(f"{line}\nclose\n".encode())
                return b"".join(iter(lambda: connection.recv(4096), b"")).decode()
        except OSError:
            return ""

    def listen(self):
        """Remembers which tone sounds, and since when: by zero crossings in 20 ms."""
        count = RATE // 50
        with open(self.fifo, "rb") as fifo:
            while block := fifo.read(2 * count):
                samples = struct.unpack(f"<{len(block) // 2}h", block)
                if max(map(abs, samples)) < 300:
                    continue
                crossings = sum(a < 0 <= b for a, b in zip(samples, samples[1:]))
                hertz = crossings * RATE / len(samples)
                tone = min(TONES, key=lambda name: abs(TONES[name] - hertz))
                if tone != self.heard[0]:
                    self.heard = (tone, time.monotonic())


def measure_mpd(folder, changes):
    music = folder / "music"
    music.mkdir()
    for mood, hertz in TONES.items():
        with wave.open(str(music / f"{mood}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", None))
            file.writeframes(b"".join(
                struct.pack("<h", int(9000 * math.sin(math.tau * hertz * n / RATE))) for n in range(RATE * 120)))
        (music / f"{mood}.wav.mood").write_text(mood)
    mpd = Mpd(folder, music)
    follow = subprocess.Popen(
        [GST_MOOD, "follow", "-", "--no-mpris", "--min-dwell", "0", "--library", music, "--player", f"mpd://{mpd.socket}"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    delays = []
    for number in range(changes + 1):
        mood = list(TONES)[number % 2]
        begin = time.monotonic()
        follow.stdin.write(f"{mood}\n")
        follow.stdin.flush()
        while mpd.heard[0] != mood:
            assert time.monotonic() < begin + 60, "the tone does not come"
            time.sleep(0.005)
        # The first start includes the analysis of the track.
        if number:
            delays.append(mpd.heard[1] - begin)
        time.sleep(3)
    follow.stdin.close()
    follow.wait()
    mpd.process.kill()
    print(f"{changes} changes: the new tone is heard after {statistics.median(delays):.2f} s (median), "
          f"{min(delays):.2f} to {max(delays):.2f} s; the fade-out of 0.4 s is in it")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stall", type=int, default=60)
    options = parser.parse_args()
    for program in ("mosquitto", "mpd"):
        assert shutil.which(program), f"no {program}: make setup installs it"
    os.environ["GST_PLUGIN_PATH"] = str(ROOT / "target/release")
    Gst.init(None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = draw_face(folder)
        broker = Broker(folder)
        try:
            print("1,000 publications a second on loopback:")
            measure_cost(photo, broker, options.rounds)
            print(f"\nThe broker stalls for {options.stall} s, 30 frames a second:")
            measure_stall(photo, broker, options.stall)
        finally:
            broker.process.kill()
        print("\nFrom a mood to the sound of MPD:")
        measure_mpd(folder, 6)


if __name__ == "__main__":
    main()
