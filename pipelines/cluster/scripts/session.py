"""One recording: `gst-mood process`, and a note of what became of it.

A recording that cannot be processed is noted as failed, and is no failure of this job: what depends on it goes on without.
The job fails, and is tried again with more time and memory, where the recording need not be the reason.
"""

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

# Left for this script, out of what the scheduler gives the job.
SPARE_SECONDS = 60
SPARE_MIB = 128


def process(video, snakemake):
    """Runs the program; its exit code and what it says of the recording. Negative codes are signals."""
    command = [snakemake.params.program, "process", video, "-o", "sessions", "--json", *snakemake.params.arguments]
    limit = (snakemake.resources.mem_mb - SPARE_MIB) << 20

    def bound():
        # A program that asks for more ends by itself, here and on machines without a scheduler that would end all of us.
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    seconds = max(SPARE_SECONDS, snakemake.resources.runtime * 60 - SPARE_SECONDS)
    with open(snakemake.log[0], "w") as log:
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=log, preexec_fn=bound, timeout=seconds)
        except subprocess.TimeoutExpired:
            return None, {"state": "failed", "error": f"it took longer than {seconds / 60:.0f} minutes"}
    try:
        [said] = json.loads(done.stdout)
    except ValueError:
        said = {"state": "failed", "error": f"the program ended with signal {-done.returncode}, see {snakemake.log[0]}"}
    return done.returncode, said


def settle(folder, session):
    """The results' own place. Where a row names another recording than before, the program does not overwrite the other's
    results; they make room here."""
    wanted = Path("sessions", session)
    if folder != wanted:
        shutil.rmtree(wanted, ignore_errors=True)
        if folder.is_dir():
            folder.rename(wanted)


def main(snakemake):
    video = snakemake.input.get("video")
    if not video:
        outcome = {"state": "failed", "error": "there is no such file"}
    else:
        code, said = process(video, snakemake)
        if code in (0, 1) and said["state"] != "interrupted":
            settle(Path(said["folder"]), snakemake.wildcards.session)
        elif code and code > 0:
            sys.exit(f"gst-mood process ended with {code}; {snakemake.log[0]} says why")
        elif not snakemake.resources.last:
            sys.exit(said["error"])
        outcome = {"state": "failed", "error": said["error"]} if "error" in said else {"state": "done"}
    with open(snakemake.output[0], "w") as file:
        json.dump(outcome, file)
        file.write("\n")


main(snakemake)
