"""Writes and reads ``street.bin``, the weights file of the core, and computes it in the core's own integers.

Little endian: magic ``SRDNNET2``, u32 number of layers; per layer u8 kind, u8 stride, u16 n_in, u16 n_out, f32 step of
the inputs, int8 weights with the output channel fastest, f32 scale and f32 bias per output channel; then u8 number of
classes and per class u8 code, u8 flags, f32 full threshold, f32 masked threshold, f32 confidence step.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from training.network import TRUNK, Kind, Layer, Params, head_layer

MAGIC = b"SRDNNET2"
MAX_ACTIVATION = 32_767
#: What the core's windows are kept in: the step of the first layer's inputs.
BAND_STEP = 1.0 / 2048.0
MAX_BYTES = 2_000_000
EXPERIMENTAL = 1
_KINDS: tuple[Kind, ...] = ("conv", "depthwise", "pointwise", "head")


@dataclass(frozen=True)
class Quantised:
    """One layer as it is stored: int8 weights, float32 scale and bias per output channel.

    Attributes
    ----------
    step : float
        What a 1 of the 16-bit integers of its inputs stands for; ``training.steps`` sets it.
    """

    layer: Layer
    weight: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    step: float = BAND_STEP

    def dequantised(self) -> NDArray[np.float32]:
        """Return the float32 weights that the core computes with."""
        return np.asarray(self.weight.astype(np.float32) * self.scale, np.float32)


@dataclass(frozen=True)
class ClassRule:
    """What decides about one class: its code, whether it is experimental, and its thresholds on the logits."""

    code: int
    is_experimental: bool
    full_threshold: float
    masked_threshold: float
    confidence_step: float


def quantise(layer: Layer, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> Quantised:
    """Round a layer's weights to int8, symmetric, with one scale per output channel.

    Parameters
    ----------
    layer : Layer
        Shape of the layer.
    weight : ndarray, float32
        Weights, output channel last.
    bias : ndarray, float32, shape=(n_out,)
        Bias; kept in float32.

    Returns
    -------
    Quantised
        The layer as it is stored.
    """
    flat = np.abs(weight.reshape(-1, weight.shape[-1])).max(axis=0)
    scale = np.where(flat > 0, flat / 127.0, 1.0).astype(np.float32)
    steps = np.clip(np.rint(weight / scale), -127, 127).astype(np.int8)
    return Quantised(layer, steps, scale, bias.astype(np.float32))


def quantise_params(params: Params) -> list[Quantised]:
    """Quantise a trained trunk and its head, which comes last in ``params``."""
    layers = (*TRUNK, head_layer(int(params[-1]["b"].shape[0])))
    return [
        quantise(layer, np.asarray(p["w"], np.float32), np.asarray(p["b"], np.float32))
        for layer, p in zip(layers, params, strict=True)
    ]


def write_bin(path: Path, layers: list[Quantised], rules: list[ClassRule]) -> None:
    """Write the weights file.

    Parameters
    ----------
    path : Path
        Where to.
    layers : list of Quantised
        Trunk and head.
    rules : list of ClassRule
        One per output of the head, in its order.

    Raises
    ------
    ValueError
        If the rules do not fit the head or the file would be larger than 2 000 000 bytes.
    """
    if len(rules) != layers[-1].layer.n_out:
        raise ValueError(f"{len(rules)} rules for {layers[-1].layer.n_out} outputs")
    out = bytearray(MAGIC + struct.pack("<I", len(layers)))
    for stored in layers:
        shape = stored.layer
        kind = _KINDS.index(shape.kind)
        out += struct.pack("<BBHHf", kind, shape.stride, shape.n_in, shape.n_out, stored.step)
        out += stored.weight.tobytes() + stored.scale.astype("<f4").tobytes() + stored.bias.astype("<f4").tobytes()
    out += struct.pack("<B", len(rules))
    for rule in rules:
        flags = EXPERIMENTAL if rule.is_experimental else 0
        out += struct.pack("<BBfff", rule.code, flags, rule.full_threshold, rule.masked_threshold, rule.confidence_step)
    if len(out) > MAX_BYTES:
        raise ValueError(f"{len(out)} bytes, at most {MAX_BYTES} allowed")
    path.write_bytes(bytes(out))


def read_bin(path: Path) -> tuple[list[Quantised], list[ClassRule]]:
    """Read a file written by `write_bin`.

    Parameters
    ----------
    path : Path

    Returns
    -------
    tuple
        Layers and rules.

    Raises
    ------
    ValueError
        If the magic is wrong or bytes are left over.
    """
    data = path.read_bytes()
    if data[:8] != MAGIC:
        raise ValueError("not a street.bin")
    (n_layers,) = struct.unpack_from("<I", data, 8)
    at = 12
    layers = []
    for _ in range(n_layers):
        kind, stride, n_in, n_out, step = struct.unpack_from("<BBHHf", data, at)
        layer = Layer(_KINDS[kind], stride, n_in, n_out)
        n_weights = int(np.prod(layer.weight_shape))
        weight = np.frombuffer(data, np.int8, n_weights, at + 10).reshape(layer.weight_shape)
        at += 10 + n_weights
        pair = np.frombuffer(data, "<f4", 2 * n_out, at).astype(np.float32)
        at += 8 * n_out
        layers.append(Quantised(layer, weight, pair[:n_out], pair[n_out:], step))
    rules = []
    for _ in range(data[at]):
        code, flags, full, masked, step = struct.unpack_from("<BBfff", data, at + 1)
        rules.append(ClassRule(code, bool(flags & EXPERIMENTAL), full, masked, step))
        at += 14
    if at + 1 != len(data):
        raise ValueError(f"{at + 1} bytes expected, {len(data)} found")
    return layers, rules


def params_of(layers: list[Quantised]) -> Params:
    """Return the dequantised layers as JAX parameters, for quick inference."""
    return [{"w": jnp.asarray(stored.dequantised()), "b": jnp.asarray(stored.bias)} for stored in layers]


def _neighbourhood(x: NDArray[np.int64], stride: int) -> list[NDArray[np.int64]]:
    n_rows, n_cols = x.shape[1] // stride, x.shape[2] // stride
    before = 1 if stride == 1 else 0
    padded = np.pad(x, ((0, 0), (before, 1), (before, 1), (0, 0)))
    return [
        padded[:, ky : ky + stride * n_rows : stride, kx : kx + stride * n_cols : stride][:, :n_rows, :n_cols]
        for ky in range(3)
        for kx in range(3)
    ]


def _rounded(x: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the nearest integers, of two the even one, that fit 16 bits."""
    return np.rint(np.clip(x, -MAX_ACTIVATION, MAX_ACTIVATION)).astype(np.int64)


def _pooled(x: NDArray[np.int64]) -> NDArray[np.int64]:
    x = x.reshape(len(x), -1, x.shape[-1])
    mean = _rounded(x.sum(axis=1).astype(np.float32) / np.float32(x.shape[1]))
    return np.concatenate([mean, x.max(axis=1)], axis=-1)


def logits_in_integers(layers: list[Quantised], windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute logits to the bit as the core does.

    Parameters
    ----------
    layers : list of Quantised
        Trunk and head.
    windows : ndarray, float32, shape=(n, 96, 64)
        Log-mel windows.

    Returns
    -------
    ndarray, float32, shape=(n, n_classes)
        Logits.

    Notes
    -----
    Sums are of integers and exact. Between two layers they are scaled, biased, rectified and rounded: each operation in
    float32, rounded by itself. Slow (some 0.1 s a window).
    """
    x = _rounded(windows[..., None].astype(np.float32) / np.float32(layers[0].step))
    out_steps = [np.float32(stored.step) for stored in layers[1:]] + [np.float32(1)]
    for stored, out_step in zip(layers, out_steps, strict=True):
        if stored.layer.kind == "head":
            x = _pooled(x)
        weight = stored.weight.astype(np.int64)
        if stored.layer.kind == "depthwise":
            taps = weight.reshape(9, -1)
            sums = sum(term * tap for term, tap in zip(_neighbourhood(x, stored.layer.stride), taps, strict=True))
        else:
            if stored.layer.kind == "conv":
                x = np.concatenate(_neighbourhood(x, stored.layer.stride), axis=-1)
            flat = weight.reshape(-1, stored.layer.n_out).astype(np.float64)
            sums = (x.astype(np.float64) @ flat).astype(np.int64)  # under 2 ** 53, so no sum is rounded
        factor = stored.scale * (np.float32(stored.step) / out_step)
        y = np.asarray(sums, np.float32) * factor + stored.bias / out_step
        if stored.layer.kind == "head":
            return np.asarray(y, np.float32)
        x = _rounded(np.maximum(y, np.float32(0)))
    raise ValueError("the last layer is no head")
