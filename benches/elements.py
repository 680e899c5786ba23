"""CPU and wall seconds of haarfacedetect against gst-plugins-bad's opencv element, on the same decoded I420 frames, in alternation.

    python benches/elements.py [--rounds N] FRAMES.yuv WIDTH HEIGHT

Both on one thread, then on two, with frontalface_default, scale factor 1.25, three neighbours, faces from 30 pixels, a full search in
every frame; and haarfacedetect with its own defaults and with scan-interval=500 ms. What reading the file costs is taken
off. The opencv element takes RGB only, so its conversion counts: whoever has decoded video needs it. Prints medians over
the rounds, in seconds, and how many times as much CPU the opencv element takes on as many threads. GST_PLUGIN_PATH must lead to our plugins.
"""

import argparse
import os
import resource
import statistics
import subprocess
import time

CASCADE = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml"
SAME = "scale-factor=1.25 min-neighbors=3 min-size=30"
PEER = "opencv's facedetect"
ELEMENTS = {
    PEER: "videoconvert n-threads={threads} ! video/x-raw,format=RGB ! facedetect scale-factor=1.25 "
    f"min-neighbors=3 min-size-width=30 min-size-height=30 display=false profile={CASCADE}",
    "haarfacedetect, the same parameters": f"haarfacedetect {SAME} threads={{threads}}",
    "haarfacedetect, its defaults": "haarfacedetect threads={threads}",
    "haarfacedetect, the same, scan-interval 500 ms": f"haarfacedetect {SAME} threads={{threads}} scan-interval=500000000",
}


def seconds(element, threads, options):
    """CPU and wall seconds of a process that puts the frames through `element`."""
    line = (
        f"filesrc location={options.frames} ! rawvideoparse format=i420 width={options.width} "
        f"height={options.height} framerate=24/1 ! {element.format(threads=threads)} ! fakesink"
    )
    # OpenCV's own threads.
    environment = os.environ | {"OPENCV_FOR_THREADS_NUM": str(threads), "OMP_NUM_THREADS": str(threads)}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(["gst-launch-1.0", "-q", *line.split()], check=True, env=environment, capture_output=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("frames")
    parser.add_argument("width", type=int)
    parser.add_argument("height", type=int)
    options = parser.parse_args()
    seconds("identity", 1, options)
    count = os.path.getsize(options.frames) // (options.width * options.height * 3 // 2)
    print(f"{count} frames of {options.width}x{options.height}")
    for threads in (1, 2):
        taken = {name: [] for name in ELEMENTS}
        for _ in range(options.rounds):
            reading = seconds("identity", 1, options)
            for name, element in ELEMENTS.items():
                all_ = seconds(element, threads, options)
                taken[name].append([max(one - other, 1e-3) for one, other in zip(all_, reading)])
        medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in taken.items()}
        print(f"{threads} thread(s)")
        for name, (cpu, wall) in medians.items():
            print(f"  {name:46}  CPU {cpu:6.2f} s  wall {wall:6.2f} s   {medians[PEER][0] / cpu:5.1f} times less CPU")


if __name__ == "__main__":
    main()
