"""PyTorch's two ONNX exporters, with the arguments under which they keep batch normalization, or fold it."""
import io
import re
import warnings

import onnx
import torch

from stillwave.export import probe
from stillwave.export.errors import ExportError

EXPORTERS = ("auto", "torchscript", "dynamo")
DEFAULT_OPSET = {"torchscript": 17, "dynamo": 18}
# Sizes of the traces; not 1, which an exporter takes for a fixed size.
TRACED_BATCHES = (2, 3)


def choose(exporter):
    """The exporter that `auto` means: TorchScript's, which PyTorch 1.13 and 2.15 both have, and which keeps what
    dynamo's does not yet (client/python/README.md)."""
    if exporter not in EXPORTERS:
        raise ExportError(f"exporter must be one of {', '.join(EXPORTERS)}; was {exporter!r}")
    if exporter == "auto":
        return "torchscript"
    if exporter == "dynamo" and _torch_version() < (2, 5):
        raise ExportError(f"exporter 'dynamo' needs PyTorch 2.5 or newer; this is {torch.__version__}")
    return exporter


def _torch_version():
    return tuple(int(part) for part in re.match(r"(\d+)\.(\d+)", torch.__version__).groups())


def to_onnx(network, example, signature, exporter, opset=None, keep=True):
    """The network as a ModelProto with the axes of `signature`. `keep`: batch normalization stays as it is; otherwise
    the exporter folds what it folds by default."""
    opset = opset or DEFAULT_OPSET[exporter]
    convert = {"torchscript": _torchscript, "dynamo": _dynamo}[exporter]
    try:
        with warnings.catch_warnings():
            # Both warn about arguments that are the point here, and TorchScript of every Python number that it traces:
            # whether one of them was a size is checked by comparing two traces.
            warnings.simplefilter("ignore")
            return convert(network, example, signature, opset, keep)
    except ExportError:
        raise
    except Exception as error:  # the exporters raise of every kind
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ExportError(f"PyTorch's {exporter} exporter failed at opset {opset}: {reason[0]}") from error


def _torchscript(network, example, signature, opset, keep):
    length = probe.time_length(example)
    traces = []
    for number, batch in enumerate(TRACED_BATCHES):
        traced_length = length if number == 0 or not signature.time_is_open else probe.other_length(length)
        inputs = probe.made_up_inputs(example, batch, traced_length)
        traces.append(_trace(network, inputs, signature, opset, keep))
    changed = _first_difference(*traces)
    if changed is not None:
        raise ExportError(f"node {changed} of the traced graph holds a size of the example input, so the file would be "
                          "wrong for others; write sizes as x.shape[…] or as -1, or leave the length fixed "
                          "(time='fixed')")
    return traces[0]


def _trace(network, inputs, signature, opset, keep):
    arguments = {}
    if _torch_version() >= (2, 5):
        arguments["dynamo"] = False
    file = io.BytesIO()
    torch.onnx.export(
        network, inputs, file, opset_version=opset, input_names=list(signature.input_names),
        output_names=list(signature.output_names), dynamic_axes=_open_axes(signature), do_constant_folding=True,
        # Under EVAL, the default, Conv + BatchNormalization is folded and nothing turns that off. PRESERVE takes the
        # network's own mode, evaluation, and leaves the pair alone.
        training=torch.onnx.TrainingMode.PRESERVE if keep else torch.onnx.TrainingMode.EVAL, **arguments)
    return onnx.load_model_from_string(file.getvalue())


def _first_difference(first, second):
    """The first node that two traces do not share, by name; None if none."""
    constants = [{tensor.name: tensor.SerializeToString() for tensor in model.graph.initializer}
                 for model in (first, second)]
    for one, other in zip(first.graph.node, second.graph.node):
        same = one.SerializeToString() == other.SerializeToString()
        if not same or any(constants[0].get(name) != constants[1].get(name) for name in one.input):
            return one.name or one.op_type
    return "count" if len(first.graph.node) != len(second.graph.node) else None


def _dynamo(network, example, signature, opset, keep):
    from onnxscript import optimizer

    inputs = probe.made_up_inputs(example, TRACED_BATCHES[0], probe.time_length(example))
    program = torch.onnx.export(
        network, inputs, dynamo=True, opset_version=opset, input_names=list(signature.input_names),
        output_names=list(signature.output_names), dynamic_shapes=_dynamic_shapes(signature), verbose=False,
        # Optimizing folds BatchNormalization into Conv, ConvTranspose and Gemm since onnxscript 0.5.
        optimize=not keep)
    if keep:
        # Ones and zeros are computed in the graph otherwise: scale and shift of a BatchNorm that has none, the bias of a
        # convolution without one.
        optimizer.fold_constants(program.model)
        optimizer.remove_unused_nodes(program.model)
    return program.model_proto


def _open_axes(signature):
    axes = {}
    for names, shapes in ((signature.input_names, signature.input_shapes),
                          (signature.output_names, signature.output_shapes)):
        for name, shape in zip(names, shapes):
            axes[name] = {axis: size for axis, size in enumerate(shape) if isinstance(size, str)}
    return axes


def _dynamic_shapes(signature):
    """One for each input. A Dim makes PyTorch fail, and say where, if the axis cannot be open."""
    dims = {"N": torch.export.Dim("N"), "T": torch.export.Dim("T")}
    return tuple({axis: dims[size] for axis, size in enumerate(shape) if isinstance(size, str)}
                 for shape in signature.input_shapes)
