"""Opens a BORIS project with BORIS's own code, checks it as BORIS does, and prints its events as BORIS pairs them.

BORIS is a desktop program: its imports for windows and plots are replaced by stubs, its reading code is used as it is.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import json
import sys
import types

DESKTOP = {"PyQt5", "PIL", "tablib", "matplotlib", "pandas", "mpv", "exifread", "pyreadr", "scipy", "sklearn", "hachoir"}


class Stub(type):
    """The type of stub classes: every attribute of one is another stub class."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        # Used as a decorator, a stub returns the decorated function.
        members = {"__init__": lambda self, *_, **__: None, "__call__": lambda self, *arguments: (arguments or [self])[0]}
        found = Stub(name, (), members)
        setattr(cls, name, found)
        return found

    def __or__(cls, other):
        return cls

    def __contains__(cls, item):
        return False


class StubImporter(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports stubs in place of the packages in DESKTOP and of BORIS's own module for mpv."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in DESKTOP or name == "boris.mpv2":
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        names = Stub(spec.name, (), {})
        module.__getattr__ = lambda name: getattr(names, name)
        return module

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, StubImporter())
# The package's own __init__ starts the program.
spec = importlib.util.find_spec("boris")
sys.modules["boris"] = package = types.ModuleType("boris")
package.__path__ = spec.submodule_search_locations

from boris import config, project_functions  # noqa: E402

_, changed, project, message = project_functions.open_project_json(sys.argv[1])
assert "error" not in project, project["error"]
assert not changed and not message, f"BORIS would convert it: {message}"
complaints = project_functions.check_project_integrity(project, config.S, sys.argv[1], media_file_available=False)
assert not complaints.replace("<br>", ""), complaints

spans = []
for observation in project[config.OBSERVATIONS].values():
    running = {}
    events = project_functions.events_start_stop(project[config.ETHOGRAM], observation[config.EVENTS], observation["type"])
    for time, subject, code, _modifier, _comment, _frame, flag in events:
        if flag == config.START:
            running[subject, code] = time
        else:
            assert flag == config.STOP, flag
            spans.append([subject, float(running.pop((subject, code))), float(time), code])
    assert not running, f"never stopped: {running}"
json.dump({"spans": spans, "media": [f for o in project["observations"].values() for p in o["file"] for f in o["file"][p]]}, sys.stdout)
