"""The user's settings and table of sessions, read and checked before anything runs."""

import csv
import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from pymediainfo import MediaInfo

HERE = Path(__file__).resolve().parent
BUILT_PROGRAM = HERE.parent.parent / "target/release/gst-mood"


class SettingsError(Exception):
    """An error in the settings or the table that the user can correct; the message is one line."""


class Archive:
    """Settings and sessions. `config` is what Snakemake read from the configuration `files`; relative paths start from the folder
    of the last one."""

    def __init__(self, config, files):
        if not files:
            raise SettingsError(f"no settings: copy {HERE}/settings.yaml, fill it in, and name it with --configfile")
        validate(config, "settings", files[-1])
        self.folder = Path(files[-1]).parent
        self.output = self.path(config["output"])
        self.pseudonym = config.get("pseudonym", True)
        self.program = find_program(self.path(config["gst_mood"]) if "gst_mood" in config else None)
        self.version = read_version(self.program)
        self.options = dict(config.get("options") or {})
        for key in ("library", "model"):
            if key in self.options:
                self.options[key] = self.path(self.options[key])
                if not self.options[key].exists():
                    raise SettingsError(f"{files[-1]}: options.{key}: there is no {self.options[key]}")
        table = self.path(config["sessions"])
        self.sessions = read_sessions(table, self.path(config["videos"]) if "videos" in config else table.parent)

    def path(self, text):
        """A path of the settings, resolved."""
        return self.folder / Path(text).expanduser()

    def arguments(self):
        """The command line arguments of `gst-mood process`."""
        arguments = ["--pseudonym"] if self.pseudonym else []
        for key, value in sorted(self.options.items()):
            flag = "--" + key.replace("_", "-")
            if value is True:
                arguments.append(flag)
            elif value is not False:
                arguments += [flag, str(value)]
        return arguments

    def clients(self):
        """The session codes of each client, in order of date."""
        clients = {}
        for row in sorted(self.sessions.values(), key=lambda row: (row["client"], row["date"], row["session"])):
            clients.setdefault(row["client"], []).append(row["session"])
        return clients


@cache
def validator(schema):
    """The validator of a schema in the folder schemas."""
    return Draft202012Validator(json.loads((HERE / f"schemas/{schema}.schema.json").read_text()))


def validate(data, schema, what):
    """Raises a SettingsError where `data` does not match the schema; a description in the schema becomes the message."""
    error = best_match(validator(schema).iter_errors(data))
    if error:
        place = "".join(f"{key}: " for key in error.absolute_path)
        description = isinstance(error.schema, dict) and error.schema.get("description")
        message = f"{error.instance!r}: {description}" if description else error.message
        raise SettingsError(f"{what}: {place}{message}")


def find_program(named):
    """The path of gst-mood: the one named in the settings, built in this tree, or installed."""
    found = shutil.which(named) if named else shutil.which(BUILT_PROGRAM) or shutil.which("gst-mood")
    if not found:
        raise SettingsError(f"there is no {named or 'gst-mood'}: `make build`, or gst_mood: in the settings")
    return found


def read_version(program):
    """The first line of `gst-mood --version`."""
    result = subprocess.run([program, "--version"], capture_output=True, text=True)
    if result.returncode:
        raise SettingsError(f"{program} does not run here: {result.stderr.strip()}")
    return result.stdout.strip()


def read_sessions(table, videos):
    """The rows of the table by session code, with the path of the video."""
    sessions = {}
    try:
        with open(table, newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, strict=True)
            for row in rows:
                add_session(sessions, row, videos, f"{table}, line {rows.line_num}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"{table}: {error}")
    if not sessions:
        raise SettingsError(f"{table}: it has no sessions")
    if not any(os.path.isfile(row["video"]) for row in sessions.values()):
        first = next(iter(sessions.values()))["video"]
        raise SettingsError(f"{table}: none of its videos is there; the first should be {first}")
    return sessions


def add_session(sessions, row, videos, what):
    """Checks a row and adds it to `sessions`; `what` names the row in errors."""
    if None in row or None in row.values():
        raise SettingsError(f"{what}: it has more or fewer fields than the first line")
    # An empty field of the optional column counts as absent.
    row = {key.strip(): value.strip() for key, value in row.items() if value.strip() or key.strip() != "session"}
    validate(row, "session", what)
    session = row.setdefault("session", f"{row['client']}-{row['date']}")
    if session in sessions:
        raise SettingsError(f"{what}: a second session {session}: tell them apart in a column session")
    sessions[session] = row | {"video": str(videos / row["video"])}


def stamp(path):
    """Size and modification time of a file, which change when it is replaced, also by an older one."""
    status = os.stat(path)
    return [status.st_size, status.st_mtime_ns]


def find_notes(video):
    """The notes file of a recording, which `gst-mood process` finds in the same way; None where there is none."""
    video = Path(video)
    return next((path for path in (Path(f"{video}.toml"), video.with_suffix(".toml")) if path.is_file()), None)


def link(session, video):
    """Creates links to a recording and its notes, named after the session's code, so that the file name appears neither in
    Snakemake's logs nor in the results. Returns their paths in the output folder; None for a file that does not exist."""
    suffix = Path(video).suffix
    video_link = Path(".videos", session + (suffix if re.fullmatch(r"\.\w+", suffix) else ""))
    video_link.parent.mkdir(exist_ok=True)
    video = Path(video) if Path(video).is_file() else None
    pairs = [(video_link, video), (Path(f"{video_link}.toml"), video and find_notes(video))]
    for path, target in pairs:
        if (path.readlink() if path.is_symlink() else None) != target:
            path.unlink(missing_ok=True)
            if target:
                path.symlink_to(target)
    return [str(path) if target else None for path, target in pairs]


@cache
def duration_minutes(video):
    """The duration of a recording in minutes; 60 where its container does not state one."""
    try:
        tracks = MediaInfo.parse(video, parse_speed=0).general_tracks
        return float(tracks[0].duration) / 60_000
    except (OSError, RuntimeError, IndexError, TypeError):
        return 60
