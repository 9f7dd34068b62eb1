"""A sound level meter for a stream that comes in blocks, after IEC 61672-1."""

from array import array
from typing import NamedTuple, NoReturn

import numpy as np
from dsp_core._dsp_core import LevelMeter, ParameterError
from dsp_core.arrays.check import Float32Array, as_positive, as_rows, as_sample_rate, refuse
from dsp_core.arrays.levels import percentile_level
from dsp_core.arrays.weighting import weighting_top_hz
from numpy.typing import NDArray


class SecondLevels(NamedTuple):
    """Levels of k complete seconds, in dB re the meter's `reference`; shape=(k,), if nothing else is said.

    Parameters
    ----------
    second : numpy.ndarray
        Number of each second from the start of the stream; int64.
    laeq_db : numpy.ndarray
        A-weighted equivalent level of the second, LAeq,1s.
    lafmax_db : numpy.ndarray
        Highest A-weighted Fast level at any sample of the second.
    lasmax_db : numpy.ndarray
        Highest A-weighted Slow level at any sample of the second.
    lceq_db : numpy.ndarray
        C-weighted equivalent level of the second.
    lzeq_db : numpy.ndarray
        Equivalent level of the second with Z: not weighted.
    lcpeak_db : numpy.ndarray
        C-weighted peak level, LCpeak.
    laf_db : numpy.ndarray
        A-weighted Fast level at the end of each eighth of the second, shape=(k, 8).
    """

    second: NDArray[np.int64]
    laeq_db: NDArray[np.float64]
    lafmax_db: NDArray[np.float64]
    lasmax_db: NDArray[np.float64]
    lceq_db: NDArray[np.float64]
    lzeq_db: NDArray[np.float64]
    lcpeak_db: NDArray[np.float64]
    laf_db: NDArray[np.float64]


class LevelSummary(NamedTuple):
    """Levels over everything that a meter heard, in dB re its `reference`.

    Parameters
    ----------
    duration_s : float
        Length of what was heard, T, in seconds.
    laeq_db : float
        A-weighted equivalent level, LAeq,T.
    lae_db : float
        A-weighted sound exposure level: the level of the same energy in 1 s.
    lafmax_db : float
        Highest A-weighted Fast level.
    lasmax_db : float
        Highest A-weighted Slow level.
    lceq_db : float
        C-weighted equivalent level, LCeq,T.
    lzeq_db : float
        Equivalent level with Z, LZeq,T: not weighted.
    lcpeak_db : float
        C-weighted peak level, LCpeak.
    la10_db : float
        Level that the A-weighted Fast level, taken each 125 ms, exceeds 10 % of the time.
    la50_db : float
        The same for 50 % of the time.
    la90_db : float
        The same for 90 % of the time.
    top_hz : float
        Highest nominal frequency up to which these levels meet the response limits of class 1 at the meter's sample
        rate (`weighting_top_hz`): 20000 from 42006 Hz on, 6300 at 16000 Hz, where class 1 cannot be held.
    """

    duration_s: float
    laeq_db: float
    lae_db: float
    lafmax_db: float
    lasmax_db: float
    lceq_db: float
    lzeq_db: float
    lcpeak_db: float
    la10_db: float
    la50_db: float
    la90_db: float
    top_hz: float


class Levels:
    """Measure the levels of a stream that comes in blocks of any length.

    Parameters
    ----------
    sample_rate : int
        Sample rate in Hz, 8000 to 192000.
    reference : float, default=1.0
        Rms value of 0 dB: 20e-6 for signals in pascals.

    Raises
    ------
    ParameterError
        If an argument does not fit.

    See Also
    --------
    leq : Equivalent level of a signal that lies there as a whole.

    Notes
    -----
    Filters and detectors are those of `a_weighting`, `c_weighting`, `z_weighting` and `time_weighting`, from rest at
    the first sample; sums are of 64 bits. The results are the same bytes whatever the blocks.

    LCpeak is the highest magnitude of the C-weighted signal at four times the sample rate: a polyphase interpolator (a
    sinc under a Kaiser window, 16 samples long) gives three values between each two samples. A steady tone at a quarter
    of the rate reads at most 0.2 dB low, one at 0.4 of the rate 0.4 dB. What lies between samples is known eight
    samples later: the last 0.2 ms of a second count for the next one, those of the stream by their samples alone.

    Digital silence is −300 dB re 1, never minus infinity. The meter keeps the Fast levels, 64 bytes for each second
    heard.

    References
    ----------
    IEC 61672-1:2013, 3.9, 3.11, 3.12, 5.8 and 5.13 (Table 5); ISO 1996-1:2016, 3.1.3.

    Examples
    --------
    >>> import numpy as np
    >>> from dsp_core.arrays import Levels
    >>> y = np.sin(2 * np.pi * 1_000 * np.arange(144_000) / 48_000).astype(np.float32)
    >>> meter = Levels(sample_rate=48_000)
    >>> for block in np.split(y, 6):
    ...     seconds = meter.push(block)
    >>> seconds.second, seconds.laeq_db.round(2), seconds.laf_db.shape
    (array([2]), array([-3.01]), (1, 8))
    >>> summary = meter.summary()
    >>> print(f"LAeq {summary.laeq_db:.1f}, LAE {summary.lae_db:.1f}, LA50 {summary.la50_db:.1f}")
    LAeq -3.0, LAE 1.8, LA50 -3.0
    """

    def __init__(self, *, sample_rate: int, reference: float = 1.0) -> None:
        self._sample_rate = as_sample_rate(sample_rate)
        self._meter = LevelMeter(sample_rate=self._sample_rate, reference=as_positive("reference", reference))
        self._laf_db = array("d")

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or pickled: two would share what was heard."""
        raise TypeError("Levels: expected one meter for each stream, got a copy")

    def push(self, y: Float32Array) -> SecondLevels:
        """Hear the next block.

        Parameters
        ----------
        y : numpy.ndarray
            Samples; float32, shape=(n,), C-contiguous.

        Returns
        -------
        SecondLevels
            Of the seconds that end with this block, none, one or more.

        Raises
        ------
        ParameterError
            If it is no such array, or holds NaN or infinity; nothing of it is heard then.
        """
        rows, leading = as_rows(y)
        if leading:
            raise refuse("y", "shape (n,), one meter for each channel", f"shape {y.shape}")
        table = self._meter.push(rows[0])
        laf_db = table[:, 7:]
        self._laf_db.frombytes(laf_db.tobytes())
        second, *six = np.ascontiguousarray(table[:, :7].T)
        laeq_db, lafmax_db, lasmax_db, lceq_db, lzeq_db, lcpeak_db = six
        return SecondLevels(second.astype(np.int64), laeq_db, lafmax_db, lasmax_db, lceq_db, lzeq_db, lcpeak_db, laf_db)

    def summary(self) -> LevelSummary:
        """Sum up everything heard so far, the begun second included; percentiles up to the last complete eighth.

        Returns
        -------
        LevelSummary
            Levels in dB.

        Raises
        ------
        ParameterError
            If less than an eighth of a second was heard.
        """
        laf_db = np.concatenate([np.array(self._laf_db), self._meter.begun_laf_db()])
        duration_s = self._meter.n_samples / self._sample_rate
        total = self._meter.total()
        if total is None or not laf_db.size:
            raise ParameterError(f"push: expected at least 0.125 s before a summary, got {duration_s} s")
        la10_db, la50_db, la90_db = (float(percentile_level(laf_db, percent=percent)) for percent in (10, 50, 90))
        laeq_db, lafmax_db, lasmax_db, lceq_db, lzeq_db, lcpeak_db = total
        return LevelSummary(
            duration_s=duration_s,
            laeq_db=laeq_db,
            lae_db=laeq_db + 10 * float(np.log10(duration_s)),
            lafmax_db=lafmax_db,
            lasmax_db=lasmax_db,
            lceq_db=lceq_db,
            lzeq_db=lzeq_db,
            lcpeak_db=lcpeak_db,
            la10_db=la10_db,
            la50_db=la50_db,
            la90_db=la90_db,
            top_hz=weighting_top_hz(sample_rate=self._sample_rate),
        )
