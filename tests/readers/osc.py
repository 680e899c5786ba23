"""Receives Open Sound Control with python-osc: prints each message as JSON, until an address has come for the third time.

usage: osc.py LAST_ADDRESS
The first line is the port that it listens on. It gives up where nothing arrives for a minute.
"""

import json
import sys

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer

last, left = sys.argv[1], 3


def receive(address, *arguments):
    global left
    print(json.dumps([address, *arguments]), flush=True)
    left -= address == last


dispatcher = Dispatcher()
dispatcher.set_default_handler(receive)
with BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher) as server:
    print(server.server_address[1], flush=True)
    server.timeout = 60
    server.handle_timeout = lambda: sys.exit("osc.py: nothing arrives")
    while left > 0:
        server.handle_request()
