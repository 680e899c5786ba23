#!/usr/bin/env bash
# install.sh install|uninstall: copies what `make build` has left in target/ below $DESTDIR$PREFIX, or removes the same files.
# PLUGIN_DIR is the folder of the plugins, and RUNTIME_DIR that of ONNX Runtime, which is left out where it is empty.
set -euo pipefail
cd "$(dirname "$0")/.."

action=$1
prefix=${PREFIX:-/usr/local}
plugin_dir=${PLUGIN_DIR:-$prefix/lib/gstreamer-1.0}
runtime_dir=${RUNTIME_DIR-$prefix/lib/onnxruntime}
root=${DESTDIR:-}

# put MODE SOURCE DESTINATION: installs or removes one file.
put() {
    if [ "$action" = install ]; then
        install -D -m "$1" "$2" "$root$3"
    else
        rm -f "$root$3"
        rmdir -p --ignore-fail-on-non-empty "$(dirname "$root$3")" 2>/dev/null || true
    fi
}

case $action in
install | uninstall) ;;
*) echo 'usage: install.sh install|uninstall' >&2; exit 2 ;;
esac
if [ ! -x target/release/gst-mood ]; then
    echo 'install: there is no target/release/gst-mood: run make build first' >&2
    exit 1
fi
manual=$(mktemp -d)
trap 'rm -r "$manual"' EXIT
target/release/gst-mood manual "$manual"

put 755 target/release/gst-mood "$prefix/bin/gst-mood"
for plugin in facedetect emotionclassify moodplayer; do
    put 644 "target/release/libgst$plugin.so" "$plugin_dir/libgst$plugin.so"
done
put 644 models/mini_xception_large.onnx "$prefix/share/gst-mood/mini_xception_large.onnx"
(cd "$manual" && find . -type f -printf '%P\n') | sort | while read -r file; do
    put 644 "$manual/$file" "$prefix/share/$file"
done
if [ -n "$runtime_dir" ] && [ -e target/onnxruntime/libonnxruntime.so ]; then
    library=$(readlink target/onnxruntime/libonnxruntime.so)
    for file in "$library" LICENSE ThirdPartyNotices.txt; do
        put 644 "target/onnxruntime/$file" "$runtime_dir/$file"
    done
    if [ "$action" = install ]; then
        ln -sfn "$library" "$root$runtime_dir/libonnxruntime.so"
    else
        rm -f "$root$runtime_dir/libonnxruntime.so"
        rmdir -p --ignore-fail-on-non-empty "$root$runtime_dir" 2>/dev/null || true
    fi
fi
