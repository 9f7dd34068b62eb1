"""What the whole chain finds in recordings: from a file to released events, under the policy `street`.

The classifier alone is evaluated where it is trained; here source, describe, trigger, classify and gate stand between a
sound and its event. The recordings are the test splits, which training and thresholds did not see. Nothing is random.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from itertools import product

import numpy as np
import pytest
from benches.detection_scenes import (
    Chain,
    Clip,
    Count,
    Mix,
    data,
    extended,
    readers,
    scene,
    unheard,
    utterances,
)
from benches.test_chain import every_window
from dsp_core.records import Event
from tests.conftest import absent
from tests.sounds import RATE

from sourdine.policy import load

FLOORS = {"glass_break": 0.60, "siren": 0.75, "horn": 0.50}
CLASSES = (*FLOORS, "fireworks")
MAX_FALSE = 0.05
AT_10_DB = Mix(10.0)
MIXES = {
    "+20 dB": Mix(20.0),
    "+10 dB": AT_10_DB,
    "+0 dB": Mix(0.0),
    "+10 dB, from 0 s": Mix(10.0, lead_s=0.0),
    "+10 dB, after 12 s": Mix(10.0, lead_s=12.0),
    "+0 dB, after 12 s": Mix(0.0, lead_s=12.0),
    "+10 dB, 20 dB quieter": Mix(10.0, quieter_db=20.0),
    "+10 dB, 40 dB quieter": Mix(10.0, quieter_db=40.0),
}
WITH_OPEN_DIAL = ("+20 dB", "+10 dB", "+0 dB", "+10 dB, after 12 s", "+0 dB, after 12 s")
SPEECH_LEVELS_DB = (0.0, 10.0, 20.0)

ChainOf = Callable[[bool], Chain]
Pair = tuple[list[Event], list[Event]]


@pytest.fixture(scope="module")
def chain_of(tmp_path_factory: pytest.TempPathFactory) -> ChainOf:
    """Give the chain under the policy as it is, or with its dial open."""
    for name in ("city_sounds", "speech"):
        if not data(name).is_dir():
            absent(f"SOURDINE_DATA/data/{name}")
    folder = tmp_path_factory.mktemp("detection")
    policy = load("street", today=date(2026, 1, 1)).core
    return cache(lambda is_open: Chain(every_window(policy) if is_open else policy, folder))


def beds() -> list[Clip]:
    """Return the five ambiences: two clips of one street, three quiet places."""
    return [*unheard("street_ambience"), *unheard("quiet_ambience")]


@cache
def of_its_own(chain_of: ChainOf, bed: Clip) -> list[Event]:
    """Return the events of an ambience alone, every window of it classified."""
    return chain_of(True).hear(0.5 * extended(bed.samples, 30 * RATE) / np.abs(bed.samples).max())


def count(chain_of: ChainOf, is_open: bool, own: str, mix: Mix) -> Count:
    """Hear every clip of a class over every ambience."""
    total = Count(own)
    for clip, bed in product(unheard(own), beds()):
        made = scene(clip.samples, bed.samples, mix)
        total.add(chain_of(is_open).hear(made.samples), of_its_own(chain_of, bed), made.slots)
    return total


def wrong(total: Count) -> str:
    """Say how many wrong events there were, and of which class."""
    return f"{total.wrong.total()} wrong" + "".join(f", {name} {n}" for name, n in sorted(total.wrong.items()))


def line(name: str, closed: Count, opened: Count | None) -> str:
    """Write one line of a class's table."""
    text = f"  {name:<22} {closed.share:.2f} of {len(closed.found)} ({wrong(closed)})"
    if opened is None:
        return text
    pairs = list(zip(closed.found, opened.found, strict=True))
    lost, gained = (sum(o and not c for c, o in pairs), sum(c and not o for c, o in pairs))
    text += f"; every window classified {opened.share:.2f} ({wrong(opened)})"
    return f"{text}; the trigger loses {lost}" + (f", gains {gained}" if gained else "")


@pytest.mark.parametrize("own", CLASSES)
def test_events_in_ambience(chain_of: ChainOf, own: str) -> None:
    """Each clip over each ambience: what leaves as its class, and what of it the trigger loses."""
    clips = unheard(own)
    clean = (Count(own), Count(own))
    for clip, (is_open, total) in product(clips, enumerate(clean)):
        total.add(chain_of(bool(is_open)).hear_file(clip.path))
    print(f"\n{own}: {len(clips)} clips of {len({c.group for c in clips})} recordings, {len(beds())} ambiences")
    print(line("clean, as files", *clean))
    shares = {}
    for name, mix in MIXES.items():
        closed = count(chain_of, False, own, mix)
        opened = count(chain_of, True, own, mix) if name in WITH_OPEN_DIAL else None
        shares[name] = closed.share
        print(line(name, closed, opened), flush=True)
    if own in FLOORS:
        assert shares["+10 dB"] >= FLOORS[own]
        assert shares["+10 dB, after 12 s"] >= FLOORS[own]


def told(found: list[list[Event]]) -> str:
    """Say in how many scenes there were events, and which classes."""
    n_with = sum(bool(events) for events in found)
    names = sorted({event.sound_class for events in found for event in events})
    return f"{n_with} of {len(found)} ({n_with / len(found):.1%}) {' '.join(names)}".rstrip()


def test_false_events(chain_of: ChainOf) -> None:
    """Weather, quiet places and voices, as files: seldom an event."""
    kinds = {kind: unheard(kind) for kind in ("rain", "wind", "quiet_ambience")}
    kinds |= {"speech, 40 readers": readers(), "speech, many utterances of six readers": utterances()}
    print("\nclips with an event, as files:")
    together = []
    for name, clips in kinds.items():
        found = [chain_of(False).hear_file(clip.path) for clip in clips]
        opened = [chain_of(True).hear_file(clip.path) for clip in clips]
        print(f"  {name}: {told(found)}; every window classified: {told(opened)}")
        together += found
    print(f"  together: {told(together)}")
    minutes = [chain_of(False).hear(extended(bed.samples, 60 * RATE)) for bed in beds()]
    print(f"  each of the five ambiences for a minute: {told(minutes)}")
    assert sum(bool(events) for events in together) <= MAX_FALSE * len(together)


def test_speech_over_a_street(chain_of: ChainOf) -> None:
    """Voices over the street alone: how many make an event. Reported, not asserted."""
    street = unheard("street_ambience")
    print(
        f"\nspeech over the street, {len(readers())} readers and {len(utterances())} utterances, {len(street)} clips:"
    )
    voices = [*readers(), *utterances()]
    for level_db, bed in product(SPEECH_LEVELS_DB, street):
        scenes = [scene(voice.samples, bed.samples, Mix(level_db)) for voice in voices]
        with_voice = told([chain_of(False).hear(made.samples) for made in scenes])
        without = told([of_its_own(chain_of, bed)])
        print(f"  {level_db:+.0f} dB, {bed.path.stem}: {with_voice}; the street alone {without}", flush=True)


def differ(pairs: list[Pair]) -> str:
    """Count the pairs whose events differ: in any bit, in class or second, in the classes that there are."""
    n_bits = sum([bytes(e) for e in a] != [bytes(e) for e in b] for a, b in pairs)
    n_slots = sum([(e.sound_class, e.slot) for e in a] != [(e.sound_class, e.slot) for e in b] for a, b in pairs)
    n_classes = sum({e.sound_class for e in a} != {e.sound_class for e in b} for a, b in pairs)
    return f"of {len(pairs)} pairs differ {n_bits} in any bit, {n_slots} in class or second, {n_classes} in classes"


@pytest.mark.parametrize("is_open", [False, True])
def test_who_talks(chain_of: ChainOf, is_open: bool) -> None:
    """The same event in the same place while one or another person talks, as loud as it. Reported, not asserted."""
    places = [bed for bed in beds() if not of_its_own(chain_of, bed)][:2]
    voices, chain = [reader.samples for reader in readers()], chain_of(is_open)
    print(
        f"\nevent at +10 dB over a street and a quiet place, a reader at 0 dB, dial {'open' if is_open else 'street'}:"
    )
    every: list[Pair] = []
    other_words: list[Pair] = []
    for own in FLOORS:
        alone, talked, pairs = Count(own), Count(own), []
        for i, (clip, bed) in enumerate(product(unheard(own), places)):
            bare = scene(clip.samples, bed.samples, AT_10_DB)
            alone.add(chain.hear(bare.samples), of_its_own(chain_of, bed), bare.slots)
            one, other = voices[i % len(voices)], voices[(i + 7) % len(voices)]
            talks = (one, other, np.roll(one, len(one) // 2))
            heard = [chain.hear(scene(clip.samples, bed.samples, AT_10_DB, talk).samples) for talk in talks]
            pairs.append((heard[0], heard[1]))
            other_words.append((heard[0], heard[2]))
            for events in heard[:2]:
                talked.add(events, of_its_own(chain_of, bed), bare.slots)
        every += pairs
        print(f"  {own}: {alone.share:.2f} alone, {talked.share:.2f} under speech; {differ(pairs)}", flush=True)
    print(f"  together: {differ(every)}\n  the same reader's other words instead: {differ(other_words)}")
    assert len(every) >= 60
