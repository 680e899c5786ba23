"""One client: a table of the sessions, and their report; several are compared."""

import subprocess
import sys
from pathlib import Path

import tables


def main(snakemake):
    folder = Path(snakemake.output[0])
    folder.mkdir(parents=True, exist_ok=True)
    done = [row for row in snakemake.params.rows if tables.state(row)["state"] == "done"]
    rows = [tables.session(row, tables.summary(row)) for row in done]
    tables.write(folder / "sessions.csv", tables.SESSION, rows)
    places = [Path("sessions", row["session"]) for row, found in zip(done, rows) if found["people"]]
    # A photograph has no timeline to report on.
    places = [place for place in places if (place / "timeline.jsonl").exists()]
    if not places:
        return
    command = [snakemake.params.program, "report", *places, "-o", folder / "report.html"]
    with open(snakemake.log[0], "w") as log:
        if subprocess.run(command, stdout=log, stderr=log).returncode:
            sys.exit(f"gst-mood report did not succeed; {snakemake.log[0]} says why")


main(snakemake)
