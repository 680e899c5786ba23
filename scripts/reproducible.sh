#!/usr/bin/env bash
# Builds the release twice, in two folders of different names, from the last commit, and compares the bytes of what is shipped:
# reproducible.sh [PACKAGE...], such as gstfacedetect; without packages all of the workspace. The folders' names are kept out of the
# binaries by --remap-path-prefix and, of C code, -ffile-prefix-map; Cargo.lock fixes the dependencies. The bytes are those of one set of
# packages: a plugin built alone has dependencies with other features than in the workspace, and so other bytes.
set -euo pipefail
cd "$(dirname "$0")/.."

source=$PWD
scratch=$source/target/reproducible
files=(gst-mood libgstfacedetect.so libgstemotionclassify.so libgstmoodplayer.so)
packages=(--workspace)
if [ $# -gt 0 ]; then
    files=()
    packages=()
    for package in "$@"; do
        packages+=(-p "$package")
        case $package in
        gst-mood) files+=(gst-mood) ;;
        *) files+=("lib$package.so") ;;
        esac
    done
fi
commit=$(git rev-parse HEAD)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct "$commit")
# The plugins state a commit and a date. Without a repository above the folders these are the version and the date of the sources,
# whatever is committed meanwhile.
export SOURCE_DATE_EPOCH GIT_CEILING_DIRECTORIES=$scratch CARGO_INCREMENTAL=0
rm -rf "$scratch"
for folder in first another-name; do
    mkdir -p "$scratch/$folder"
    git archive "$commit" | tar -x -C "$scratch/$folder"
    find "$scratch/$folder" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
    (
        cd "$scratch/$folder"
        cargo_home=${CARGO_HOME:-$HOME/.cargo}
        export RUSTFLAGS="--remap-path-prefix=$PWD=/gst-mood --remap-path-prefix=$cargo_home=/cargo"
        # SQLite and ring are in C; cc-rs passes these on.
        export CFLAGS="-ffile-prefix-map=$PWD=/gst-mood -ffile-prefix-map=$cargo_home=/cargo"
        cargo build --release --locked "${packages[@]}"
        (cd target/release && sha256sum "${files[@]}") | tee "$scratch/$folder.sha256"
    )
    # What has been compared needs no disk.
    mkdir -p "$scratch/$folder-files"
    (cd "$scratch/$folder/target/release" && cp "${files[@]}" "$scratch/$folder-files")
    rm -rf "${scratch:?}/$folder"
done
if cmp "$scratch/first.sha256" "$scratch/another-name.sha256"; then
    echo "reproducible: both builds have the same bytes"
else
    echo "reproducible: the builds differ; their files are in $scratch" >&2
    exit 1
fi
