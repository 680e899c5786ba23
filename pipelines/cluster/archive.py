"""The archive as the user describes it: settings and table of sessions, read and checked before anything runs."""

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
BUILT = HERE.parent.parent / "target/release/gst-mood"


class Mistake(Exception):
    """What the user can put right, in one line."""


class Archive:
    """Settings and sessions. `config` is what Snakemake read from `files`, of which the last says what paths start from."""

    def __init__(self, config, files):
        if not files:
            raise Mistake(f"no settings: copy {HERE}/settings.yaml, fill it in, and name it with --configfile")
        check(config, "settings", files[-1])
        self.here = Path(files[-1]).parent
        self.output = self.path(config["output"])
        self.pseudonym = config.get("pseudonym", True)
        self.program = find_program(self.path(config["gst_mood"]) if "gst_mood" in config else None)
        self.version = version(self.program)
        self.options = dict(config.get("options") or {})
        for key in ("library", "model"):
            if key in self.options:
                self.options[key] = self.path(self.options[key])
                if not self.options[key].exists():
                    raise Mistake(f"{files[-1]}: options.{key}: there is no {self.options[key]}")
        table = self.path(config["sessions"])
        self.sessions = read_sessions(table, self.path(config["videos"]) if "videos" in config else table.parent)

    def path(self, text):
        return self.here / Path(text).expanduser()

    def arguments(self):
        """The options as `gst-mood process` takes them."""
        arguments = ["--pseudonym"] if self.pseudonym else []
        for key, value in sorted(self.options.items()):
            flag = "--" + key.replace("_", "-")
            if value is True:
                arguments.append(flag)
            elif value is not False:
                arguments += [flag, str(value)]
        return arguments

    def clients(self):
        """Each client's sessions, the oldest first."""
        clients = {}
        for row in sorted(self.sessions.values(), key=lambda row: (row["client"], row["date"], row["session"])):
            clients.setdefault(row["client"], []).append(row["session"])
        return clients


@cache
def validator(schema):
    return Draft202012Validator(json.loads((HERE / f"schemas/{schema}.schema.json").read_text()))


def check(data, schema, what):
    """Says in one line what does not follow the schema; a description in it is the user's help."""
    error = best_match(validator(schema).iter_errors(data))
    if error:
        place = "".join(f"{key}: " for key in error.absolute_path)
        help = isinstance(error.schema, dict) and error.schema.get("description")
        message = f"{error.instance!r}: {help}" if help else error.message
        raise Mistake(f"{what}: {place}{message}")


def find_program(named):
    found = shutil.which(named) if named else shutil.which(BUILT) or shutil.which("gst-mood")
    if not found:
        raise Mistake(f"there is no {named or 'gst-mood'}: `make build`, or gst_mood: in the settings")
    return found


def version(program):
    asked = subprocess.run([program, "--version"], capture_output=True, text=True)
    if asked.returncode:
        raise Mistake(f"{program} does not run here: {asked.stderr.strip()}")
    return asked.stdout.strip()


def read_sessions(table, videos):
    """The rows by their session's code, with the video's path."""
    sessions = {}
    try:
        with open(table, newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, strict=True)
            for row in rows:
                add_session(sessions, row, videos, f"{table}, line {rows.line_num}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Mistake(f"{table}: {error}")
    if not sessions:
        raise Mistake(f"{table}: it has no sessions")
    if not any(os.path.isfile(row["video"]) for row in sessions.values()):
        first = next(iter(sessions.values()))["video"]
        raise Mistake(f"{table}: none of its videos is there; the first should be {first}")
    return sessions


def add_session(sessions, row, videos, what):
    if None in row or None in row.values():
        raise Mistake(f"{what}: it has more or fewer fields than the first line")
    # An empty field of an optional column is none.
    row = {key.strip(): value.strip() for key, value in row.items() if value.strip() or key.strip() != "session"}
    check(row, "session", what)
    session = row.setdefault("session", f"{row['client']}-{row['date']}")
    if session in sessions:
        raise Mistake(f"{what}: a second session {session}: tell them apart in a column session")
    sessions[session] = row | {"video": str(videos / row["video"])}


def stamp(path):
    """Tells a file from what replaces it, also where that is older."""
    status = os.stat(path)
    return [status.st_size, status.st_mtime_ns]


def notes(video):
    """The notes beside a recording, as `gst-mood process` looks for them."""
    video = Path(video)
    return next((path for path in (Path(f"{video}.toml"), video.with_suffix(".toml")) if path.is_file()), None)


def link(session, video):
    """Links to a recording and its notes that carry the session's code: what Snakemake logs and the program writes is not
    called after the file. Gives their paths in the folder of results, `None` for what is not there."""
    ending = Path(video).suffix
    place = Path(".videos", session + (ending if re.fullmatch(r"\.\w+", ending) else ""))
    place.parent.mkdir(exist_ok=True)
    there = Path(video) if Path(video).is_file() else None
    pairs = [(place, there), (Path(f"{place}.toml"), there and notes(there))]
    for path, target in pairs:
        if (path.readlink() if path.is_symlink() else None) != target:
            path.unlink(missing_ok=True)
            if target:
                path.symlink_to(target)
    return [str(path) if target else None for path, target in pairs]


@cache
def minutes(video):
    """The length of a recording, or an hour where it does not say."""
    try:
        tracks = MediaInfo.parse(video, parse_speed=0).general_tracks
        return float(tracks[0].duration) / 60_000
    except (OSError, RuntimeError, IndexError, TypeError):
        return 60
