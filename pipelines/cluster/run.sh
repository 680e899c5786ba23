#!/usr/bin/env bash
# Processes an archive of recordings into reports, tables and a list of failures; README.md in this folder explains it.
#   pipelines/cluster/run.sh my-settings.yaml                                                    on this machine
#   pipelines/cluster/run.sh my-settings.yaml --profile pipelines/cluster/profiles/slurm         on a cluster
# Arguments after the settings are passed to Snakemake: --dry-run, --cores 4, --unlock, ...
set -euo pipefail
. "$(dirname "$0")/../common.sh"
[ $# -ge 1 ] || usage 'SETTINGS.yaml [OPTIONS OF SNAKEMAKE]'
must_exist "$1"
cluster=$(cd "$(dirname "$0")" && pwd)
export GST_MOOD_CLUSTER=$cluster
settings=$1
shift

# Snakemake's own records are readable by their owner only, like the results.
umask 077
# The Snakemake that `make setup` installs, or else the one on the PATH.
snakemake=$cluster/../../target/snakemake/bin/snakemake
[ -x "$snakemake" ] || snakemake=$(command -v snakemake) || {
    printf 'there is no snakemake: `make setup`, or pip install --no-deps -r %s/requirements.txt\n' "$cluster" >&2
    exit 3
}
profile=(--profile "$cluster/profiles/local")
for argument in "$@"; do
    case $argument in --profile | --profile=*) profile=() ;; esac
done
exec "$snakemake" --snakefile "$cluster/Snakefile" --configfile "$settings" "${profile[@]}" "$@"
