"""Compares a server's answers with PyTorch's on made-up inputs."""
import copy
import dataclasses

import numpy as np
import torch

from stillwave.export import probe
from stillwave.export.errors import ExportError

BATCHES = (1, 7)
ULP = 2.0**-23


@dataclasses.dataclass(frozen=True)
class Verification:
    """The worst difference over all cases, beside what was allowed there."""

    cases: int
    error: float
    allowed: float


def verify(model, network, example, signature):
    """Asks `model`, a ServedModel, and raises ExportError for an answer that is not PyTorch's."""
    length = probe.time_length(example)
    shapes = [(batch, length) for batch in BATCHES]
    if signature.time_is_open:
        shapes.append((3, probe.other_length(length)))
    in_double = _in_double(network)
    worst = Verification(0, 0.0, np.inf)
    for batch, steps in shapes:
        inputs = probe.made_up_inputs(example, batch, steps, seed=100 + batch)
        expected = probe.run(network, inputs)
        exact = in_double(inputs)
        answers = model.infer({name: tensor.numpy() for name, tensor in zip(signature.input_names, inputs)})
        for number, (name, single) in enumerate(zip(signature.output_names, expected)):
            double = exact[number].numpy() if exact else None
            error, allowed = _compare(name, answers.get(name), single.numpy(), double, batch, steps)
            if error / allowed >= worst.error / worst.allowed:
                worst = Verification(len(shapes), error, allowed)
    return worst


def _in_double(network):
    """A function from float32 inputs to the network's outputs in float64; to None where it cannot run so, for instance
    because forward() makes float32 tensors of its own."""
    exact_network = copy.deepcopy(network).double()

    def outputs(inputs):
        try:
            return probe.run(exact_network, tuple(tensor.double() for tensor in inputs))
        except RuntimeError:
            return None

    return outputs


def tolerance(single, double=None):
    """Ten times PyTorch's own float32 error, and 20 roundings of the largest value: another order of the same sums. 100
    roundings where that error is not known."""
    largest = float(np.abs(single).max(initial=0))
    if double is None:
        return max(100 * ULP * largest, 1e-30)
    return max(10 * float(np.abs(single - double).max(initial=0)), 20 * ULP * largest, 1e-30)


def _compare(name, answer, single, double, batch, steps):
    case = f"output {name} for {batch} samples" + (f" of {steps} time steps" if steps else "")
    if answer is None or answer.shape != single.shape:
        raise ExportError(f"{case}: the server's shape must be {list(single.shape)}; "
                          f"was {None if answer is None else list(answer.shape)}")
    allowed = tolerance(single, double)
    error = float(np.abs(answer - (single if double is None else double)).max(initial=0))
    if not error <= allowed:
        raise ExportError(f"{case}: the server's answer differs from PyTorch's by {error:.3g}; "
                          f"allowed is {allowed:.3g}")
    return error, allowed
