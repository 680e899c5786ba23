"""One client: the table of the sessions, and the report of a single session or the comparison of several."""

import subprocess
import sys
from pathlib import Path

import tables


def main(snakemake):
    output = Path(snakemake.output[0])
    output.mkdir(parents=True, exist_ok=True)
    processed = [row for row in snakemake.params.rows if tables.read_state(row)["state"] == "done"]
    rows = [tables.session_row(row, tables.read_summary(row)) for row in processed]
    tables.write_csv(output / "sessions.csv", tables.SESSION_COLUMNS, rows)
    folders = [Path("sessions", row["session"]) for row, values in zip(processed, rows) if values["people"]]
    # A photo has no timeline and therefore no report.
    folders = [folder for folder in folders if (folder / "timeline.jsonl").exists()]
    if not folders:
        return
    command = [snakemake.params.program, "report", *folders, "-o", output / "report.html"]
    with open(snakemake.log[0], "w") as log:
        if subprocess.run(command, stdout=log, stderr=log).returncode:
            sys.exit(f"gst-mood report did not succeed; {snakemake.log[0]} says why")


main(snakemake)
