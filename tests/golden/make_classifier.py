"""Logits of a small model and a window, both from seeds, for `dsp_core/src/analysis/network.rs`.

A second program, written from the weights file's description alone; run it with numpy and copy what it prints.
"""

import sys

import numpy as np

F = np.float32


class Seeded:
    """The linear congruential generator of `dsp_core/src/analysis/rehearsal.rs`."""

    def __init__(self, seed: int) -> None:
        self.state = seed % 2**32

    def next(self) -> int:
        self.state = (self.state * 1_664_525 + 1_013_904_223) % 2**32
        return self.state

    def byte(self) -> int:
        value = self.next() >> 24
        return value - 256 if value > 127 else value

    def fraction(self) -> F:
        return F(self.next() >> 8) / F(16_777_216)


def window(seed: int) -> np.ndarray:
    """(96, 64), float32."""
    random = Seeded(seed * 2_654_435_761 + 1)
    out = np.empty((96, 64), F)
    for frame in range(96):
        age = (frame + 96 - 20 - seed % 40) % 96
        for band in range(64):
            burst = F(6) - F(0.08) * F(age) - F(0.04) * F(band)
            out[frame, band] = F(-6.5) + F(1.5) * random.fraction() + max(burst, F(0))
    return out


def layer(random: Seeded, n_terms: int, n_out: int) -> tuple[np.ndarray, F, np.ndarray]:
    """(n_terms, n_out) integer weights, their scale, and (n_out,) bias, float32."""
    raw = np.array([random.byte() for _ in range(n_terms * n_out)]).reshape(n_terms, n_out)
    scale = F(1) / F(1 << (6 + (n_terms.bit_length() - 1) // 2))
    return raw, scale, np.array([F(random.byte()) / F(64) for _ in range(n_out)], F)


def rounded(x: np.ndarray) -> np.ndarray:
    """The nearest integers of 16 bits."""
    integers: np.ndarray = np.rint(np.clip(x, F(-32767), F(32767))).astype(int)
    return integers


def taps(x: np.ndarray, stride: int) -> list[np.ndarray]:
    """The 9 shifted pictures of a SAME-padded 3 x 3 neighbourhood, row by row."""
    pads = []
    for n in x.shape[:2]:
        total = max((-(-n // stride) - 1) * stride + 3 - n, 0)
        pads.append((total // 2, total - total // 2))
    height, width = (-(-n // stride) for n in x.shape[:2])
    padded = np.pad(x, (*pads, (0, 0)))
    ends = (height - 1) * stride + 1, (width - 1) * stride + 1
    return [padded[ky : ky + ends[0] : stride, kx : kx + ends[1] : stride] for ky in range(3) for kx in range(3)]


def scaled(sums: np.ndarray, ratio: F, scale: F, bias: np.ndarray, step: F) -> np.ndarray:
    """Sums in steps of the output."""
    return sums.astype(F) * (scale * ratio) + bias / step


def main() -> None:
    """Prints the logits' bits."""
    random = Seeded(92)
    step, step_in = F(1) / F(256), F(1) / F(2048)
    x = rounded(window(7)[:, :, None] / step_in)
    weights, scale, bias = layer(random, 9, 16)
    sums = sum(term * w for term, w in zip(taps(x, 2), weights, strict=True))
    x = rounded(np.maximum(F(0), scaled(sums, step_in / step, scale, bias, step)))
    for stride, n_out in [(2, 32), (1, 48), (2, 32)]:
        weights, scale, bias = layer(random, 9, x.shape[2])
        sums = sum(term * w for term, w in zip(taps(x, stride), weights, strict=True))
        x = rounded(np.maximum(F(0), scaled(sums, F(1), scale, bias, step)))
        weights, scale, bias = layer(random, x.shape[2], n_out)
        x = rounded(np.maximum(F(0), scaled(x @ weights, F(1), scale, bias, step)))
    flat = x.reshape(-1, x.shape[2])
    mean = rounded(flat.sum(axis=0).astype(F) / F(len(flat)))
    pooled = np.concatenate([mean, flat.max(axis=0)])
    weights, scale, bias = layer(random, len(pooled), 5)
    logits = scaled(pooled @ weights, step / F(1), scale, bias, F(1))
    sys.stdout.write(" ".join(f"0x{bits:08x}" for bits in logits.astype(F).view(np.uint32)) + "\n")


if __name__ == "__main__":
    main()
