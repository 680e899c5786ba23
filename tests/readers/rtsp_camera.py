"""A network camera: shows an image over RTSP until it is killed. Needs the system's Python with GstRtspServer.

usage: rtsp_camera.py IMAGE.png

Prints the address once the camera can be reached.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service("0")
factory = GstRtspServer.RTSPMediaFactory()
# Cameras send sound too, and theirs may come first.
factory.set_launch(
    "( audiotestsrc is-live=true ! audioconvert ! alawenc ! rtppcmapay name=pay0 pt=8 "
    f"filesrc location={sys.argv[1]} ! pngdec ! videoconvert ! imagefreeze is-live=true ! video/x-raw,framerate=10/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph264pay name=pay1 pt=96 )"
)
server.get_mount_points().add_factory("/stream1", factory)
server.attach(None)
print(f"rtsp://127.0.0.1:{server.get_bound_port()}/stream1", flush=True)
GLib.MainLoop().run()
