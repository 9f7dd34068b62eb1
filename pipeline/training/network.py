"""The street network: nineteen layers of the YAMNet shape and a linear head, in JAX.

Every layer is a plain convolution with bias and ReLU (batch norm is folded), so that what is trained here is what the
core computes. Depthwise convolutions are nine shifted multiply-adds in NHWC, because XLA's grouped convolution is very
slow backwards on a CPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

N_FRAMES = 96
N_BANDS = 64
N_POSITIONS = 24

Kind = Literal["conv", "depthwise", "pointwise", "head"]
Params = list[dict[str, jax.Array]]


@dataclass(frozen=True)
class Layer:
    """Shape of one layer.

    Attributes
    ----------
    kind : {"conv", "depthwise", "pointwise", "head"}
        What the layer computes.
    stride : int
        Step over time and bands, 1 or 2.
    n_in, n_out : int
        Channels in and out.
    """

    kind: Kind
    stride: int
    n_in: int
    n_out: int

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weights, output channel last."""
        if self.kind in ("conv", "depthwise"):
            return (3, 3, self.n_out)
        return (self.n_in, self.n_out)


def _street_layers() -> tuple[Layer, ...]:
    blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1)]
    layers = [Layer("conv", 2, 1, 32)]
    n_in = 32
    for n_out, stride in blocks:
        layers += [Layer("depthwise", stride, n_in, n_in), Layer("pointwise", 1, n_in, n_out)]
        n_in = n_out
    return tuple(layers)


TRUNK = _street_layers()
N_FEATURES = 2 * TRUNK[-1].n_out


def head_layer(n_classes: int) -> Layer:
    """Return the shape of a head with one logit per class."""
    return Layer("head", 1, N_FEATURES, n_classes)


def _shifted(x: jax.Array, stride: int) -> list[jax.Array]:
    """Return the nine shifted views of a TF-SAME 3x3 neighbourhood, row by row."""
    n_rows, n_cols = x.shape[1] // stride, x.shape[2] // stride
    before = 1 if stride == 1 else 0
    padded = jnp.pad(x, ((0, 0), (before, 1), (before, 1), (0, 0)))
    row_ends = stride * (n_rows - 1) + 1
    col_ends = stride * (n_cols - 1) + 1
    return [
        padded[:, ky : ky + row_ends : stride, kx : kx + col_ends : stride, :] for ky in range(3) for kx in range(3)
    ]


def _weighted_views(x: jax.Array, weight: jax.Array, stride: int) -> jax.Array:
    taps = weight.reshape(9, -1)
    return sum((view * tap for view, tap in zip(_shifted(x, stride), taps, strict=True)), jnp.zeros(()))


_depthwise = jax.custom_vjp(_weighted_views, nondiff_argnums=(2,))


def _depthwise_forwards(x: jax.Array, weight: jax.Array, stride: int) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _depthwise(x, weight, stride), (x, weight)


def _depthwise_backwards(
    stride: int, kept: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Gradient of inputs and weights; the weights' sum goes example by example, which is 5 to 10 times as fast."""
    x, weight = kept

    def add(sums: list[jax.Array], pair: tuple[jax.Array, jax.Array]) -> tuple[list[jax.Array], None]:
        views = _shifted(pair[0][None], stride)
        return [s + view[0] * pair[1] for s, view in zip(sums, views, strict=True)], None

    sums, _ = jax.lax.scan(add, [jnp.zeros(gradient.shape[1:])] * 9, (x, gradient))
    weight_gradient = jnp.stack([s.sum(axis=(0, 1)) for s in sums]).reshape(weight.shape)
    _, pull_back = jax.vjp(lambda x: _weighted_views(x, weight, stride), x)
    return pull_back(gradient)[0], weight_gradient


_depthwise.defvjp(_depthwise_forwards, _depthwise_backwards)


def _matmul(x: jax.Array, weight: jax.Array) -> jax.Array:
    """Multiply the channels; in two dimensions, as XLA is several times slower backwards in four."""
    return (x.reshape(-1, x.shape[-1]) @ weight).reshape(*x.shape[:-1], weight.shape[-1])


def _apply(layer: Layer, weight: jax.Array, bias: jax.Array, x: jax.Array) -> jax.Array:
    if layer.kind == "pointwise":
        y = _matmul(x, weight)
    elif layer.kind == "conv":
        y = _matmul(jnp.concatenate(_shifted(x, layer.stride), axis=-1), weight.reshape(9, -1))
    else:
        y = _depthwise(x, weight, layer.stride)
    return jax.nn.relu(y + bias)


def activations(params: Params, windows: jax.Array, layers: tuple[Layer, ...] = TRUNK) -> list[jax.Array]:
    """Run the trunk and return the output of every layer; parameters as of `features`."""
    outputs = []
    x = windows[..., None]
    for layer, param in zip(layers, params, strict=False):
        x = _apply(layer, param["w"], param["b"], x)
        outputs.append(x)
    return outputs


def features(params: Params, windows: jax.Array, layers: tuple[Layer, ...] = TRUNK) -> jax.Array:
    """Run the trunk and pool.

    Parameters
    ----------
    params : list of dict
        ``w`` and ``b`` of every trunk layer; a head that follows is not used.
    windows : jax.Array, float32, shape=(n, 96, 64)
        Log-mel windows, natural logarithm of mel magnitude + 0.001.
    layers : tuple of Layer
        Shapes of the trunk.

    Returns
    -------
    jax.Array, float32, shape=(n, 1024)
        Mean, then maximum, over the 24 positions.
    """
    x = activations(params, windows, layers)[-1]
    x = x.reshape(x.shape[0], -1, x.shape[-1])
    return jnp.concatenate([x.mean(axis=1), x.max(axis=1)], axis=-1)


def logits(params: Params, windows: jax.Array) -> jax.Array:
    """Return one logit per class, float32, shape=(n, n_classes), for windows of shape=(n, 96, 64)."""
    return features(params[:-1], windows) @ params[-1]["w"] + params[-1]["b"]


_jit_logits = jax.jit(logits)


def logits_in_batches(params: Params, windows: NDArray[np.float32], n_batch: int = 128) -> NDArray[np.float32]:
    """Return the logits of many windows, computed in equal batches.

    Parameters
    ----------
    params : list of dict
        Trunk and head.
    windows : ndarray, float32, shape=(n, 96, 64)
        Log-mel windows.
    n_batch : int
        Windows computed at once; the last batch is padded so that nothing is compiled twice.

    Returns
    -------
    ndarray, float32, shape=(n, n_classes)
        Logits.
    """
    n_classes = params[-1]["b"].shape[0]
    out = np.zeros((len(windows), n_classes), np.float32)
    batch = np.zeros((n_batch, N_FRAMES, N_BANDS), np.float32)
    for start in range(0, len(windows), n_batch):
        part = windows[start : start + n_batch]
        batch[: len(part)] = part
        out[start : start + len(part)] = np.asarray(_jit_logits(params, batch))[: len(part)]
    return out
