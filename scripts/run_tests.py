#!/usr/bin/env python3
"""Runs all tests of the workspace in the release profile, LANES test programs at a time: run_tests.py [LANES], 2 by default.

`cargo test` runs one program after the other, and a core idles while a program waits for a clock, a player or a browser. Each
program's output is printed in one piece when it ends, with its time. The exit code is 101, as cargo's, if one fails; all of
them run anyway.
"""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

ROOT = Path(__file__).resolve().parent.parent
CARGO = ["cargo", "test", "--release", "--workspace"]
# The longest programs run first: with short ones at the end all lanes end at about the same time.
FIRST = ["tests", "plugins"]


def test_programs():
    """The test programs in the order of cargo, as (name, command, working folder, environment); compiles what is not up to date."""
    build = subprocess.run(
        [*CARGO, "--no-run", "--quiet", "--message-format", "json-render-diagnostics"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    if build.returncode:
        sys.exit(build.returncode)
    programs = []
    for message in map(json.loads, build.stdout.splitlines()):
        if message["reason"] == "compiler-artifact" and message["profile"]["test"] and message["executable"]:
            package = Path(message["manifest_path"]).parent
            source = Path(message["target"]["src_path"]).relative_to(ROOT)
            program = Path(message["executable"])
            programs.append((f"{source} ({program.relative_to(ROOT)})", [program], package, {"CARGO_MANIFEST_DIR": str(package)}))
    assert programs, "cargo built no tests"
    return programs


def make_registry():
    """A registry of GStreamer's plugins and ours, of which each program that asks for one takes a copy."""
    registry = ROOT / "target/tests/registry.bin"
    registry.parent.mkdir(parents=True, exist_ok=True)
    registry.unlink(missing_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GST_")}
    environment |= {"GST_PLUGIN_PATH": str(ROOT / "target/release"), "GST_REGISTRY": str(registry)}
    subprocess.run(["gst-inspect-1.0", "--version"], env=environment, stdout=subprocess.DEVNULL, check=True)
    return registry


def rank(program):
    """Where a program runs in the order, see FIRST."""
    group = program[2].relative_to(ROOT).parts[0]
    return FIRST.index(group) if group in FIRST else len(FIRST)


def main():
    """Runs everything and names what failed."""
    lanes = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    programs = sorted(test_programs(), key=rank)
    # A folder in the environment of cargo would make it compile ring and what depends on it again.
    programs.append(("documentation examples", [*CARGO, "--no-fail-fast", "--quiet", "--doc"], ROOT, {}))
    environment = os.environ | {"MOOD_TEST_REGISTRY": str(make_registry())}
    failed, printing, began = [], Lock(), time.monotonic()

    def run(program):
        name, command, folder, variables = program
        started = time.monotonic()
        with printing:
            print(f"     Running {name}", flush=True)
        process = subprocess.run(
            command,
            cwd=folder,
            env=environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        with printing:
            print(f"    Finished {name} in {time.monotonic() - started:.1f} s", flush=True)
            sys.stdout.buffer.write(process.stdout)
            sys.stdout.flush()
            if process.returncode:
                failed.append(name)
                code = process.returncode
                print(f"error: {name} failed: {f'exit code {code}' if code > 0 else f'signal {-code}'}", flush=True)

    with ThreadPoolExecutor(lanes) as pool:
        runs = [pool.submit(run, program) for program in programs]
        try:
            for each in runs:
                each.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    print(f"{len(programs)} test programs, {len(failed)} failed, in {time.monotonic() - began:.0f} s")
    if failed:
        print("error: failed:", *failed, sep="\n    ")
        sys.exit(101)


if __name__ == "__main__":
    main()
