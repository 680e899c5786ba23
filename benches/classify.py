"""What emotionclassify costs inside a media process, on the same decoded I420 frames.

    python3 benches/classify.py [--rounds N] FRAMES.yuv WIDTH HEIGHT

CPU seconds of haarfacedetect alone, with emotionclassify behind it, and with interval=500 ms; how long after PLAYING the
first emotion is known; the CPU that a paused pipeline takes, and the threads that the classifier adds. Medians over the
rounds. Needs python3-gi; GST_PLUGIN_PATH must lead to our plugins. What crates/mini-xception takes beside bare ONNX
Runtime is the example time_classify's to say.
"""

import argparse
import os
import resource
import statistics
import time

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

DETECT = "haarfacedetect threads=1 scan-interval=500000000"
CANDIDATES = {
    "haarfacedetect alone": DETECT,
    "and emotionclassify": f"{DETECT} ! emotionclassify",
    "and emotionclassify interval=500 ms": f"{DETECT} ! emotionclassify interval=500000000",
}
LIMIT = 60 * Gst.SECOND


def pipeline(elements, options, live=False):
    source = (
        f"filesrc location={options.frames} ! rawvideoparse format=i420 width={options.width} "
        f"height={options.height} framerate=24/1 name=source"
    )
    return Gst.parse_launch(f"{source} ! {elements} ! fakesink sync={str(live).lower()}")


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def wait(line, wanted):
    """Until a message of this kind, or this element message, comes; an error ends the benchmark."""
    kinds = Gst.MessageType.ERROR | Gst.MessageType.EOS | Gst.MessageType.ELEMENT
    while message := line.get_bus().timed_pop_filtered(LIMIT, kinds):
        if message.type == Gst.MessageType.ERROR:
            raise SystemExit(message.parse_error()[0].message)
        structure = message.get_structure()
        name = "eos" if message.type == Gst.MessageType.EOS else structure and structure.get_name()
        if name == wanted:
            return
        if name == "eos":
            break
    raise SystemExit(f"no {wanted}")


def whole(elements, options):
    """CPU seconds from the first frame to the last, without what loading takes."""
    line = pipeline(elements, options)
    line.set_state(Gst.State.PAUSED)
    line.get_state(LIMIT)
    begun = cpu_seconds()
    line.set_state(Gst.State.PLAYING)
    wait(line, "eos")
    line.set_state(Gst.State.NULL)
    return cpu_seconds() - begun


def first_emotion(options):
    """Milliseconds from the order to play, with nothing loaded, to the first face's emotion."""
    line = pipeline(CANDIDATES["and emotionclassify"], options)
    begun = time.perf_counter()
    line.set_state(Gst.State.PLAYING)
    wait(line, "emotion")
    elapsed = time.perf_counter() - begun
    line.set_state(Gst.State.NULL)
    return elapsed * 1e3


def threads():
    return len(os.listdir("/proc/self/task"))


def paused(elements, options):
    """(share of a core that a pipeline takes which played a second and is paused, its threads)."""
    line = pipeline(elements, options, live=True)
    line.set_state(Gst.State.PLAYING)
    time.sleep(1)
    line.set_state(Gst.State.PAUSED)
    time.sleep(0.5)
    begun, count = cpu_seconds(), threads()
    time.sleep(3)
    share = (cpu_seconds() - begun) / 3
    line.set_state(Gst.State.NULL)
    return share, count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("frames")
    parser.add_argument("width", type=int)
    parser.add_argument("height", type=int)
    options = parser.parse_args()
    Gst.init(None)
    # The first is of a process that has not loaded ONNX Runtime yet.
    cold = first_emotion(options)
    warm = statistics.median(first_emotion(options) for _ in range(options.rounds))
    print(f"first emotion {cold:.0f} ms after the order to play, {warm:.0f} ms when ONNX Runtime is loaded already")
    (idle, others), (with_us, count) = (paused(CANDIDATES[name], options) for name in list(CANDIDATES)[:2])
    print(f"paused: {100 * with_us:.2f} % of a core, {100 * idle:.2f} % without emotionclassify; "
          f"it adds {count - others} threads")

    seconds = {name: [] for name in CANDIDATES}
    for _ in range(options.rounds):
        for name, elements in CANDIDATES.items():
            seconds[name].append(whole(elements, options))
    frames = os.path.getsize(options.frames) // (options.width * options.height * 3 // 2)
    print(f"{frames} frames of {options.width}x{options.height}, CPU seconds")
    for name, values in seconds.items():
        print(f"{name:48} {statistics.median(values):7.2f}")


if __name__ == "__main__":
    main()
