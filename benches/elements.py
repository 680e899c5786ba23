"""Compares CPU and wall time of haarfacedetect and gst-plugins-bad's facedetect (OpenCV) on decoded I420 frames, in alternation.

    python benches/elements.py [--rounds N] FRAMES.yuv WIDTH HEIGHT

Both run on one thread, then on two, with frontalface_default, scale factor 1.25, three neighbours, faces from 30 pixels and a
full search in every frame; haarfacedetect also with its defaults, which search for heads that lean and follow faces, and with
scan-interval=500 ms. The cost of reading the file is subtracted. The conversion to RGB, the only format that facedetect
accepts, is included, since decoded video needs it. Prints medians over the rounds, in seconds, and the ratio of the CPU times
on the same number of threads. GST_PLUGIN_PATH must contain our plugins.
"""

import argparse
import os
import resource
import statistics
import subprocess
import time

CASCADE = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml"
PARAMETERS = "scale-factor=1.25 min-neighbors=3 min-size=30"
REFERENCE = "opencv's facedetect"
ELEMENTS = {
    REFERENCE: "videoconvert n-threads={threads} ! video/x-raw,format=RGB ! facedetect scale-factor=1.25 "
    f"min-neighbors=3 min-size-width=30 min-size-height=30 display=false profile={CASCADE}",
    "haarfacedetect, the same parameters": f"haarfacedetect {PARAMETERS} roll-range=0 threads={{threads}}",
    "haarfacedetect, the same parameters, scan-interval 500 ms": f"haarfacedetect {PARAMETERS} roll-range=0 threads={{threads}} scan-interval=500000000",
    "haarfacedetect, its defaults": "haarfacedetect threads={threads}",
    "haarfacedetect, its defaults, scan-interval 500 ms": "haarfacedetect threads={threads} scan-interval=500000000",
}


def measure(element, threads, options):
    """CPU and wall time of a process that passes the frames through `element`."""
    pipeline = (
        f"filesrc location={options.frames} ! rawvideoparse format=i420 width={options.width} "
        f"height={options.height} framerate=24/1 ! {element.format(threads=threads)} ! fakesink"
    )
    # The number of OpenCV's threads.
    environment = os.environ | {"OPENCV_FOR_THREADS_NUM": str(threads), "OMP_NUM_THREADS": str(threads)}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(["gst-launch-1.0", "-q", *pipeline.split()], check=True, env=environment, capture_output=True)
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
    measure("identity", 1, options)
    count = os.path.getsize(options.frames) // (options.width * options.height * 3 // 2)
    print(f"{count} frames of {options.width}x{options.height}")
    for threads in (1, 2):
        times = {name: [] for name in ELEMENTS}
        for _ in range(options.rounds):
            reading = measure("identity", 1, options)
            for name, element in ELEMENTS.items():
                total = measure(element, threads, options)
                times[name].append([max(with_element - without, 1e-3) for with_element, without in zip(total, reading)])
        medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in times.items()}
        print(f"{threads} thread(s)")
        for name, (cpu, wall) in medians.items():
            print(f"  {name:57}  CPU {cpu:6.2f} s  wall {wall:6.2f} s   {medians[REFERENCE][0] / cpu:5.1f} times less CPU")


if __name__ == "__main__":
    main()
