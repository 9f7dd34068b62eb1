"""Arguments of the array functions, checked in one place: a refusal says the name, what it may be, what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from dsp_core._dsp_core import ParameterError
from numpy.typing import NDArray

if TYPE_CHECKING:
    Float32Array: TypeAlias = NDArray[np.float32]
else:  # what the reference and help() print: spelled out, a signature would not fit its line
    Float32Array = np.ndarray


#: Level of digital silence, re 1.
SILENCE_DB = -300.0


def refuse(name: str, expected: str, actual: object) -> ParameterError:
    """Return the error of one argument.

    Parameters
    ----------
    name : str
        Name of the parameter.
    expected : str
        What it may be.
    actual : object
        What it was; names, shapes and numbers, no samples.

    Returns
    -------
    ParameterError
        To be raised.
    """
    return ParameterError(f"{name}: expected {expected}, got {actual}")


def as_rows(y: Any, name: str = "y") -> tuple[Float32Array, tuple[int, ...]]:
    """Look at a signal as rows of samples, without a copy.

    Parameters
    ----------
    y : numpy.ndarray
        float32, shape=(..., n), C-contiguous, aligned, without a mask, not empty. NaN is the core's to find.
    name : str, default="y"
        Name of the parameter.

    Returns
    -------
    rows : numpy.ndarray
        float32, shape=(m, n).
    leading : tuple of int
        The axes before the last.

    Raises
    ------
    ParameterError
        If it is no such array.
    """
    if not isinstance(y, np.ndarray):
        advice = f": np.asarray({name}, np.float32)" if isinstance(y, (list, tuple)) else ""
        raise refuse(name, "a numpy array of float32", f"{type(y).__name__}{advice}")
    refuse_mask(name, y)
    if y.dtype != np.float32:
        raise refuse(name, "float32", f"{y.dtype}{_way_to_float32(name, y.dtype)}")
    if y.ndim == 0:
        raise refuse(name, "shape (..., n)", "shape ()")
    if y.size == 0:
        raise refuse(name, "at least 1 sample", f"shape {y.shape}")
    if not y.flags.c_contiguous:
        raise refuse(name, "a C-contiguous array", f"strides {y.strides}: np.ascontiguousarray({name})")
    if not y.flags.aligned:
        raise refuse(name, "an aligned array", f"one that is not: {name}.copy()")
    return y.reshape(-1, y.shape[-1]), y.shape[:-1]


def refuse_mask(name: str, array: NDArray[Any]) -> None:
    """Look whether an array has a mask, which a computation would not see.

    Parameters
    ----------
    name : str
        Name of the parameter.
    array : numpy.ndarray
        Any.

    Raises
    ------
    ParameterError
        If it has one.
    """
    if hasattr(array, "mask"):
        raise refuse(name, "an array without a mask", f"{type(array).__name__}: {name}.filled(0)")


def _way_to_float32(name: str, dtype: np.dtype[Any]) -> str:
    """Say how samples of another type become float32 ones between −1 and 1, where there is one way."""
    if dtype.kind == "f":
        return f": {name}.astype(np.float32)"
    if dtype.kind not in "iu":
        return ""
    full_scale = 2 ** (8 * dtype.itemsize - 1)
    centred = f" - {full_scale}" * (dtype.kind == "u")
    samples = f"({name}.astype(np.float32){centred})" if centred else f"{name}.astype(np.float32)"
    return f": {samples} / {full_scale}"


def as_out(out: Any, shape: tuple[int, ...], y: Float32Array) -> Float32Array:
    """Return the array that results are written into: the caller's, or a new one.

    Parameters
    ----------
    out : numpy.ndarray or None
        float32, C-contiguous, aligned, writeable, of exactly that shape, sharing no memory with `y`.
    shape : tuple of int
        Of the result.
    y : numpy.ndarray
        What the result is made of.

    Returns
    -------
    numpy.ndarray
        float32, of that shape.

    Raises
    ------
    ParameterError
        If the caller's does not fit.
    """
    if out is None:
        return np.empty(shape, np.float32)
    if not isinstance(out, np.ndarray) or out.dtype != np.float32 or out.shape != shape:
        what = f"{out.dtype} of shape {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        raise refuse("out", f"a float32 array of shape {shape}", what)
    if not out.flags.carray:
        raise refuse("out", "a C-contiguous, aligned, writeable array", "one that is not")
    if np.may_share_memory(out, y):
        raise refuse("out", "an array that shares no memory with y", "one that does")
    return out


def as_sample_rate(sample_rate: Any, name: str = "sample_rate") -> int:
    """Return a sample rate of sound as an int.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8000 to 192000; a float with a whole value too.
    name : str, default="sample_rate"
        Name of the parameter.

    Returns
    -------
    int
        The same.

    Raises
    ------
    ParameterError
        If it is none.
    """
    return as_whole(name, sample_rate, 8_000, 192_000, " Hz")


def is_number(value: Any) -> bool:
    """Tell whether a value is a real number of Python or numpy; truth values are none.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    bool
        Whether it is; NaN and infinity are numbers too.
    """
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def as_positive(name: str, value: Any) -> float:
    """Return a positive number as a float.

    Parameters
    ----------
    name : str
        Name of the parameter.
    value : float
        Finite and over 0; a number of Python or numpy.

    Returns
    -------
    float
        The same.

    Raises
    ------
    ParameterError
        If it is none.
    """
    if not is_number(value) or not np.isfinite(value) or value <= 0:
        raise refuse(name, "a finite number over 0", repr(value))
    return float(value)


def as_share(name: str, value: Any) -> float:
    """Return a share as a float.

    Parameters
    ----------
    name : str
        Name of the parameter.
    value : float
        Over 0 and at most 1.

    Returns
    -------
    float
        The same.

    Raises
    ------
    ParameterError
        If it is none.
    """
    if not is_number(value) or not 0 < value <= 1:
        raise refuse(name, "a number over 0 and at most 1", repr(value))
    return float(value)


def as_percent(percent: Any) -> float:
    """Return a share in per cent as a float.

    Parameters
    ----------
    percent : float
        0 to 100.

    Returns
    -------
    float
        The same.

    Raises
    ------
    ParameterError
        If it is none.
    """
    if not is_number(percent) or not 0 <= percent <= 100:
        raise refuse("percent", "a number from 0 to 100", repr(percent))
    return float(percent)


def as_axis(axis: Any, n_axes: int) -> int:
    """Return an axis as an int.

    Parameters
    ----------
    axis : int
        −n_axes to n_axes − 1.
    n_axes : int
        Number of axes.

    Returns
    -------
    int
        The same.

    Raises
    ------
    ParameterError
        If it is none.
    """
    if not isinstance(axis, (int, np.integer)) or not -n_axes <= axis < n_axes:
        raise refuse("axis", f"an int from {-n_axes} to {n_axes - 1}", repr(axis))
    return int(axis)


def as_levels(levels_db: Any) -> NDArray[np.float64]:
    """Return levels in 64 bits.

    Parameters
    ----------
    levels_db : numpy.ndarray
        float32 or float64, at least one level, without a mask, NaN and plus infinity.

    Returns
    -------
    numpy.ndarray
        float64, of the same shape; minus infinity is silence.

    Raises
    ------
    ParameterError
        If it is no such array.
    """
    if not isinstance(levels_db, np.ndarray) or levels_db.dtype not in (np.float32, np.float64):
        what = levels_db.dtype if isinstance(levels_db, np.ndarray) else type(levels_db).__name__
        raise refuse("levels_db", "a numpy array of float32 or float64", what)
    refuse_mask("levels_db", levels_db)
    if levels_db.size == 0 or levels_db.ndim == 0:
        raise refuse("levels_db", "at least 1 level", f"shape {levels_db.shape}")
    is_none = ~(levels_db < np.inf)
    if is_none.any():
        place = tuple(np.argwhere(is_none)[0].tolist())
        raise refuse("levels_db", "no NaN and no infinity", f"{levels_db[place]} at index {list(place)}")
    return np.maximum(levels_db.astype(np.float64), SILENCE_DB)


def as_whole(name: str, value: Any, least: int = 1, most: int = 2**31 - 1, unit: str = "") -> int:
    """Return a whole number as an int.

    Parameters
    ----------
    name : str
        Name of the parameter.
    value : int
        A number of Python or numpy; a float with a whole value too.
    least : int, default=1
        Lowest that it may be.
    most : int, default=2147483647
        Highest that it may be.
    unit : str, default=""
        With a space before it.

    Returns
    -------
    int
        The same.

    Raises
    ------
    ParameterError
        If it is no such number.
    """
    if not is_number(value):
        raise refuse(name, f"a whole number from {least} to {most}{unit}", type(value).__name__)
    if not least <= value <= most or value != int(value):
        raise refuse(name, f"a whole number from {least} to {most}{unit}", value)
    return int(value)


def as_hz(name: str, value: Any) -> float:
    """Return a frequency.

    Parameters
    ----------
    name : str
        Name of the parameter.
    value : float
        In Hz; whether it is possible at a rate is the core's to say.

    Returns
    -------
    float
        The same.

    Raises
    ------
    ParameterError
        If it is no number.
    """
    if not is_number(value):
        raise refuse(name, "a frequency in Hz, at most half the sample rate", type(value).__name__)
    return float(value)


def as_one_of(name: str, value: Any, choices: tuple[Any, ...]) -> Any:
    """Return one of a few values.

    Parameters
    ----------
    name : str
        Name of the parameter.
    value : object
        What was given.
    choices : tuple
        What it may be.

    Returns
    -------
    object
        The same.

    Raises
    ------
    ParameterError
        If it is none of them.
    """
    if not isinstance(value, str | None) or value not in choices:
        raise refuse(name, " or ".join(repr(choice) for choice in choices), repr(value))
    return value
