"""What IEC 61672-1:2013 and IEC 61260-1:2014 allow a class 1 instrument: acceptance limits, in dB if nothing is said.

Of the standards only numbers are here. The limits of the edition of 2002 are wider, by the uncertainty of measurement:
they are not mixed in. tests/standards/test_limits.py holds a second transcription and compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Float64Array: TypeAlias = NDArray[np.float64]

INFINITY = float("inf")


@dataclass(frozen=True)
class Clause:
    """One requirement.

    Parameters
    ----------
    name : str
        Standard and clause; "ours" where no standard gives a limit.
    words : str
        What it is about.
    sources : str
        Letters of the transcriptions that its limits were read from (`SOURCES`); empty for a limit of our own.
    """

    name: str
    words: str
    sources: str


#: Where numbers were read. None of them is the standard itself.
SOURCES = {
    "a": "phonometry: `metrology/compliance.py` of 3.3.0 and the test data of later versions",
    "b": "python-soundlevelmeter (N. Blumer): its extract of the four standards, and its tests",
    "c": "tests of an open sound level meter in Rust (Tables 4 and 5, decay rates); it may follow one of the others",
    "d": "python-acoustics 0.2.6: its table of A and C",
    "e": "computed: Annex E for A and C, Formulas 7 and 8 for tonebursts; rounded to 0.1 dB they give the tables",
}

TABLE_3 = Clause("IEC 61672-1:2013, Table 3", "frequency weightings A, C, Z at the nominal frequencies", "abde")
BETWEEN = Clause("IEC 61672-1:2013, 5.5.7", "frequency weightings between the nominal frequencies", "abe")
AT_1_KHZ = Clause("IEC 61672-1:2013, 5.5.9", "C and Z against A at 1 kHz", "ab")
LINEARITY = Clause("IEC 61672-1:2013, 5.6.5", "level linearity, 0 to −120 dB re full scale", "ab")
STEPS = Clause("IEC 61672-1:2013, 5.6.6", "level linearity, changes of 1 dB and of 10 dB", "b")
DECAY = Clause("IEC 61672-1:2013, 5.8.2", "decay of Fast and Slow in dB/s", "bc")
FAST_SLOW = Clause("IEC 61672-1:2013, 5.8.3", "Slow and LAeq against Fast at 1 kHz", "ab")
TABLE_4 = Clause("IEC 61672-1:2013, Table 4", "tonebursts of 4 kHz: Fast and Slow maxima, exposure level", "abce")
REPEATED = Clause("IEC 61672-1:2013, 5.10", "repeated tonebursts of 4 kHz: LAeq", "abe")
TABLE_5 = Clause("IEC 61672-1:2013, Table 5", "C-weighted peak level", "abc")
STABILITY = Clause("IEC 61672-1:2013, 5.14 and 5.15", "30 min of a tone, 1 dB below full scale", "ab")
FAR_INSIDE = Clause("ours, A weighting", "what A leaves of its limits of Table 3, less the 0.4 dB asked for", "")
METER = Clause(
    "ours, meter", "`Levels` reads what the functions read; LCpeak, what scipy finds at four times the rate", ""
)
SPLITS = Clause("ours, blocks", "LAeq, LAE and maxima do not depend on the blocks", "")
ENERGY = Clause("ours, energy", "energies of seconds and of periods sum up to the whole", "")
PERCENTILES = Clause("ours, percentiles", "LA10, LA50 and LA90 of three known levels, L10 to L90 of a ramp", "")
IMPULSE = Clause("ours, Impulse", "LAImax of tonebursts and decay in dB/s, by 35 ms and 1.5 s in closed form", "")
LDEN = Clause("ours, Lden", "Formula of Directive 2002/49/EC, Annex I, on levels that `Levels` read", "")


@dataclass(frozen=True)
class BandClauses:
    """The requirements of IEC 61260-1 on bands of one width.

    Parameters
    ----------
    words : str
        Name of the bands.
    per_octave : int
        Bands of an octave.
    """

    words: str
    per_octave: int

    def _clause(self, name: str, words: str) -> Clause:
        return Clause(f"IEC 61260-1:2014, {name}", words.format(self.words), "ab")

    @property
    def inside(self) -> Clause:
        """Table 1, between the edges."""
        return self._clause("Table 1, inside", "attenuation of {} between their edges")

    @property
    def outside(self) -> Clause:
        """Table 1, beyond them."""
        return self._clause("Table 1, outside", "attenuation of {} below and above their edges")

    @property
    def bandwidth(self) -> Clause:
        """Clause 5.12."""
        return self._clause("5.12", "effective bandwidth of {}")

    @property
    def linearity(self) -> Clause:
        """Clause 5.13."""
        return self._clause("5.13", "level linearity of {}")

    @property
    def sweep(self) -> Clause:
        """Clause 5.14."""
        return self._clause("5.14", "{} in an exponential sweep")

    @property
    def summation(self) -> Clause:
        """Clause 5.16."""
        return self._clause("5.16", "sum of neighbouring {}")


THIRD_OCTAVES = BandClauses("third octaves", 3)
OCTAVES = BandClauses("octaves", 1)

#: Table 3. Nominal frequency in Hz, A, C; upper and lower limit of the deviation. Z is 0 dB everywhere.
WEIGHTINGS = (
    (10, -70.4, -14.3, 3.0, -INFINITY),
    (12.5, -63.4, -11.2, 2.5, -INFINITY),
    (16, -56.7, -8.5, 2.0, -4.0),
    (20, -50.5, -6.2, 2.0, -2.0),
    (25, -44.7, -4.4, 2.0, -1.5),
    (31.5, -39.4, -3.0, 1.5, -1.5),
    (40, -34.6, -2.0, 1.0, -1.0),
    (50, -30.2, -1.3, 1.0, -1.0),
    (63, -26.2, -0.8, 1.0, -1.0),
    (80, -22.5, -0.5, 1.0, -1.0),
    (100, -19.1, -0.3, 1.0, -1.0),
    (125, -16.1, -0.2, 1.0, -1.0),
    (160, -13.4, -0.1, 1.0, -1.0),
    (200, -10.9, 0.0, 1.0, -1.0),
    (250, -8.6, 0.0, 1.0, -1.0),
    (315, -6.6, 0.0, 1.0, -1.0),
    (400, -4.8, 0.0, 1.0, -1.0),
    (500, -3.2, 0.0, 1.0, -1.0),
    (630, -1.9, 0.0, 1.0, -1.0),
    (800, -0.8, 0.0, 1.0, -1.0),
    (1_000, 0.0, 0.0, 0.7, -0.7),
    (1_250, 0.6, 0.0, 1.0, -1.0),
    (1_600, 1.0, -0.1, 1.0, -1.0),
    (2_000, 1.2, -0.2, 1.0, -1.0),
    (2_500, 1.3, -0.3, 1.0, -1.0),
    (3_150, 1.2, -0.5, 1.0, -1.0),
    (4_000, 1.0, -0.8, 1.0, -1.0),
    (5_000, 0.5, -1.3, 1.5, -1.5),
    (6_300, -0.1, -2.0, 1.5, -2.0),
    (8_000, -1.1, -3.0, 1.5, -2.5),
    (10_000, -2.5, -4.4, 2.0, -3.0),
    (12_500, -4.3, -6.2, 2.0, -5.0),
    (16_000, -6.6, -8.5, 2.5, -16.0),
    (20_000, -9.3, -11.2, 3.0, -INFINITY),
)

#: Sample rates of the report, and up to which nominal frequency each claims Table 3.
TOP_HZ = {16_000: 6_300, 32_000: 12_500, 44_100: 20_000, 48_000: 20_000}


def exact_hz(nominal_hz: float) -> float:
    """Return the exact frequency behind a nominal one: 1000 × 10^(k / 10) Hz (note to Table 3).

    Parameters
    ----------
    nominal_hz : float
        Such as 31.5.

    Returns
    -------
    float
        Such as 31.62.
    """
    return float(10 ** (round(10 * np.log10(nominal_hz)) / 10))


#: Poles of Annex E in Hz.
F1, F2, F3, F4 = 20.598997, 107.65265, 737.86223, 12194.217


def analogue_db(hz: Float64Array, kind: str) -> Float64Array:
    """Return the design goal of a frequency weighting (Annex E).

    Parameters
    ----------
    hz : numpy.ndarray
        Frequencies.
    kind : str
        "A", "C" or "Z".

    Returns
    -------
    numpy.ndarray
        Gain in dB, 0 at 1 kHz.
    """

    def power(f: Float64Array) -> Float64Array:
        c = f**4 / ((f**2 + F1**2) * (f**2 + F4**2)) ** 2
        return c if kind == "C" else c * f**4 / ((f**2 + F2**2) * (f**2 + F3**2))

    if kind == "Z":
        return np.zeros_like(hz)
    gain_db: Float64Array = 10 * np.log10(power(hz) / power(np.array(1_000.0)))
    return gain_db


#: Table 4, LAFmax − LA and LAE − LA: duration in ms, both references, upper and lower limit.
BURSTS_FAST = (
    (1_000, 0.0, 0.0, 0.5, -0.5),
    (500, -0.1, -3.0, 0.5, -0.5),
    (200, -1.0, -7.0, 0.5, -0.5),
    (100, -2.6, -10.0, 1.0, -1.0),
    (50, -4.8, -13.0, 1.0, -1.0),
    (20, -8.3, -17.0, 1.0, -1.0),
    (10, -11.1, -20.0, 1.0, -1.0),
    (5, -14.1, -23.0, 1.0, -1.0),
    (2, -18.0, -27.0, 1.0, -1.5),
    (1, -21.0, -30.0, 1.0, -2.0),
    (0.5, -24.0, -33.0, 1.0, -2.5),
    (0.25, -27.0, -36.0, 1.0, -3.0),
)

#: Table 4, LASmax − LA, with limits of its own: duration in ms, reference, upper and lower limit.
BURSTS_SLOW = (
    (1_000, -2.0, 0.5, -0.5),
    (500, -4.1, 0.5, -0.5),
    (200, -7.4, 0.5, -0.5),
    (100, -10.2, 1.0, -1.0),
    (50, -13.1, 1.0, -1.0),
    (20, -17.0, 1.0, -1.5),
    (10, -20.0, 1.0, -2.0),
    (5, -23.0, 1.0, -2.5),
    (2, -27.0, 1.0, -3.0),
)

#: Table 5, LCpeak − LC: cycles (−0.5 is the negative half), frequency in Hz, reference, limit on both sides.
PEAKS = (
    (1.0, 31.5, 2.5, 2.0),
    (1.0, 500, 3.5, 1.0),
    (1.0, 8_000, 3.4, 2.0),
    (0.5, 500, 2.4, 1.0),
    (-0.5, 500, 2.4, 1.0),
)

#: 5.8.2, in dB/s: time weighting, goal, upper and lower limit.
DECAYS = (("F", 34.7, 3.8, -3.7), ("S", 4.3, 0.8, -0.7))

AT_1_KHZ_DB = 0.2
FAST_SLOW_DB = 0.1
LINEARITY_DB = 0.8
STEPS_DB = 0.3
STABILITY_DB = 0.1

#: IEC 61260-1, Table 1, base 10: octave ratio, and (exponent of the octave mask, limit of the attenuation).
OCTAVE = 10**0.3
MOST_ATTENUATION = ((0, 0.4), (1 / 8, 0.5), (1 / 4, 0.7), (3 / 8, 1.4), (1 / 2, 5.3))
LEAST_ATTENUATION = ((1 / 2, 1.2), (1, 16.6), (2, 40.5), (3, 60.0), (4, 70.0))
LEAST_INSIDE = -0.4

BANDWIDTH_DB = 0.4
SWEEP_DB = 0.4
#: Down to 40 dB below the upper end, and below.
BAND_LINEARITY_DB = (0.5, 0.7)
#: The formula has +0.8 and −1.8 dB, the words name the difference the other way round: the narrower side counts twice.
SUMMATION_DB = 0.8


def mask_ratio(exponent: Float64Array | float, per_octave: int = 3) -> Float64Array:
    """Return where a breakpoint of the octave mask lies for narrower bands (5.10, Formula 9).

    Parameters
    ----------
    exponent : numpy.ndarray or float
        Of the octave ratio: 1/2 is the edge of an octave.
    per_octave : int, default=3
        Bands of an octave; 1 gives the octave mask itself.

    Returns
    -------
    numpy.ndarray
        Frequency re the midband; 1 over it is the breakpoint below.
    """
    scale = (OCTAVE ** (0.5 / per_octave) - 1) / (OCTAVE**0.5 - 1)
    return np.asarray(1 + scale * (OCTAVE ** np.asarray(exponent, np.float64) - 1))


def mask_db(ratio: Float64Array, per_octave: int = 3) -> tuple[Float64Array, Float64Array]:
    """Return least and most attenuation of a band; between breakpoints linear in lg of the frequency.

    Parameters
    ----------
    ratio : numpy.ndarray
        Frequency re the midband.
    per_octave : int, default=3
        Bands of an octave.

    Returns
    -------
    least : numpy.ndarray
        In dB.
    most : numpy.ndarray
        In dB; infinity outside the band. At its very edge both hold.
    """
    place, edge = np.abs(np.log10(ratio)), np.log10(mask_ratio(0.5, per_octave))
    inner, most = zip(*MOST_ATTENUATION, strict=True)
    outer, least = zip(*LEAST_ATTENUATION, strict=True)
    inner_place, outer_place = (np.log10(mask_ratio(np.array(x), per_octave)) for x in (inner, outer))
    return (
        np.where(place < edge - 1e-9, LEAST_INSIDE, np.interp(place, outer_place, least)),
        np.where(place > edge + 1e-9, INFINITY, np.interp(place, inner_place, most)),
    )
