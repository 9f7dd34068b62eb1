"""Reads YAMNet's weights from its TFLite file, and runs YAMNet itself as the yardstick.

The file holds int8 weights per output channel with the batch norm folded in. Its first nineteen layers are where our
training starts; all of them are trained on.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

N_SAMPLES = 15_600
HOP_SAMPLES = 7_680


def _interpreter(path: Path) -> Interpreter:
    interpreter = Interpreter(
        str(path), num_threads=1, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    interpreter.allocate_tensors()
    return interpreter


def read_layers(path: Path) -> list[tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.float32]]]:
    """Read the convolutions of a YAMNet TFLite file in order.

    Parameters
    ----------
    path : Path
        ``yamnet_classification.tflite``.

    Returns
    -------
    list of tuple
        For every convolution its int8 weights (``shape=(3, 3, n_out)`` or ``(n_in, n_out)``), the float32 scale of each
        output channel and its float32 bias.

    Notes
    -----
    TFLite keeps a layer's bias as int32 in the tensor that follows its weights, in units of input scale times weight
    scale.
    """
    interpreter = _interpreter(path)
    details = {d["index"]: d for d in interpreter.get_tensor_details()}
    layers = []
    for index, detail in sorted(details.items()):
        scale = np.asarray(detail["quantization_parameters"]["scales"], np.float32)
        if detail["dtype"] is not np.int8 or len(detail["shape"]) != 4 or len(scale) < 2:
            continue
        weight = interpreter.get_tensor(index)
        bias_scale = details[index + 1]["quantization_parameters"]["scales"]
        bias = (interpreter.get_tensor(index + 1) * bias_scale.astype(np.float64)).astype(np.float32)
        is_pointwise = weight.shape[1:3] == (1, 1)
        if is_pointwise:
            weight = weight[:, 0, 0, :].T
        elif weight.shape[0] == 1:
            weight = weight[0]
        else:
            weight = weight[..., 0].transpose(1, 2, 0)
        layers.append((np.ascontiguousarray(weight), scale, bias))
    return layers


def class_names(path: Path) -> list[str]:
    """Return the 521 display names of ``yamnet_class_map.csv``, in the order of the scores."""
    with path.open(newline="", encoding="utf-8") as file:
        return [row["display_name"] for row in csv.DictReader(file)]


class Yamnet:
    """YAMNet as released, for zero-shot scores.

    Parameters
    ----------
    path : Path
        ``yamnet_classification.tflite``.
    """

    def __init__(self, path: Path) -> None:
        self._interpreter = Interpreter(str(path), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def scores(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores of one window.

        Parameters
        ----------
        samples : ndarray, float32, shape=(15600,)
            16 kHz samples in -1..1.

        Returns
        -------
        ndarray, float32, shape=(521,)
            Scores 0..1.
        """
        self._interpreter.set_tensor(self._input, samples)
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._output)[0], np.float32)
