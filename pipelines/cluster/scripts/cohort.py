"""The cohort: a row a session, a row a client, and what failed."""

from itertools import groupby

import tables


def main(snakemake):
    sessions, clients, failed = [], [], []
    # The rows come client by client.
    for name, rows in groupby(snakemake.params.rows, key=lambda row: row["client"]):
        done, failures = [], []
        for row in rows:
            state = tables.state(row)
            if state["state"] == "done":
                done.append(tables.session(row, tables.summary(row)))
            else:
                failures.append(row | {"error": state["error"]})
        clients.append(tables.client(name, done, len(failures)))
        sessions += done
        failed += failures
    tables.write(snakemake.output.sessions, tables.SESSION, sessions)
    tables.write(snakemake.output.clients, tables.CLIENT, clients)
    tables.write(snakemake.output.failed, tables.FAILED, failed)


main(snakemake)
