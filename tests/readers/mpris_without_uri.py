"""A player on the session's D-Bus that can be asked for its state and opens nothing: org.mpris.MediaPlayer2.fixed

It takes Debian's python3-gi, and prints `ready`.
"""

from gi.repository import Gio, GLib

INTERFACE = """<node><interface name="org.mpris.MediaPlayer2.Player">
<method name="Play"/><method name="Pause"/><method name="Stop"/>
<property name="PlaybackStatus" type="s" access="read"/>
</interface></node>"""


def answer(_connection, _sender, _path, _interface, _method, _arguments, invocation):
    invocation.return_value(None)


def get(*_arguments):
    return GLib.Variant("s", "Stopped")


def register(connection, _name):
    interface = Gio.DBusNodeInfo.new_for_xml(INTERFACE).interfaces[0]
    connection.register_object("/org/mpris/MediaPlayer2", interface, answer, get, None)


Gio.bus_own_name(
    Gio.BusType.SESSION,
    "org.mpris.MediaPlayer2.fixed",
    Gio.BusNameOwnerFlags.NONE,
    register,
    lambda *_: print("ready", flush=True),
    None,
)
GLib.MainLoop().run()
