"""Statistics of layers that an exporter folded into the weights before them, kept in the file's metadata_props.

The format is in docs/drift-metadata.md.
"""
import base64
import json

import numpy as np

from stillwave.export import graph_check
from stillwave.export.constants import Constants, attribute

PREFIX = "stillwave.batchnorm."
# Folded weights are rounded differently by each exporter.
ROUNDING = 1e-5


def entry(layer):
    """The JSON text of one layer."""
    def text(array):
        return base64.b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode("ascii")

    return json.dumps({"layer": layer.name, "channels": len(layer.mean), "epsilon": layer.epsilon,
                       "mean": text(layer.mean), "variance": text(layer.variance), "scale": text(layer.scale),
                       "shift": text(layer.shift)})


def describe(kept, folded):
    """Writes an entry into `folded` for each layer that is a node of `kept` and was folded. `kept` is the same network
    with its layers, named; a layer is found by the weights that folding it must give. Returns the layers' names."""
    there = {layer.name for _, layer in graph_check.batch_norms(folded)}
    producers = {node.output[0]: node for node in kept.graph.node}
    kept_constants, folded_constants = Constants(kept.graph), Constants(folded.graph)
    candidates = [node for node in folded.graph.node if node.op_type in ("Conv", "ConvTranspose", "Gemm")]
    described = []
    for node, layer in graph_check.batch_norms(kept):
        producer = producers.get(node.input[0])
        if layer.name in there or producer is None or producer.op_type not in ("Conv", "ConvTranspose", "Gemm"):
            continue
        expected = _folded_weights(producer, kept_constants, layer)
        for candidate in candidates:
            if expected is not None and _has_weights(candidate, folded_constants, producer.op_type, *expected):
                folded.metadata_props.add(key=PREFIX + candidate.output[0], value=entry(layer))
                described.append(layer.name)
                candidates.remove(candidate)
                break
    return described


def _output_channel_axis(node):
    """Of the node's weights; None where the output channels are spread over two axes."""
    if node.op_type == "Gemm":
        return 0 if attribute(node, "transB", 0) else 1
    if node.op_type == "ConvTranspose":
        return 1 if attribute(node, "group", 1) == 1 else None
    return 0


def _folded_weights(node, constants, layer):
    """(weights, bias) of `node` followed by `layer`, in double."""
    weights, axis = constants.array(node.input[1]), _output_channel_axis(node)
    bias = constants.array(node.input[2]) if len(node.input) > 2 and node.input[2] else np.zeros(1)
    if weights is None or bias is None or axis is None or weights.shape[axis] != len(layer.mean):
        return None
    factor = layer.scale / np.sqrt(layer.variance.astype(np.float64) + layer.epsilon)
    shape = [1] * weights.ndim
    shape[axis] = -1
    return weights * factor.reshape(shape), (bias - layer.mean) * factor + layer.shift


def _has_weights(node, constants, op_type, weights, bias):
    def near(array, wanted):
        return (array is not None and array.shape == wanted.shape
                and np.abs(array - wanted).max() <= ROUNDING * max(np.abs(wanted).max(), 1e-30))

    return (node.op_type == op_type and len(node.input) > 2 and near(constants.array(node.input[1]), weights)
            and near(constants.array(node.input[2]), bias))
