"""Tables for researchers out of sessions' summary.json: one row a session, one row a client."""

import csv
import json
import statistics
from pathlib import Path

LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "uncertain"]
DIMENSIONS = ["valence", "arousal"]
WHO = ["client", "date", "session"]
ESTIMATES = [f"{dimension}_{part}" for dimension in DIMENSIONS for part in
             ("mean", "low", "high", "per_minute", "above_baseline", "response", "response_low", "response_high")]
SESSION = [
    *WHO, "title", "seconds", "frames", "people", "face_share", "seen", "absent", "classified", "uncertain", "quality",
    *(f"share_{label}" for label in LABELS), *ESTIMATES,
    "tracks", "track_changes", "failed_tracks", "mood_changes", "program", "model", "cascade", "recording",
]
CLIENT = [
    "client", "sessions", "failed", "first", "last", "seconds", "classified", "uncertain",
    *(f"share_{label}" for label in LABELS),
    *(f"{dimension}_{part}" for dimension in DIMENSIONS for part in ("mean", "sd")),
]
FAILED = [*WHO, "error"]


def seconds(nanoseconds):
    return nanoseconds / 1e9


def state(row):
    """What became of a session."""
    return json.loads(Path("state", row["session"] + ".json").read_text())


def summary(row):
    return json.loads(Path("sessions", row["session"], "summary.json").read_text())


def session(row, summary):
    """A session's row. Times are seconds; what is not known is left out."""
    work = (summary["made_from"] or {}).get("work", {})
    found = {key: row[key] for key in WHO} | {
        "title": summary["title"],
        "seconds": seconds(summary["duration"]),
        "people": len(summary["subjects"]),
        "tracks": len(summary["tracks"]),
        "program": work.get("program"),
        "model": work.get("model"),
        "cascade": work.get("cascade"),
        "recording": work.get("sha256"),
    }
    found |= {key: summary[key] for key in ("frames", "face_share", "track_changes", "failed_tracks", "mood_changes")}
    subject = next((person for person in summary["subjects"] if person["id"] == summary["subject"]), None)
    if subject is None:
        return found
    found |= {key: seconds(subject[key]) for key in ("seen", "absent", "classified", "uncertain")}
    found["quality"] = subject["quality"]
    if subject["classified"]:
        found |= {f"share_{label}": subject["labels"].get(label, 0.0) for label in LABELS}
    for dimension in DIMENSIONS:
        mean, response = subject[dimension] or {}, summary[f"response_{dimension}"] or {}
        found |= {f"{dimension}_{part}": mean.get(part) for part in ("mean", "low", "high")}
        found[f"{dimension}_per_minute"] = (subject[f"{dimension}_trend"] or {}).get("per_minute")
        found[f"{dimension}_above_baseline"] = (subject["above_baseline"] or {}).get(dimension, {}).get("mean")
        found |= {f"{dimension}_response": response.get("mean"), f"{dimension}_response_low": response.get("low"),
                  f"{dimension}_response_high": response.get("high")}
    return found


def client(name, sessions, failed):
    """A client's row out of its sessions' rows: shares and means count every classified second alike; `sd` is the standard
    deviation between sessions."""
    dates = sorted(row["date"] for row in sessions)
    found = {"client": name, "sessions": len(sessions), "failed": failed}
    if dates:
        found |= {"first": dates[0], "last": dates[-1]}
    for key in ("seconds", "classified", "uncertain"):
        found[key] = sum(row.get(key, 0) for row in sessions)
    known = [row for row in sessions if row.get("classified")]
    for key in [f"share_{label}" for label in LABELS] + [f"{dimension}_mean" for dimension in DIMENSIONS]:
        weights = [(row["classified"], row[key]) for row in known if row.get(key) is not None]
        if weights:
            found[key] = sum(weight * value for weight, value in weights) / sum(weight for weight, _ in weights)
    for dimension in DIMENSIONS:
        means = [row[f"{dimension}_mean"] for row in known if row.get(f"{dimension}_mean") is not None]
        if len(means) > 1:
            found[f"{dimension}_sd"] = statistics.stdev(means)
    return found


def write(path, columns, rows):
    """A CSV; what a row does not have is empty."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n")
        table.writeheader()
        for row in rows:
            table.writerow({key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()})
