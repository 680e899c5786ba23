#!/usr/bin/env bash
# Submits a job and prints its name. Called by Snakemake: submit.sh CORES MEGABYTES MINUTES SCRIPT
set -euo pipefail
script=$(realpath "$4" | sed 's/[&|\\]/\\&/g')
sed -e "s|@CORES@|$1|; s|@MEMORY@|$2|g; s|@SECONDS@|$(($3 * 60))|" \
    -e "s|@USER@|$(id -u)|; s|@GROUP@|$(id -g)|; s|@SCRIPT@|$script|" "$(dirname "$0")/job.yaml" |
    kubectl create -f - -o jsonpath='{.metadata.name}'
