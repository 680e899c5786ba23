"""Tables for researchers from the summary.json files of sessions: one row per session and one row per client."""

import csv
import json
import statistics
from pathlib import Path

LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "uncertain"]
DIMENSIONS = ["valence", "arousal"]
KEYS = ["client", "date", "session"]
ESTIMATES = [f"{dimension}_{part}" for dimension in DIMENSIONS for part in
             ("mean", "low", "high", "per_minute", "above_baseline", "response", "response_low", "response_high")]
SESSION_COLUMNS = [
    *KEYS, "title", "seconds", "frames", "people", "face_share", "seen", "absent", "classified", "uncertain", "quality",
    *(f"share_{label}" for label in LABELS), *ESTIMATES,
    "tracks", "track_changes", "failed_tracks", "mood_changes", "program", "model", "cascade", "recording",
]
CLIENT_COLUMNS = [
    "client", "sessions", "failed", "first", "last", "seconds", "classified", "uncertain",
    *(f"share_{label}" for label in LABELS),
    *(f"{dimension}_{part}" for dimension in DIMENSIONS for part in ("mean", "sd")),
]
FAILURE_COLUMNS = [*KEYS, "error"]


def to_seconds(nanoseconds):
    return nanoseconds / 1e9


def read_state(row):
    """The recorded outcome of a session."""
    return json.loads(Path("state", row["session"] + ".json").read_text())


def read_summary(row):
    """The summary.json of a session."""
    return json.loads(Path("sessions", row["session"], "summary.json").read_text())


def session_row(row, summary):
    """The row of a session. Times are in seconds; unknown values are left out."""
    work = (summary["made_from"] or {}).get("work", {})
    values = {key: row[key] for key in KEYS} | {
        "title": summary["title"],
        "seconds": to_seconds(summary["duration"]),
        "people": len(summary["subjects"]),
        "tracks": len(summary["tracks"]),
        "program": work.get("program"),
        "model": work.get("model"),
        "cascade": work.get("cascade"),
        "recording": work.get("sha256"),
    }
    values |= {key: summary[key] for key in ("frames", "face_share", "track_changes", "failed_tracks", "mood_changes")}
    subject = next((person for person in summary["subjects"] if person["id"] == summary["subject"]), None)
    if subject is None:
        return values
    values |= {key: to_seconds(subject[key]) for key in ("seen", "absent", "classified", "uncertain")}
    values["quality"] = subject["quality"]
    if subject["classified"]:
        values |= {f"share_{label}": subject["labels"].get(label, 0.0) for label in LABELS}
    for dimension in DIMENSIONS:
        mean, response = subject[dimension] or {}, summary[f"response_{dimension}"] or {}
        values |= {f"{dimension}_{part}": mean.get(part) for part in ("mean", "low", "high")}
        values[f"{dimension}_per_minute"] = (subject[f"{dimension}_trend"] or {}).get("per_minute")
        values[f"{dimension}_above_baseline"] = (subject["above_baseline"] or {}).get(dimension, {}).get("mean")
        values |= {f"{dimension}_response": response.get("mean"), f"{dimension}_response_low": response.get("low"),
                  f"{dimension}_response_high": response.get("high")}
    return values


def client_row(name, sessions, failed):
    """The row of a client from the rows of its sessions. Shares and means are weighted by classified time; `sd` is the standard
    deviation between sessions. `failed` is the number of failed sessions."""
    dates = sorted(row["date"] for row in sessions)
    values = {"client": name, "sessions": len(sessions), "failed": failed}
    if dates:
        values |= {"first": dates[0], "last": dates[-1]}
    for key in ("seconds", "classified", "uncertain"):
        values[key] = sum(row.get(key, 0) for row in sessions)
    classified = [row for row in sessions if row.get("classified")]
    for key in [f"share_{label}" for label in LABELS] + [f"{dimension}_mean" for dimension in DIMENSIONS]:
        weights = [(row["classified"], row[key]) for row in classified if row.get(key) is not None]
        if weights:
            values[key] = sum(weight * value for weight, value in weights) / sum(weight for weight, _ in weights)
    for dimension in DIMENSIONS:
        means = [row[f"{dimension}_mean"] for row in classified if row.get(f"{dimension}_mean") is not None]
        if len(means) > 1:
            values[f"{dimension}_sd"] = statistics.stdev(means)
    return values


def write_csv(path, columns, rows):
    """Writes a CSV file; values that a row does not have are empty."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n")
        table.writeheader()
        for row in rows:
            table.writerow({key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()})
