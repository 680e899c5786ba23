"""CPU seconds of haarfacedetect against gst-plugins-bad's opencv element, on the same decoded I420 frames, in alternation.

    python benches/elements.py [--rounds N] FRAMES.yuv WIDTH HEIGHT

Both on one thread with frontalface_default, scale factor 1.25, three neighbours, faces from 30 pixels, a full search in
every frame; and haarfacedetect with its own defaults and with scan-interval=500 ms. What reading the file costs is taken
off. The opencv element takes RGB only, so its conversion counts: whoever has decoded video needs it. Prints medians over
the rounds, in seconds, and how many times as much the opencv element takes. GST_PLUGIN_PATH must lead to our plugins.
"""

import argparse
import os
import resource
import statistics
import subprocess

CASCADE = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml"
SAME = "scale-factor=1.25 min-neighbors=3 min-size=30 threads=1"
CANDIDATES = {
    "opencv's facedetect": "videoconvert n-threads=1 ! video/x-raw,format=RGB ! facedetect scale-factor=1.25 "
    f"min-neighbors=3 min-size-width=30 min-size-height=30 display=false profile={CASCADE}",
    "haarfacedetect, the same parameters": f"haarfacedetect {SAME}",
    "haarfacedetect, its defaults": "haarfacedetect threads=1",
    "haarfacedetect, the same, scan-interval 500 ms": f"haarfacedetect {SAME} scan-interval=500000000",
}


def cpu(element, options):
    """User and system seconds of a process that puts the frames through `element`."""
    line = (
        f"filesrc location={options.frames} ! rawvideoparse format=i420 width={options.width} "
        f"height={options.height} framerate=24/1 ! {element} ! fakesink"
    )
    # OpenCV's own threads stay at one as well.
    environment = os.environ | {"OPENCV_FOR_THREADS_NUM": "1", "OMP_NUM_THREADS": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["gst-launch-1.0", "-q", *line.split()], check=True, env=environment, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("frames")
    parser.add_argument("width", type=int)
    parser.add_argument("height", type=int)
    options = parser.parse_args()
    seconds = {name: [] for name in CANDIDATES}
    cpu("identity", options)
    for _ in range(options.rounds):
        reading = cpu("identity", options)
        for name, element in CANDIDATES.items():
            seconds[name].append(max(cpu(element, options) - reading, 1e-3))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    peer = medians["opencv's facedetect"]
    count = os.path.getsize(options.frames) // (options.width * options.height * 3 // 2)
    print(f"{count} frames of {options.width}x{options.height}, CPU seconds")
    for name, value in medians.items():
        print(f"{name:48} {value:7.2f}   {peer / value:5.1f} times less")


if __name__ == "__main__":
    main()
