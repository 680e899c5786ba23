#!/usr/bin/env bash
# Prints the state of a job: running, success or failed. Called by Snakemake: status.sh NAME
set -euo pipefail
# The job's name and the types of its true conditions in brackets; empty where the job has been deleted.
if ! conditions=$(kubectl get job "$1" --ignore-not-found \
    -o jsonpath='{.metadata.name}{range .status.conditions[?(@.status=="True")]}[{.type}]{end}'); then
    # The API server may be temporarily unavailable.
    echo running
    exit
fi
case $conditions in
*'[Complete]'*) echo success ;;
*'[Failed]'* | '') echo failed ;;
*) echo running ;;
esac
