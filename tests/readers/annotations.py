"""Reads exports with independent readers and prints the spans they find as JSON: [tier, start, end, text], seconds.

usage: annotations.py eaf|textgrid|vtt|srt FILE
"""

import json
import sys


def eaf(path):
    from pympi import Elan

    document = Elan.Eaf(path)
    spans = []
    for tier in document.get_tier_names():
        for start, end, text, *_ in document.get_annotation_data_for_tier(tier):
            spans.append([tier, start / 1000, end / 1000, text])
    vocabularies = document.get_controlled_vocabulary_names()
    words = [value[0] for name in vocabularies for values, _ in document.get_cv_entries(name).values() for value in values]
    types = {tier: document.get_parameters_for_tier(tier)["LINGUISTIC_TYPE_REF"] for tier in document.get_tier_names()}
    media = [dict(descriptor) for descriptor in document.get_linked_files()]
    return {"spans": spans, "vocabulary": words, "types": types, "media": media}


def textgrid(path):
    import parselmouth
    from parselmouth.praat import call

    grid = parselmouth.read(path)
    spans = []
    for tier in range(1, call(grid, "Get number of tiers") + 1):
        name = call(grid, "Get tier name", tier)
        for index in range(1, call(grid, "Get number of intervals", tier) + 1):
            times = [call(grid, f"Get {which} time of interval", tier, index) for which in ("start", "end")]
            spans.append([name, *times, call(grid, "Get label of interval", tier, index)])
    return {"spans": spans, "end": call(grid, "Get end time")}


def vtt(path):
    import webvtt

    spans = []
    for cue in webvtt.read(path):
        spans.append([cue.voice or "", cue.start_in_seconds + cue.start_time.milliseconds / 1000,
                      cue.end_in_seconds + cue.end_time.milliseconds / 1000, cue.text])
    return {"spans": spans}


def srt(path):
    import pysubs2

    subtitles = pysubs2.load(path, encoding="utf-8", format_="srt")
    return {"spans": [["", event.start / 1000, event.end / 1000, event.plaintext] for event in subtitles]}


if __name__ == "__main__":
    json.dump({"eaf": eaf, "textgrid": textgrid, "vtt": vtt, "srt": srt}[sys.argv[1]](sys.argv[2]), sys.stdout)
