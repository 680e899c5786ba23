"""A player on the session's D-Bus, for tests: mpris_player.py NAME KIND

`fixed` can be asked for its state and opens nothing. `paused` opens a URI and stays paused until it is told to play, tells no
position, and writes the URI of its song in its own way: every character but letters and digits escaped, escapes in lower case.

It takes Debian's python3-gi, and prints `ready`, then each call: the method, and its argument if it has one. A line on standard
input is its user: `Paused` or `Playing`.
"""

import re
import sys
from urllib.parse import unquote_to_bytes

from gi.repository import Gio, GLib

NAME, KIND = sys.argv[1:]
OPENS = '<method name="OpenUri"><arg type="s" direction="in"/></method>' if KIND == "paused" else ""
INTERFACE = f"""<node><interface name="org.mpris.MediaPlayer2.Player">
<method name="Play"/><method name="Pause"/><method name="Stop"/>{OPENS}
<property name="PlaybackStatus" type="s" access="read"/>
<property name="Metadata" type="a{{sv}}" access="read"/>
</interface></node>"""
STATES = {"OpenUri": "Paused", "Play": "Playing", "Pause": "Paused", "Stop": "Stopped"}

player = {"PlaybackStatus": GLib.Variant("s", "Stopped"), "Metadata": GLib.Variant("a{sv}", {})}


def written_otherwise(uri):
    scheme, place = uri.split("://", 1)
    path = re.sub(rb"[^A-Za-z0-9/]", lambda byte: b"%%%02x" % byte[0][0], unquote_to_bytes(place))
    return f"{scheme}://{path.decode()}"


def answer(_connection, _sender, _path, _interface, method, arguments, invocation):
    print(method, *arguments, flush=True)
    if KIND == "paused":
        player["PlaybackStatus"] = GLib.Variant("s", STATES[method])
        if method == "OpenUri":
            url = GLib.Variant("s", written_otherwise(arguments[0]))
            player["Metadata"] = GLib.Variant("a{sv}", {"xesam:url": url})
    invocation.return_value(None)


def obey_user(stdin, _condition):
    state = stdin.readline().strip()
    if not state:
        return GLib.SOURCE_REMOVE
    player["PlaybackStatus"] = GLib.Variant("s", state)
    return GLib.SOURCE_CONTINUE


def get(_connection, _sender, _path, _interface, name):
    return player[name]


def register(connection, _name):
    interface = Gio.DBusNodeInfo.new_for_xml(INTERFACE).interfaces[0]
    connection.register_object("/org/mpris/MediaPlayer2", interface, answer, get, None)


Gio.bus_own_name(
    Gio.BusType.SESSION,
    f"org.mpris.MediaPlayer2.{NAME}",
    Gio.BusNameOwnerFlags.NONE,
    register,
    lambda *_: print("ready", flush=True),
    None,
)
GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, obey_user)
GLib.MainLoop().run()
