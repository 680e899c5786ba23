#!/usr/bin/env bash
# bare_root.sh SUITE: `make demo` and `make test` of a clean clone of the last commit on a bare machine: a new root of the distribution
# (bookworm: Debian 12; trixie: Debian 13) that holds make, git and certificates, and Rust and the crates of this machine. Everything
# else is what `make` itself installs. The root is target/roots/bare-SUITE (10 GB when tested), and stays if something fails:
# `bare_root.sh SUITE COMMAND...` runs a command in it. It needs root, the archive and PyPI.
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -ge 1 ] || { echo 'usage: bare_root.sh SUITE [COMMAND...]' >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo 'bare_root: run it as root: it makes a root folder and enters it' >&2; exit 1; }
suite=$1
shift
root=$PWD/target/roots/bare-$suite
[ $# = 0 ] || exec scripts/enter_root.sh "$root" "$@"

. scripts/suites.sh "$suite"
rm -rf --one-file-system "$root"
mkdir -p target/roots
echo "bare_root: making a root of $suite" >&2
mmdebstrap --quiet --variant=apt "${suite_options[@]}" --include=ca-certificates,git,make "$suite" "$root" \
    ${suite_mirror:+"$suite_mirror"} >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
# Certificates that this machine trusts beside those of the distribution, such as a mirror's.
cp -aT /usr/local/share/ca-certificates "$root/usr/local/share/ca-certificates"
chroot "$root" update-ca-certificates >/dev/null 2>&1
# An installer writes it; of these suites only the packages of Debian 13 bring one.
[ -e "$root/etc/hosts" ] || printf '127.0.0.1\tlocalhost\n::1\t\tlocalhost\n' >"$root/etc/hosts"
cargo fetch --locked --quiet
git clone --quiet --no-hardlinks . "$root/src"
for target in demo test; do
    scripts/enter_root.sh "$root" make "$target"
done
echo "bare_root: $suite passes make demo and make test"
rm -rf --one-file-system "$root"
