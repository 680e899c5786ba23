#!/usr/bin/env bash
# Installs the packages of target/debian in a fresh root of this machine's distribution, or with SUITE=trixie or noble those of
# target/debian-SUITE in one of Debian 13 or Ubuntu 24.04 (mmdebstrap, below target/), without what they only recommend, and runs
# everything there with an empty environment: gst-inspect-1.0 on every element, `gst-mood doctor` and `demo`, a pipeline, man page and
# completions; then removes them again. For this machine's distribution it tries `make install` and `make uninstall` before that. It
# needs root and the distribution's archive.
set -euo pipefail
cd "$(dirname "$0")/.."

[ "$(id -u)" = 0 ] || { echo 'test_deb: run it as root: it makes a root folder and enters it' >&2; exit 1; }
. /etc/os-release
suite=${SUITE:-$VERSION_CODENAME}
packages=target/debian${SUITE:+-$SUITE}
. scripts/suites.sh "$suite"
root=$PWD/target/deb-root-$suite
tools=gstreamer1.0-tools
rm -rf "$root"
trap 'rm -rf --one-file-system "$root"' EXIT

if [ -z "${SUITE:-}" ]; then
    echo 'test_deb: installation without packages, and its removal'
    export DESTDIR=$PWD/target/installed PREFIX=/opt/mood
    rm -rf "$DESTDIR"
    scripts/install.sh install
    DESTDIR= "$DESTDIR$PREFIX/bin/gst-mood" doctor | grep -q "ok .*$DESTDIR$PREFIX/lib/onnxruntime/"
    scripts/install.sh uninstall
    [ ! -e "$DESTDIR" ] || { find "$DESTDIR"; echo 'test_deb: make uninstall leaves these behind' >&2; exit 1; }
fi

echo "test_deb: a root of $suite"
mmdebstrap --quiet --variant=apt "${suite_options[@]}" "$suite" "$root" ${suite_mirror:+"$suite_mirror"}
install -D -t "$root/packages" "$packages"/*.deb

# in_root COMMAND...: runs a command in the root, with nothing of this environment.
in_root() {
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}
in_root apt-get update -qq
# /proc is what GStreamer finds its own program by.
mount -t proc proc "$root/proc"
trap 'umount "$root/proc"; rm -rf --one-file-system "$root"' EXIT
in_root sh -c "apt-get install -y -qq --no-install-recommends $tools /packages/*.deb" >"$root.log" 2>&1 ||
    { tail -n 20 "$root.log"; exit 1; }

echo 'test_deb: every element'
for element in haarfacedetect emotionclassify emotionoverlay emotionlog emotionpublish moodplayer; do
    in_root gst-inspect-1.0 "$element" >"$root/$element.txt"
    grep -q "Filename .*/lib/.*/gstreamer-1.0/libgst" "$root/$element.txt"
done
echo 'test_deb: gst-mood doctor'
in_root gst-mood doctor | tee "$root/doctor.txt"
! grep -q MISSING "$root/doctor.txt"
echo 'test_deb: gst-mood demo'
in_root gst-mood demo --output /demo
for file in annotated.mp4 report.html timeline.jsonl soundtrack.ogg; do
    [ -s "$root/demo/$file" ]
done
echo 'test_deb: a pipeline'
in_root gst-launch-1.0 -q filesrc location=/demo/annotated.mp4 ! decodebin ! videoconvert ! haarfacedetect ! emotionclassify ! \
    emotionlog location=/timeline.jsonl ! fakesink >"$root/pipeline.txt" 2>&1
[ ! -s "$root/pipeline.txt" ] || { head -n 20 "$root/pipeline.txt"; echo 'test_deb: the pipeline is not quiet' >&2; exit 1; }
faces=$(grep -c '"label":"\(happy\|sad\|surprise\|neutral\)"' "$root/timeline.jsonl")
echo "test_deb: $faces frames with a classified face"
[ "$faces" -gt 50 ]
if in_root apt-cache show libonnxruntime1.21 >/dev/null 2>&1; then
    echo "test_deb: the distribution's ONNX Runtime"
    in_root apt-get install -y -qq --no-install-recommends libonnxruntime1.21 gst-mood-onnxruntime- >>"$root.log" 2>&1
    in_root gst-mood doctor 2>/dev/null | grep 'ONNX Runtime' | tee "$root/doctor.txt"
    grep -q libonnxruntime.so "$root/doctor.txt"
fi
echo 'test_deb: manual and completions'
[ -s "$root/usr/share/man/man1/gst-mood-process.1.gz" ] || [ ! -d "$root/usr/share/man/man1" ]
in_root bash -n /usr/share/bash-completion/completions/gst-mood
echo 'test_deb: removal'
in_root apt-get purge -y -qq gst-mood gstreamer1.0-mood 'gst-mood-onnxruntime*' >/dev/null 2>&1
left=$(find "$root/usr" -xdev \( -name '*gst-mood*' -o -name 'libgstmoodplayer*' \))
[ -z "$left" ] || { echo "test_deb: left behind: $left" >&2; exit 1; }
echo 'test_deb: passed'
