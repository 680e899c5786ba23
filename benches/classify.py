"""Measures the cost of emotionclassify in a pipeline, on decoded I420 frames.

    python3 benches/classify.py [--rounds N] FRAMES.yuv WIDTH HEIGHT

Prints the CPU time of haarfacedetect alone, followed by emotionclassify, and with interval=500 ms; the time from PLAYING to
the first emotion; the CPU use of a paused pipeline; and the number of threads that the classifier adds. Medians over the
rounds. Needs python3-gi, and GST_PLUGIN_PATH with our plugins. The example time_classify compares crates/mini-xception with
ONNX Runtime alone.
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
TIMEOUT = 60 * Gst.SECOND


def parse_pipeline(elements, options, live=False):
    """A pipeline from the raw frames through `elements`; `live` plays in real time."""
    source = (
        f"filesrc location={options.frames} ! rawvideoparse format=i420 width={options.width} "
        f"height={options.height} framerate=24/1 name=source"
    )
    return Gst.parse_launch(f"{source} ! {elements} ! fakesink sync={str(live).lower()}")


def cpu_seconds():
    """CPU time of this process so far, all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def wait_for(pipeline, wanted):
    """Waits for the end of the stream ("eos") or for the element message `wanted`; an error ends the benchmark."""
    kinds = Gst.MessageType.ERROR | Gst.MessageType.EOS | Gst.MessageType.ELEMENT
    while message := pipeline.get_bus().timed_pop_filtered(TIMEOUT, kinds):
        if message.type == Gst.MessageType.ERROR:
            raise SystemExit(message.parse_error()[0].message)
        structure = message.get_structure()
        name = "eos" if message.type == Gst.MessageType.EOS else structure and structure.get_name()
        if name == wanted:
            return
        if name == "eos":
            break
    raise SystemExit(f"no {wanted}")


def run_cpu_seconds(elements, options):
    """CPU time from the first frame to the last, without that of loading the models."""
    pipeline = parse_pipeline(elements, options)
    pipeline.set_state(Gst.State.PAUSED)
    pipeline.get_state(TIMEOUT)
    start = cpu_seconds()
    pipeline.set_state(Gst.State.PLAYING)
    wait_for(pipeline, "eos")
    pipeline.set_state(Gst.State.NULL)
    return cpu_seconds() - start


def first_emotion_ms(options):
    """Time from starting a new pipeline to the first emotion, ms."""
    pipeline = parse_pipeline(CANDIDATES["and emotionclassify"], options)
    start = time.perf_counter()
    pipeline.set_state(Gst.State.PLAYING)
    wait_for(pipeline, "emotion")
    elapsed = time.perf_counter() - start
    pipeline.set_state(Gst.State.NULL)
    return elapsed * 1e3


def thread_count():
    """Number of threads of this process."""
    return len(os.listdir("/proc/self/task"))


def paused_cost(elements, options):
    """CPU use (share of a core) and number of threads of a pipeline paused after playing for a second."""
    pipeline = parse_pipeline(elements, options, live=True)
    pipeline.set_state(Gst.State.PLAYING)
    time.sleep(1)
    pipeline.set_state(Gst.State.PAUSED)
    time.sleep(0.5)
    start, count = cpu_seconds(), thread_count()
    time.sleep(3)
    share = (cpu_seconds() - start) / 3
    pipeline.set_state(Gst.State.NULL)
    return share, count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("frames")
    parser.add_argument("width", type=int)
    parser.add_argument("height", type=int)
    options = parser.parse_args()
    Gst.init(None)
    # In the first run the process has not loaded ONNX Runtime yet.
    cold = first_emotion_ms(options)
    warm = statistics.median(first_emotion_ms(options) for _ in range(options.rounds))
    print(f"first emotion {cold:.0f} ms after the order to play, {warm:.0f} ms when ONNX Runtime is loaded already")
    (idle, others), (with_us, count) = (paused_cost(CANDIDATES[name], options) for name in list(CANDIDATES)[:2])
    print(f"paused: {100 * with_us:.2f} % of a core, {100 * idle:.2f} % without emotionclassify; "
          f"it adds {count - others} threads")

    seconds = {name: [] for name in CANDIDATES}
    for _ in range(options.rounds):
        for name, elements in CANDIDATES.items():
            seconds[name].append(run_cpu_seconds(elements, options))
    frames = os.path.getsize(options.frames) // (options.width * options.height * 3 // 2)
    print(f"{frames} frames of {options.width}x{options.height}, CPU seconds")
    for name, values in seconds.items():
        print(f"{name:48} {statistics.median(values):7.2f}")


if __name__ == "__main__":
    main()
