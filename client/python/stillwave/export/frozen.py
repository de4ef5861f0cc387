"""Refuses a network that is not what it will be in production: in evaluation mode, on statistics that were learned."""
import warnings

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from stillwave.export.errors import ExportError


def check_frozen(network):
    """Raises ExportError, with reason and cure, for the first part that would behave as in training."""
    if not isinstance(network, nn.Module):
        raise ExportError(f"the network must be a torch.nn.Module; was {type(network).__name__}")
    parts = list(network.named_modules())
    training = [(name, part) for name, part in parts if part.training]
    if training:
        # A layer whose answer depends on the mode explains more than the container around it.
        telling = [(name, part) for name, part in training if _in_training(part)]
        name, part = (telling or training)[0]
        cure = ("call .eval() on the network before the export" if network.training else
                "the network is in evaluation mode and this part of it is not: call .eval() on the whole network, last")
        raise ExportError(f"{_title(name, part)} is in training mode{_in_training(part)}; {cure}")
    for name, part in parts:
        if isinstance(part, _BatchNorm):
            _check_statistics(name, part)
    for name, tensor in list(network.named_parameters()) + list(network.named_buffers()):
        if tensor.is_floating_point() and tensor.dtype != torch.float32:
            raise ExportError(f"{name} must be torch.float32; was {tensor.dtype}; call .float() on the network")
    # Not of buffers in general: a mask may well hold infinities.
    for name, tensor in network.named_parameters():
        _check_finite(name, tensor)


def _title(name, part):
    return f"{name or 'the network'} ({type(part).__name__})"


def _in_training(part):
    if isinstance(part, _BatchNorm):
        return " and would normalize by the statistics of each batch"
    if isinstance(part, _DropoutNd):
        return " and would drop values at random"
    return ""


def _check_statistics(name, layer):
    if layer.running_mean is None or layer.running_var is None:
        raise ExportError(
            f"{_title(name, layer)} has no running statistics (track_running_stats=False), so it normalizes by the "
            "statistics of each batch in evaluation mode too; train it with track_running_stats=True")
    for statistic in ("running_mean", "running_var"):
        _check_finite(f"{name}.{statistic}" if name else statistic, getattr(layer, statistic))
    if (layer.running_var < 0).any():
        raise ExportError(f"{_title(name, layer)}: a running variance must not be negative; "
                          f"was {float(layer.running_var.min())}")
    if layer.num_batches_tracked is not None and int(layer.num_batches_tracked) == 0:
        warnings.warn(f"{_title(name, layer)} has seen no batch: its statistics are those it was made with",
                      stacklevel=2)


def _check_finite(name, tensor):
    if not torch.isfinite(tensor).all():
        raise ExportError(f"{name} holds a NaN or an infinity: the training diverged")
