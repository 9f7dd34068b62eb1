"""Writes who made the sounds that the shipped weights were trained on.

Run from ``pipeline/``: ``python -m training.attribution --out ../dsp_core/model/ATTRIBUTION.csv``.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from training.data import N_TRAINING_SPEAKERS, data_root, manifest, may_train

_FIELDS = ("clip", "class", "licence", "author", "url", "source")


def _city_rows() -> list[dict[str, str]]:
    return [
        {
            "clip": row["file"],
            "class": row["class"],
            "licence": row["licence"] if row["part"] == "free" else row["origin_licence"],
            "author": row["author"],
            "url": row["url"],
            "source": row["source_repo"],
        }
        for row in manifest()
        if may_train(row)
    ]


def _speech_rows() -> list[dict[str, str]]:
    with (data_root() / "data/speech/manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["file"].startswith("many_speakers/")]
    return [
        {
            "clip": row["file"],
            "class": "speech",
            "licence": row["licence"],
            "author": f"read by {row['reader'] or row['speaker']}; LibriSpeech, V. Panayotov et al.",
            "url": "https://www.openslr.org/12",
            "source": row["source"],
        }
        for row in sorted(rows, key=lambda row: row["file"])[:N_TRAINING_SPEAKERS]
    ]


def main() -> None:
    """Write one row per clip, thresholds' clips among them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    with parser.parse_args().out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*_city_rows(), *_speech_rows()])


if __name__ == "__main__":
    main()
