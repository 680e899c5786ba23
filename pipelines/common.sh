# Functions shared by the scripts in this folder: finds our plugins and checks arguments. To be sourced.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Plugins built in this tree are used without installing them; installed plugins need no path.
if [ -e "$here/../target/release/libgstfacedetect.so" ]; then
    export GST_PLUGIN_PATH="$(cd "$here/../target/release" && pwd)${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}"
fi

# usage TEXT: prints the usage and exits with 2.
usage() {
    printf 'usage: %s %s\n' "$0" "$1" >&2
    exit 2
}

# must_exist PATH: exits with 1 where there is no such file or folder.
must_exist() {
    [ -e "$1" ] || { printf '%s: no such file or folder\n' "$1" >&2; exit 1; }
}

# mood ARGUMENTS: runs the command gst-mood, the one built in this tree or else the installed one.
mood() {
    if [ -x "$here/../target/release/gst-mood" ]; then
        "$here/../target/release/gst-mood" "$@"
    else
        command gst-mood "$@"
    fi
}
