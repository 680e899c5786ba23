"""The cohort's tables: one row per session, one row per client, and the failures."""

from itertools import groupby

import tables


def main(snakemake):
    sessions, clients, failed = [], [], []
    # The rows are grouped by client.
    for name, rows in groupby(snakemake.params.rows, key=lambda row: row["client"]):
        processed, failures = [], []
        for row in rows:
            state = tables.read_state(row)
            if state["state"] == "done":
                processed.append(tables.session_row(row, tables.read_summary(row)))
            else:
                failures.append(row | {"error": state["error"]})
        clients.append(tables.client_row(name, processed, len(failures)))
        sessions += processed
        failed += failures
    tables.write_csv(snakemake.output.sessions, tables.SESSION_COLUMNS, sessions)
    tables.write_csv(snakemake.output.clients, tables.CLIENT_COLUMNS, clients)
    tables.write_csv(snakemake.output.failed, tables.FAILURE_COLUMNS, failed)


main(snakemake)
