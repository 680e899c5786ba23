#!/usr/bin/env bash
# Writes requirements.txt beside each requirements.in: the same versions, with the checksums of all their files on PyPI, which pip
# then demands. Run it after changing a requirements.in. Those of training and benches have dependencies that are not named there,
# which are pinned too.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=target/uv/bin/uv
if [ ! -x "$uv" ]; then
    python3 -m venv target/uv
    target/uv/bin/pip install -q --disable-pip-version-check uv
fi
# pin FOLDER/NAME [OPTION...]
pin() {
    local file=$1
    shift
    { printf '# Made by scripts/pin_wheels.sh from %s: change that, and run it again.\n' "$(basename "$file.in")"
      "$uv" pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header "$@" "$file.in"
    } >"$file.txt.new"
    mv "$file.txt.new" "$file.txt"
}
pin tests/readers/requirements --no-deps
pin pipelines/cluster/requirements --no-deps
pin packaging/requirements --no-deps
pin benches/requirements
pin benches/requirements-tilt
pin training/requirements
