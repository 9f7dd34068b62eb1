"""How unusual a moment of a recording is: the score that the zone's trigger asks, on recordings of one's own."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from dsp_core._dsp_core import ArrayScorer
from dsp_core.arrays.check import Float32Array, as_rows, is_number, refuse

_N_BANDS = 64


class AnomalyScorer:
    """Scores how far each 200 ms stands out of what a recording usually sounds like.

    Parameters
    ----------
    alarms_per_day : float, default=1000.0
        The dial: about how many alarms a day of such sound should give; over 0, at most 4000. Units over the threshold
        within 10 s of the first are one alarm, and so are those that go on, up to 20 s.

    Raises
    ------
    ParameterError
        If the dial is out of its range.

    Notes
    -----
    A unit is the mean of 20 log-mel frames. Per band two running centres and scales are kept (30 s, 1 h); the score
    is the mean of the 8 most raised bands, in scales, averaged with the shrinkage Mahalanobis length of 16 pooled
    bands. A score has no unit: 0 is usual, 2 and more is rare, and only its threshold says how rare.

    Scales and threshold begin with those of a street, and the gain is fitted within the first seconds. The first 2 s
    are scored, but the threshold learns nothing from them; it suits the recording after minutes, at a dial of a few
    alarms a day after days. Learning stands still while something stands out, for at most 10 s: what stays becomes
    usual. Each recording has a scorer of its own.

    References
    ----------
    Threshold from the extreme-value tail: A. Siffer et al., Anomaly Detection in Streams with Extreme Value Theory,
    KDD 2017, doi 10.1145/3097983.3098144.

    Examples
    --------
    >>> import numpy as np
    >>> from dsp_core import AnomalyScorer, log_mel
    >>> y = np.random.default_rng(1).normal(0, 0.01, 16000 * 60).astype(np.float32)
    >>> y[16000 * 40 : 16000 * 41] *= 30
    >>> scores, thresholds = AnomalyScorer().score(log_mel(y, sample_rate=16000))
    >>> bool(40.0 <= scores.argmax() * 0.2 < 41.0)
    True
    """

    def __init__(self, *, alarms_per_day: float = 1000.0) -> None:
        if not is_number(alarms_per_day):
            raise refuse("alarms_per_day", "a number over 0, at most 4000", type(alarms_per_day).__name__)
        self._alarms_per_day = float(alarms_per_day)
        self._scorer = ArrayScorer(self._alarms_per_day)

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or pickled: two would share what was learned."""
        raise TypeError("AnomalyScorer: expected one for each stream, got a copy")

    def push(self, frames: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Take the next frames of a stream.

        Parameters
        ----------
        frames : numpy.ndarray
            float32, shape=(n_frames, 64), from `log_mel` with its defaults at 16 kHz.

        Returns
        -------
        scores : numpy.ndarray
            float32, shape=(n_units,): of the units of 20 frames that these frames complete. The same bytes for any
            cut into calls.
        thresholds : numpy.ndarray
            float32, shape=(n_units,): what each was held against; ``scores > thresholds`` stands out.

        Raises
        ------
        ParameterError
            If `frames` is no such array.
        """
        return _columns(self._scorer.push(_checked(frames)))

    def finish(self) -> tuple[Float32Array, Float32Array]:
        """End the stream; the next `push` begins another, with nothing learned.

        Returns
        -------
        scores : numpy.ndarray
            float32, shape=(0,) or (1,): of the unit that is not complete, if a frame of it came.
        thresholds : numpy.ndarray
            float32, of the same shape.
        """
        last = _columns(self._scorer.finish())
        self._scorer = ArrayScorer(self._alarms_per_day)
        return last

    def score(self, frames: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Score a whole recording; a stream that is under way is left alone.

        Parameters
        ----------
        frames : numpy.ndarray
            float32, shape=(n_frames, 64), from `log_mel` with its defaults at 16 kHz.

        Returns
        -------
        scores : numpy.ndarray
            float32, shape=(ceil(n_frames / 20),): unit k begins at 0.2 k seconds.
        thresholds : numpy.ndarray
            float32, of the same shape; ``scores > thresholds`` stands out.

        Raises
        ------
        ParameterError
            If `frames` is no such array.
        """
        whole = ArrayScorer(self._alarms_per_day)
        return _columns(np.concatenate([whole.push(_checked(frames)), whole.finish()]))


def _checked(frames: Any) -> Float32Array:
    if isinstance(frames, np.ndarray) and (frames.ndim != 2 or frames.shape[1] != _N_BANDS or len(frames) == 0):
        raise refuse("frames", f"shape (n_frames, {_N_BANDS}), as log_mel gives by default", f"shape {frames.shape}")
    rows, _ = as_rows(frames, "frames")
    return rows


def _columns(pairs: Float32Array) -> tuple[Float32Array, Float32Array]:
    return np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
