"""One recording: runs `gst-mood process` and records the outcome.

A recording that cannot be processed is recorded as failed and does not fail this job, so that the jobs depending on it run
without it. The job fails, and is retried with more time and memory, where the cause may not be the recording.
"""

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

# The part of the job's time and memory that is reserved for this script.
RESERVED_SECONDS = 60
RESERVED_MIB = 128


def run_process(video, snakemake):
    """Runs `gst-mood process`; returns its exit code and its result for the recording. The code is the negative signal number
    where a signal ended the program, and None where it took too long."""
    command = [snakemake.params.program, "process", video, "-o", "sessions", "--json", *snakemake.params.arguments]
    limit = (snakemake.resources.mem_mb - RESERVED_MIB) << 20

    def set_limits():
        # A program that needs more memory then ends by itself, also without a scheduler that would kill the whole job.
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    seconds = max(RESERVED_SECONDS, snakemake.resources.runtime * 60 - RESERVED_SECONDS)
    with open(snakemake.log[0], "w") as log:
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=log, preexec_fn=set_limits, timeout=seconds)
        except subprocess.TimeoutExpired:
            return None, {"state": "failed", "error": f"it took longer than {seconds / 60:.0f} minutes"}
    try:
        [result] = json.loads(done.stdout)
    except (TypeError, ValueError):
        code = done.returncode
        reason = f"signal {-code}" if code < 0 else f"{code} and without a result"
        result = {"state": "failed", "error": f"the program ended with {reason}, see {snakemake.log[0]}"}
    return done.returncode, result


def move_results(folder, session):
    """Moves the results to the session's folder. The program chooses another folder if that one has the results of a different
    recording. This happens when the video of a session was replaced in the archive's table; the old results are removed."""
    target = Path("sessions", session)
    if folder != target:
        shutil.rmtree(target, ignore_errors=True)
        if folder.is_dir():
            folder.rename(target)


def main(snakemake):
    video = snakemake.input.get("video")
    if not video:
        outcome = {"state": "failed", "error": "there is no such file"}
    else:
        code, result = run_process(video, snakemake)
        if code in (0, 1) and "folder" in result and result["state"] != "interrupted":
            move_results(Path(result["folder"]), snakemake.wildcards.session)
        elif code and code > 0:
            sys.exit(f"gst-mood process ended with {code}; {snakemake.log[0]} says why")
        elif not snakemake.resources.last:
            sys.exit(result["error"])
        outcome = {"state": "failed", "error": result["error"]} if "error" in result else {"state": "done"}
    with open(snakemake.output[0], "w") as file:
        json.dump(outcome, file)
        file.write("\n")


main(snakemake)
