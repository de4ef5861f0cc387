"""The batch normalization layers of a network, by their names in PyTorch."""
import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class BatchNormLayer:
    """y = scale (x - mean) / sqrt(variance + epsilon) + shift, for each channel. Arrays are {C} float32."""

    name: str  # "features.1"; a layer that runs more than once: "norm", "norm#2", …
    epsilon: float
    mean: np.ndarray
    variance: np.ndarray
    scale: np.ndarray
    shift: np.ndarray

    def same_numbers(self, other):
        return (np.float32(self.epsilon) == np.float32(other.epsilon)
                and all(np.array_equal(getattr(self, field), getattr(other, field))
                        for field in ("mean", "variance", "scale", "shift")))


def layers_in_order(network, inputs):
    """One BatchNormLayer for each time that a layer runs on `inputs`, in the order in which they run."""
    import torch
    from torch.nn.modules.batchnorm import _BatchNorm

    calls = []
    handles = []
    for name, part in network.named_modules():
        if isinstance(part, _BatchNorm):
            handles.append(part.register_forward_hook(
                lambda layer, _inputs, _output, name=name: calls.append((name, layer))))
    try:
        with torch.no_grad():
            network(*inputs)
    finally:
        for handle in handles:
            handle.remove()

    runs = {}
    layers = []
    for name, part in calls:
        runs[name] = runs.get(name, 0) + 1
        layers.append(_layer(name if runs[name] == 1 else f"{name}#{runs[name]}", part))
    return layers


def _layer(name, part):
    def array(tensor, otherwise):
        if tensor is None:
            return np.full(part.num_features, otherwise, np.float32)
        return tensor.detach().cpu().numpy().astype(np.float32).copy()

    return BatchNormLayer(name or type(part).__name__, float(part.eps), array(part.running_mean, 0),
                          array(part.running_var, 1), array(part.weight, 1), array(part.bias, 0))
