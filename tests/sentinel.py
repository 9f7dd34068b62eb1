"""Some samples as anyone might have written them down, to be looked for where they must not be."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.sounds import pcm16


def forms_of(samples: NDArray[Any]) -> list[bytes]:
    """Give a middle piece of them as integers, floats, base64, hexadecimal digits and a list of numbers."""
    pcm = pcm16(samples)
    floats = (np.frombuffer(pcm, "<i2") / 32_768).astype("<f4").tobytes()
    found = [", ".join(str(number) for number in np.frombuffer(pcm, "<i2")[:40]).encode()]
    for raw in (pcm, floats):
        for form in (raw, base64.b64encode(raw), raw.hex().encode()):
            found.append(form[len(form) // 2 : len(form) // 2 + 48])
    return found
