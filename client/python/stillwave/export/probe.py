"""Runs a network on made-up inputs to learn its signature, and that a sample's answer is the sample's alone."""
import dataclasses
import inspect

import torch

from stillwave.export.errors import ExportError

TIME_AXIS = 2  # of an input of rank 3: batch, channels, time
# PyTorch's kernels round otherwise for other batches; a layer that mixes samples is off by far more.
ROUNDING = 1e-4


@dataclasses.dataclass(frozen=True)
class Signature:
    """Names and shapes of a network. Sizes of open axes are names: "N" is the batch, "T" the time."""

    input_names: tuple
    output_names: tuple
    input_shapes: tuple
    output_shapes: tuple

    @property
    def time_is_open(self):
        return any("T" in shape for shape in self.input_shapes)


def made_up_inputs(example, batch, length=None, seed=0):
    """Noise with the example's mean and deviation: {batch, C, length} for inputs with a time axis."""
    generator = torch.Generator().manual_seed(seed)
    made = []
    for tensor in example:
        shape = list(tensor.shape)
        shape[0] = batch
        if length is not None and tensor.dim() == TIME_AXIS + 1:
            shape[TIME_AXIS] = length
        deviation = float(tensor.std(unbiased=False))
        made.append(torch.randn(shape, generator=generator) * (deviation or 1.0) + float(tensor.mean()))
    return tuple(made)


def run(network, inputs):
    """The outputs as a tuple of tensors."""
    with torch.no_grad():
        outputs = network(*inputs)
    if isinstance(outputs, torch.Tensor):
        return (outputs,)
    if isinstance(outputs, (tuple, list)) and outputs and all(isinstance(one, torch.Tensor) for one in outputs):
        return tuple(outputs)
    raise ExportError(f"forward() must return a tensor or a tuple of tensors; was {type(outputs).__name__}")


def as_inputs(example):
    """`example_input` as a tuple of tensors."""
    inputs = tuple(example) if isinstance(example, (tuple, list)) else (example,)
    for number, tensor in enumerate(inputs):
        if not isinstance(tensor, torch.Tensor) or tensor.dtype != torch.float32:
            kind = tensor.dtype if isinstance(tensor, torch.Tensor) else type(tensor).__name__
            raise ExportError(f"example input {number} must be a tensor of torch.float32; was {kind}")
        if tensor.dim() < 2 or 0 in tensor.shape:
            raise ExportError(f"example input {number} must have a batch axis and no empty axis; "
                              f"its shape was {list(tensor.shape)}")
    if not inputs:
        raise ExportError("there must be an example input; the tuple was empty")
    return inputs


def time_length(inputs):
    """The common length of the inputs' time axes; None where there is none, or not one."""
    lengths = {tensor.shape[TIME_AXIS] for tensor in inputs if tensor.dim() == TIME_AXIS + 1}
    return lengths.pop() if len(lengths) == 1 else None


def other_length(length):
    """A length that networks take which divide theirs by powers of two."""
    return 2 * length


def check_samples_are_independent(network, example):
    """Raises ExportError where an answer is random, or depends on the other samples of the batch."""
    pair = made_up_inputs(example, batch=2, seed=1)
    together, again = run(network, pair), run(network, pair)
    alone = run(network, tuple(tensor[:1] for tensor in pair))
    for number, (first, second, single) in enumerate(zip(together, again, alone)):
        if not torch.equal(first, second):
            raise ExportError(f"output {number} differs between two runs on the same input: something in forward() "
                              "is random; write F.dropout(x, p, training=self.training)")
        if first.dim() == 0 or first.shape[0] != 2:
            raise ExportError(f"axis 0 of output {number} must be the batch: for 2 samples its shape was "
                              f"{list(first.shape)}")
        error = float((first[:1] - single).abs().max()) if single.numel() else 0.0
        allowed = ROUNDING * max(float(single.abs().max()), 1e-6)
        if not error <= allowed:
            raise ExportError(f"output {number} of a sample depends on the other samples of its batch: alone it is "
                              f"{error:.3g} off, more than {allowed:.3g}; normalize by running statistics")


def works_at_another_length(network, example):
    length = time_length(example)
    if length is None:
        return False
    try:
        run(network, made_up_inputs(example, batch=2, length=other_length(length)))
    except ExportError:
        raise
    except Exception:  # whatever a network raises for a shape that it was not made for
        return False
    return True


def signature_of(network, example, open_time, input_names=None, output_names=None):
    """The Signature, with T where `open_time`."""
    length = time_length(example) if open_time else None
    outputs = run(network, made_up_inputs(example, batch=2, length=length))
    longer = outputs
    if open_time:
        longer = run(network, made_up_inputs(example, batch=2, length=other_length(length)))
    input_shapes = [_shape(tensor.shape, {TIME_AXIS} if open_time and tensor.dim() == TIME_AXIS + 1 else set(), length)
                    for tensor in example]
    output_shapes = []
    for short, long in zip(outputs, longer):
        changed = {axis for axis in range(1, short.dim()) if short.shape[axis] != long.shape[axis]}
        output_shapes.append(_shape(short.shape, changed, length))
    names = (_names("input_names", input_names, _parameter_names(network, len(example))),
             _names("output_names", output_names, _output_names(len(outputs))))
    shared = set(names[0]) & set(names[1])
    if shared:
        raise ExportError(f"an output must not have an input's name; {shared.pop()!r} is both: give input_names or "
                          "output_names")
    return Signature(*names, tuple(input_shapes), tuple(output_shapes))


def _names(what, given, otherwise):
    """`given`, or `otherwise`, which has as many as there must be."""
    if given is None:
        return tuple(otherwise)
    # Not a str, which is a sequence of strings too.
    valid = isinstance(given, (list, tuple)) and all(isinstance(name, str) and name for name in given)
    if not valid or len(set(given)) != len(given) or len(given) != len(otherwise):
        raise ExportError(f"{what} must be a list of different names, as many as there are: {len(otherwise)}; "
                          f"was {given!r}")
    return tuple(given)


def _shape(sizes, open_axes, length):
    """Axes that follow the time and are not as long get a name of their own."""
    return tuple("N" if axis == 0 else size if axis not in open_axes else "T" if size == length else f"T{axis}"
                 for axis, size in enumerate(sizes))


def _parameter_names(network, count):
    parameters = [parameter.name for parameter in inspect.signature(network.forward).parameters.values()
                  if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)]
    if len(parameters) >= count:
        return parameters[:count]
    return ["input"] if count == 1 else [f"input_{number}" for number in range(count)]


def _output_names(count):
    return ["output"] if count == 1 else [f"output_{number}" for number in range(count)]
