# What the scripts beside this file share: our plugins in GStreamer's path, and a check of arguments. Sourced, not run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Plugins built in this tree are found without installing them; installed ones need no path at all.
if [ -e "$here/../target/release/libgstfacedetect.so" ]; then
    export GST_PLUGIN_PATH="$(cd "$here/../target/release" && pwd)${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}"
fi

# usage TEXT: ends with that text, as the wrong arguments deserve.
usage() {
    printf 'usage: %s %s\n' "$0" "$1" >&2
    exit 2
}

# must_exist PATH
must_exist() {
    [ -e "$1" ] || { printf '%s: no such file or folder\n' "$1" >&2; exit 1; }
}

# mood ARGUMENTS: the command gst-mood, of this tree or installed.
mood() {
    if [ -x "$here/../target/release/gst-mood" ]; then
        "$here/../target/release/gst-mood" "$@"
    else
        command gst-mood "$@"
    fi
}
