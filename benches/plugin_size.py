#!/usr/bin/env python3
"""Size and time to load of plugins: benches/plugin_size.py PLUGIN.so...

To see what a part costs, build once without it, and give both files. For each: bytes once stripped, and milliseconds of
processor time (user and system) of a program that loads it and ends, median of 400 runs, the files in turn.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = 400
LOADER = """
#include <dlfcn.h>
int main (int argc, char **argv) { return argc == 2 && dlopen (argv[1], RTLD_NOW | RTLD_GLOBAL) ? 0 : 1; }
"""


def processor_time(loader, plugin):
    pid = os.posix_spawn(loader, [loader, plugin], os.environ)
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f"{plugin} cannot be loaded")
    return (usage.ru_utime + usage.ru_stime) * 1000


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        loader = f"{folder}/loader"
        subprocess.run(["cc", "-O2", "-o", loader, "-x", "c", "-"], input=LOADER, text=True, check=True)
        plugins = []
        for number, plugin in enumerate(sys.argv[1:]):
            stripped = f"{folder}/{number}.so"
            subprocess.run(["strip", "-o", stripped, plugin], check=True)
            plugins.append((plugin, stripped, []))
        for _ in range(RUNS):
            for _, stripped, times in plugins:
                times.append(processor_time(loader, stripped))
        for plugin, stripped, times in plugins:
            print(f"{plugin}: {Path(stripped).stat().st_size} bytes, {statistics.median(times):.2f} ms to load")


main()
