#!/usr/bin/env bash
# Prepares a Debian or Ubuntu machine to build, run and test: installs apt packages, checks the Rust toolchain, fetches ONNX
# Runtime from its PyPI wheel into target/onnxruntime, the Python readers of the tests into target/readers, and Snakemake for
# pipelines/cluster into target/snakemake. It starts no service, and is silent and quick where everything is installed.
# `setup.sh build` only installs what compiling needs, and downloads the crates meanwhile.
# `setup.sh supply-chain` only fetches cargo-deny and the writer of the bill of materials into target/supply-chain.
set -euo pipefail
cd "$(dirname "$0")/.."

build=(build-essential pkg-config libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libcairo2-dev libpango1.0-dev)
run=(gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
     gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-alsa gstreamer1.0-pulseaudio opencv-data
     fonts-dejavu-core python3 python3-pip python3-venv)
# Tests load the opencv plugin beside ours, read our metadata in Python, open the report in chromium, and control the player
# over a private dbus with gdbus (libglib2.0-bin) and playerctl, publish to the broker mosquitto with certificates by openssl, and let
# mpd, mopidy and mpv (mpv-mpris) play. The recipes of pipelines/ talk to icecast2, to a camera made of gst-rtsp-server, and to editing services (ges1.0-tools).
# The example in R takes r-base-core and r-cran-nlme: 46 MB, 18 s to install on two loaded cores.
test=(gstreamer1.0-opencv python3-gi python3-gst-1.0 gir1.2-gst-plugins-base-1.0 ffmpeg chromium dbus libglib2.0-bin playerctl
      mosquitto mosquitto-clients openssl mpd mopidy-mpd mpv mpv-mpris icecast2 gir1.2-gst-rtsp-server-1.0 ges1.0-tools
      r-base-core r-cran-nlme)
packages=("${build[@]}" "${run[@]}" "${test[@]}")

log() { printf 'setup: %s\n' "$*" >&2; }

# Prints those of its arguments that are not installed.
missing_packages() {
    local package
    for package; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
    done
}

# install_packages PACKAGE...: where they cannot be installed, it names all packages that are ever needed.
install_packages() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        log "this is neither Debian nor Ubuntu: install what these Debian packages hold, then run make again:"
        printf '  %s\n' "${packages[@]}" >&2
        exit 1
    fi
    local missing root=()
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || root=(sudo)
    if [ ${#root[@]} -gt 0 ] && ! command -v sudo >/dev/null; then
        mapfile -t missing < <(missing_packages "${packages[@]}")
        log "these packages are missing; install them as root and run make again: ${missing[*]}"
        exit 1
    fi
    log "installing ${missing[*]}"
    "${root[@]}" scripts/apt_install.sh "${missing[@]}" >target/apt.log 2>&1 || { tail -n 20 target/apt.log >&2; exit 1; }
}

check_rust() {
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    found=$(rustc --version 2>/dev/null | cut -d' ' -f2 || true)
    if [ "$(printf '%s\n' "$wanted" "${found:-0}" | sort -V | head -n 1)" != "$wanted" ]; then
        log "Rust $wanted or later is needed, and ${found:-none} is here (Debian's own is too old): install it with"
        log "rustup (package rustup in Debian 13, else see https://rustup.rs), then run make again"
        exit 1
    fi
}

# The version, and the checksum of its wheel for each architecture. Wheels from 1.29 on write telemetry into the user's home
# before a program can disable it; this version does not.
onnxruntime=1.27.0
install_onnxruntime() {
    local target=target/onnxruntime
    # The file name has the version; the plugin looks for the link without it.
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
        log "no ONNX Runtime wheel is known for $(uname -m): install libonnxruntime 1.21 or later and set ORT_DYLIB_PATH"
        return 0 ;;
    esac
    log "fetching ONNX Runtime $onnxruntime into $target"
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

# install_python REQUIREMENTS FOLDER NAME USERS: makes a Python environment, and makes it again when the requirements change.
# Each wheel has to have a checksum that is listed there (scripts/pin_wheels.sh).
install_python() {
    local wanted=$1 venv=$2
    cmp -s "$wanted" "$venv/requirements.txt" && return 0
    log "fetching $3 into $venv"
    rm -rf "$venv"
    # Where a wheel is missing for this platform, everything but the tests that need it still works.
    # Python compiles the modules that are used when they are loaded first; pip would compile all of them, for half a minute.
    if python3 -m venv --without-pip "$venv" &&
        python3 -m pip --python "$venv/bin/python" install -q --no-compile --disable-pip-version-check --no-deps \
            --require-hashes -r "$wanted"; then
        cp "$wanted" "$venv/requirements.txt"
    else
        rm -rf "$venv"
        log "$3 cannot be installed: $4 will fail with a message"
    fi
}

mkdir -p target
case ${1:-} in
build)
    check_rust
    # Crates are downloaded meanwhile. Where that fails, `cargo build` says why.
    cargo fetch --quiet --locked --target "$(rustc -vV | sed -n 's/^host: //p')" 2>/dev/null &
    install_packages "${build[@]}"
    wait
    exit 0 ;;
supply-chain)
    install_python packaging/requirements.txt target/supply-chain cargo-deny 'make lint, make sbom and make audit'
    exit 0 ;;
esac
check_rust
install_packages "${packages[@]}"
install_onnxruntime
# Independent readers of the files that `gst-mood` writes, for the tests only.
install_python tests/readers/requirements.txt target/readers "the tests' readers" 'the tests of exports, process and report'
install_python pipelines/cluster/requirements.txt target/snakemake Snakemake 'pipelines/cluster and its test'
