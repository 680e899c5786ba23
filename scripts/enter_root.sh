#!/usr/bin/env bash
# enter_root.sh ROOT COMMAND...: runs a command in /src of a root folder of another distribution, with an environment of its own. Rust
# and the crates are this machine's, read-only: the toolchain that rustup has installed, and the registry in Cargo's folder
# (without its bin/, whose cargo-clippy would ask for rustup). Test media ($MOOD_TEST_DATA), where there are any, are /shared/data
# there. It needs root.
set -euo pipefail

[ $# -ge 2 ] || { echo 'usage: enter_root.sh ROOT COMMAND...' >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo 'enter_root: run it as root: it enters a root folder' >&2; exit 1; }
root=$1
shift
toolchain=$(rustc --print sysroot)
[ "$toolchain" != /usr ] || { echo 'enter_root: Rust of rustup is needed: that of this distribution runs nowhere else' >&2; exit 1; }
folders=("$toolchain:$root/rust" "${CARGO_HOME:-$HOME/.cargo}/registry:$root/cargo/registry")
[ ! -d "${MOOD_TEST_DATA:-}" ] || folders+=("$MOOD_TEST_DATA:$root/shared/data")
mkdir -p "${folders[@]#*:}" "$root/src"

# In a mount namespace of its own: nothing of this machine stays mounted below target/, which may be deleted, however this ends.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
exec unshare --mount --propagation private sh -c '
    set -e
    root=$1 count=$2
    shift 2
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    while [ "$count" -gt 0 ]; do
        mount --bind "${1%%:*}" "${1#*:}"
        mount -o remount,bind,ro "${1#*:}"
        count=$((count - 1))
        shift
    done
    exec chroot "$root" env -i SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" CARGO_INCREMENTAL=0 CARGO_HOME=/cargo CARGO_NET_OFFLINE=true \
        PATH=/rust/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        sh -c "cd /src && exec \"\$@\"" sh "$@"
' sh "$root" "${#folders[@]}" "${folders[@]}" "$@"
