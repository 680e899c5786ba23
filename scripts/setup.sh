#!/usr/bin/env bash
# Makes a Debian or Ubuntu machine ready to build, run and test: apt packages, a check of the Rust toolchain,
# ONNX Runtime's library out of its PyPI wheel in target/onnxruntime, the programs that tests read exports with in
# target/readers, and Snakemake for pipelines/cluster in target/snakemake. Quiet and quick when all is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

build=(build-essential pkg-config libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libcairo2-dev libpango1.0-dev)
run=(gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
     gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-alsa gstreamer1.0-pulseaudio opencv-data
     fonts-dejavu-core python3 python3-pip python3-venv)
# The opencv plugin stands beside ours in tests; Python reads our metadata; chromium opens the report; dbus is a desktop,
# and gdbus (libglib2.0-bin) its hand on the player.
test=(gstreamer1.0-opencv python3-gi python3-gst-1.0 gir1.2-gst-plugins-base-1.0 ffmpeg chromium dbus libglib2.0-bin)
packages=("${build[@]}" "${run[@]}" "${test[@]}")

say() { printf 'setup: %s\n' "$*" >&2; }

install_packages() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "this is neither Debian nor Ubuntu: install what these Debian packages hold, then run make again:"
        printf '  %s\n' "${packages[@]}" >&2
        exit 1
    fi
    local missing=() package
    for package in "${packages[@]}"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    local root=()
    [ "$(id -u)" = 0 ] || root=(sudo)
    if [ ${#root[@]} -gt 0 ] && ! command -v sudo >/dev/null; then
        say "these packages are missing; install them as root and run make again: ${missing[*]}"
        exit 1
    fi
    say "installing ${missing[*]}"
    "${root[@]}" apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
        >target/apt.log 2>&1 || { tail -n 20 target/apt.log >&2; exit 1; }
}

check_rust() {
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    found=$(rustc --version 2>/dev/null | cut -d' ' -f2 || true)
    if [ "$(printf '%s\n' "$wanted" "${found:-0}" | sort -V | head -n 1)" != "$wanted" ]; then
        say "Rust $wanted or later is needed, and ${found:-none} is here (Debian's own is too old): install it with"
        say "rustup (package rustup in Debian 13, else see https://rustup.rs), then run make again"
        exit 1
    fi
}

# The version and the checksums of its wheels, one an architecture. Wheels from 1.29 on note in the user's home
# what program runs on what machine, and would send it to their maker, before a program can forbid it; this one does not.
onnxruntime=1.27.0
install_onnxruntime() {
    local target=target/onnxruntime
    # The file's name says the version, the link is what is looked for.
    local library=libonnxruntime.so.$onnxruntime
    [ "$(readlink "$target/libonnxruntime.so" 2>/dev/null)" = "$library" ] && [ -s "$target/$library" ] && return 0
    local platform checksum scratch
    case $(uname -m) in
    x86_64)
        platform=manylinux_2_28_x86_64
        checksum=e4f7b0e90d2d212e2c2deaa6c8291616183ab815d3ec558ea12d3ac8b26d36f4 ;;
    aarch64)
        platform=manylinux_2_28_aarch64
        checksum=2eb083321af8a236a84c7c140a7f4cecbfa2a987a18c07c78db471c20cd390ef ;;
    *)
        say "no ONNX Runtime wheel is known for $(uname -m): install libonnxruntime 1.21 or later and set ORT_DYLIB_PATH"
        return 0 ;;
    esac
    say "fetching ONNX Runtime $onnxruntime into $target"
    scratch=$(mktemp -d)
    printf 'onnxruntime==%s --hash=sha256:%s\n' "$onnxruntime" "$checksum" >"$scratch/requirements.txt"
    python3 -m pip download -q --disable-pip-version-check --require-hashes --no-deps --only-binary=:all: \
        --implementation cp --python-version 3.11 --platform "$platform" -d "$scratch" -r "$scratch/requirements.txt"
    mkdir -p "$target"
    python3 - "$scratch" "$target" "$library" <<'PYTHON'
import shutil, sys, zipfile
from pathlib import Path
scratch, target, library = sys.argv[1:]
with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as wheel:
    for name in (f"capi/{library}", "LICENSE", "ThirdPartyNotices.txt"):
        with wheel.open(f"onnxruntime/{name}") as source, open(Path(target) / Path(name).name, "wb") as copy:
            shutil.copyfileobj(source, copy)
PYTHON
    ln -sfn "$library" "$target/libonnxruntime.so"
    rm -r "$scratch"
}

# install_python REQUIREMENTS FOLDER WHAT USERS: a Python environment of its own, made anew when its list changes.
install_python() {
    local wanted=$1 venv=$2
    cmp -s "$wanted" "$venv/requirements.txt" && return 0
    say "fetching $3 into $venv"
    rm -rf "$venv"
    # A platform without one of their wheels can still build, run the demo and run all other tests.
    if python3 -m venv "$venv" &&
        "$venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps -r "$wanted"; then
        cp "$wanted" "$venv/requirements.txt"
    else
        rm -rf "$venv"
        say "it cannot be had: $4 will say so"
    fi
}

mkdir -p target
install_packages
check_rust
install_onnxruntime
# Other programs' readers of what `gst-mood` writes, for the tests only.
install_python tests/readers/requirements.txt target/readers "the tests' readers" 'the tests of exports, process and report'
install_python pipelines/cluster/requirements.txt target/snakemake Snakemake 'pipelines/cluster and its test'
