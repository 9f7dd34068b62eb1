"""Evaluates a weights file on the test splits, with YAMNet zero-shot in the same run.

Run from ``pipeline/``: ``python -m training.evaluate --weights ../dsp_core/model/street.bin``. It stands beside the
training because it needs the same front end and the same reader of the weights file, and nothing of the wheel. What it
computes comes from the exported file, never from a float checkpoint.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training import yamnet
from training.calibrate import Scores, over, score
from training.data import (
    ALERT_CLASSES,
    CLASS_NAMES,
    IN_BAND_CLASSES,
    SOUND_CLASSES,
    Clip,
    data_root,
    log_mel,
    loud_windows,
    masked,
    read_16k,
    speakers,
    test_clips,
)
from training.export import ClassRule, params_of, read_bin
from training.network import Params, logits_in_batches

FALSE_POSITIVES = (0.01, 0.05)
MIXED_CLASSES = ("glass_break", "siren", "horn", "gunshot", "explosion")
QUIET_KINDS = ("rain", "wind", "quiet_ambience", "speech")
YAMNET_CLASSES: dict[str, tuple[str, ...]] = {
    "glass_break": ("Glass", "Shatter"),
    "gunshot": ("Gunshot, gunfire", "Machine gun", "Fusillade", "Artillery fire", "Cap gun"),
    "explosion": ("Explosion", "Boom"),
    "siren": (
        "Siren",
        "Police car (siren)",
        "Ambulance (siren)",
        "Fire engine, fire truck (siren)",
        "Civil defense siren",
        "Emergency vehicle",
    ),
    "horn": ("Vehicle horn, car horn, honking", "Air horn, truck horn", "Toot"),
}


def hits(scores: Scores, rules: list[ClassRule]) -> NDArray[np.bool_]:
    """Apply the release rule to every window: which classes stand on what they must stand on.

    Parameters
    ----------
    scores : Scores
        Logits of both passes.
    rules : list of ClassRule
        Thresholds.

    Returns
    -------
    ndarray, bool, shape=(n_windows, n_classes)
        True where a class hits.
    """
    full = np.array([r.full_threshold for r in rules], np.float32)
    behind_mask = np.array([r.masked_threshold for r in rules], np.float32)
    in_band = np.array([name in IN_BAND_CLASSES for name in CLASS_NAMES])
    hit: NDArray[np.bool_] = (scores.full >= full) & (in_band | (scores.masked >= behind_mask))
    return hit


def released(scores: Scores, rules: list[ClassRule]) -> NDArray[np.bool_]:
    """Return which classes each scene releases: per window the one furthest over its full threshold."""
    hit = hits(scores, rules)
    margin = scores.full - np.array([r.full_threshold for r in rules], np.float32)
    best = np.where(hit, margin, -np.inf)
    winner = (best == best.max(axis=1, keepdims=True)) & hit
    out = np.zeros((len(scores.labels), len(rules)), bool)
    np.logical_or.at(out, scores.scene, winner)
    return out


def alert_recall(
    maxima: NDArray[np.float32], labels: list[str | None], classes: tuple[str, ...], share: float
) -> tuple[float, NDArray[np.bool_]]:
    """Measure alert recall at a share of false positives, calibrated per class on its own negatives.

    Parameters
    ----------
    maxima : ndarray, float32, shape=(n_clips, n_alert_classes)
        Greatest score of each clip.
    labels : list of str or None
        Exported class of each clip.
    classes : tuple of str
        The alert classes, in the order of the columns.
    share : float
        Share of the other clips that may pass.

    Returns
    -------
    tuple
        Recall, and which alert clips were found.

    Notes
    -----
    A class's score is counted from the 95 % quantile of its own negatives, in units of their mean excess over it, so
    that one threshold means the same for every class. The alert score is the greatest of them.
    """
    standing = np.zeros(maxima.shape)
    for i, name in enumerate(classes):
        own = np.array([label != name for label in labels])
        body = np.quantile(maxima[own, i], 0.95)
        excess = maxima[own, i][maxima[own, i] > body] - body
        standing[:, i] = (maxima[:, i] - body) / (excess.mean() + 1e-9)
    alert = standing.max(axis=1)
    is_alert = np.array([label in classes for label in labels])
    rest = np.sort(alert[~is_alert])[::-1]
    threshold = rest[int(share * len(rest))]
    found = alert[is_alert] > threshold
    return float(found.mean()), found


def loud_scores(params: Params, clips: list[Clip]) -> Scores:
    """Score the windows within 30 dB of each clip's loudest, full and masked."""
    cut = [loud_windows(clip.samples) for clip in clips]
    index = np.repeat(np.arange(len(clips)), [len(c) for c in cut])
    windows = log_mel(np.concatenate(cut))
    return Scores(
        logits_in_batches(params, windows),
        logits_in_batches(params, masked(windows)),
        index,
        [clip.sound_class or clip.source_class for clip in clips],
    )


def yamnet_maxima(clips: list[Clip]) -> NDArray[np.float32]:
    """Return YAMNet's greatest log-odds for each alert class over the same windows, shape=(n_clips, 5)."""
    model = yamnet.Yamnet(data_root() / "models/yamnet_classification.tflite")
    names = yamnet.class_names(data_root() / "models/yamnet_class_map.csv")
    columns = [[names.index(n) for n in YAMNET_CLASSES[name]] for name in ALERT_CLASSES]
    out = np.zeros((len(clips), len(ALERT_CLASSES)), np.float32)
    for i, clip in enumerate(clips):
        scores = np.stack([model.scores(w) for w in loud_windows(clip.samples)]).max(axis=0)
        out[i] = [scores[c].max() for c in columns]
    clipped = np.clip(out, 1.0 / 512.0, 1.0 - 1.0 / 512.0)
    return np.asarray(np.log(clipped / (1.0 - clipped)), np.float32)


def _alert_lines(params: Params, rules: list[ClassRule], clips: list[Clip]) -> list[str]:
    scores = loud_scores(params, clips)
    labels = [clip.sound_class for clip in clips]
    columns = [CLASS_NAMES.index(name) for name in ALERT_CLASSES]
    floor = scores.full.min() - 1.0
    stands = hits(scores, [ClassRule(r.code, False, floor, r.masked_threshold, 1.0) for r in rules])
    ruled = np.where(stands, scores.full, floor)
    systems = {
        "street.bin, full pass": scores.maxima(scores.full)[:, columns],
        "street.bin, release rule": scores.maxima(ruled)[:, columns],
        "YAMNet zero-shot": yamnet_maxima(clips),
    }
    n_alert = sum(label in ALERT_CLASSES for label in labels)
    lines = [f"Alert recall, {n_alert} alert clips against {len(clips) - n_alert} others, {len(scores.full)} windows:"]
    own = [label for label in labels if label in ALERT_CLASSES]
    for system, maxima in systems.items():
        for share in FALSE_POSITIVES:
            recall, found = alert_recall(maxima, labels, ALERT_CLASSES, share)
            per_class = [np.mean([f for f, o in zip(found, own, strict=True) if o == n]) for n in ALERT_CLASSES]
            detail = ", ".join(f"{n} {v:.2f}" for n, v in zip(ALERT_CLASSES, per_class, strict=True))
            lines.append(f"  {system}, {share:.0%} false positives: {recall:.2f} ({detail})")
    return lines


def _average_precision(values: NDArray[np.float32], is_own: NDArray[np.bool_]) -> float:
    ranked = is_own[np.argsort(-values, kind="stable")]
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return float(precision[ranked].mean())


def _class_lines(params: Params, rules: list[ClassRule], clips: list[Clip]) -> list[str]:
    scores = score(params, [c.samples for c in clips], [c.source_class for c in clips])
    out, full = released(scores, rules), scores.maxima(scores.full)
    over_full = full >= np.array([r.full_threshold for r in rules], np.float32)
    lines = [
        "| class | test clips | recordings | full pass over threshold | released as it | average precision "
        "| other clips released as it | experimental |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for i, name in enumerate(CLASS_NAMES):
        is_own = np.array([clip.source_class in SOUND_CLASSES[name][1] for clip in clips])
        n_groups = len({c.group for c, own in zip(clips, is_own, strict=True) if own})
        if not is_own.any():
            continue
        lines.append(
            f"| {name} | {is_own.sum()} | {n_groups} | {over_full[is_own, i].mean():.2f} "
            f"| {out[is_own, i].mean():.2f} | {_average_precision(full[:, i], is_own):.2f} "
            f"| {out[~is_own, i].sum()} of {(~is_own).sum()} | {'yes' if rules[i].is_experimental else 'no'} |"
        )
    return lines


def _utterances() -> list[Clip]:
    folder = data_root() / "data/speech/many_utterances"
    return [
        Clip(f"many_utterances/{p.name}", "speech", p.name.split("-")[0], "test", "speech", read_16k(p))
        for p in sorted(folder.glob("*.flac"))
    ]


def _false_alarm_lines(params: Params, rules: list[ClassRule], clips: list[Clip]) -> list[str]:
    quiet = [c for c in [*clips, *speakers(for_test=True)] if c.source_class in QUIET_KINDS]
    shipped = np.array([not r.is_experimental for r in rules])
    lines = ["Clips with an event at the shipped thresholds (all classes / without experimental ones):"]
    total = np.zeros(3, int)
    for kind, chosen in [
        *((k, [c for c in quiet if c.source_class == k]) for k in QUIET_KINDS),
        ("speech, many utterances of six readers", _utterances()),
    ]:
        scores = score(params, [c.samples for c in chosen], [c.source_class for c in chosen])
        out = released(scores, rules)
        counts = np.array([len(chosen), out.any(axis=1).sum(), out[:, shipped].any(axis=1).sum()])
        total += counts
        which = [name for i, name in enumerate(CLASS_NAMES) if out[:, i].any()]
        lines.append(f"  {kind}: {counts[1]} / {counts[2]} of {counts[0]} clips {' '.join(which)}")
    lines.append(f"  together: {total[1]} / {total[2]} of {total[0]}, {total[1] / total[0]:.1%}")
    return lines


def _mixed_lines(params: Params, rules: list[ClassRule], clips: list[Clip]) -> list[str]:
    beds = [c.samples for c in clips if c.source_class in ("street_ambience", "quiet_ambience")]
    voices = [c.samples for c in speakers(for_test=True)]
    lines = [f"Released as its class, each clip over each of {len(beds)} test ambiences (street 2, quiet 3):"]
    for name in MIXED_CLASSES:
        own = [c.samples for c in clips if c.sound_class == name]
        parts = []
        for snr_db, with_voice in ((20.0, False), (10.0, False), (0.0, False), (10.0, True)):
            scenes = [over(s, bed, snr_db) for s in own for bed in beds]
            if with_voice:
                scenes = [over(s, voices[i % len(voices)], 0.0) for i, s in enumerate(scenes)]
            scores = score(params, [s / np.abs(s).max() for s in scenes], [name] * len(scenes))
            share = released(scores, rules)[:, CLASS_NAMES.index(name)].mean()
            parts.append(f"{snr_db:+.0f} dB{' under speech at 0 dB' if with_voice else ''} {share:.2f}")
        lines.append(f"  {name} ({len(own)} clips): " + ", ".join(parts))
    return lines


def report(weights: Path) -> str:
    """Evaluate a weights file on the test splits.

    Parameters
    ----------
    weights : Path
        File written by the export.

    Returns
    -------
    str
        All figures as Markdown.
    """
    layers, rules = read_bin(weights)
    params = params_of(layers)
    clips = test_clips()
    sections = (_alert_lines, _class_lines, _false_alarm_lines, _mixed_lines)
    return "\n\n".join("\n".join(section(params, rules, clips)) for section in sections)


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    print(report(parser.parse_args().weights))


if __name__ == "__main__":
    main()
