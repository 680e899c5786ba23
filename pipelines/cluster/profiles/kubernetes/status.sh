#!/usr/bin/env bash
# What has become of a job: running, success or failed. Called by Snakemake: status.sh NAME
set -euo pipefail
# The types of the conditions that hold, in brackets; nothing where somebody has removed the job.
if ! found=$(kubectl get job "$1" --ignore-not-found \
    -o jsonpath='{.metadata.name}{range .status.conditions[?(@.status=="True")]}[{.type}]{end}'); then
    # Whoever cannot be asked now may answer later.
    echo running
    exit
fi
case $found in
*'[Complete]'*) echo success ;;
*'[Failed]'* | '') echo failed ;;
*) echo running ;;
esac
