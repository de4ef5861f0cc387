"""PyTorch's two ONNX exporters, with the arguments under which they keep batch normalization, or fold it."""
import importlib.util
import io
import itertools
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
    """The exporter that `auto` means: TorchScript's, which PyTorch 1.13 and 2.15 both have."""
    if exporter not in EXPORTERS:
        raise ExportError(f"exporter must be one of {', '.join(EXPORTERS)}; was {exporter!r}")
    if exporter == "auto":
        return "torchscript"
    if exporter == "dynamo" and _torch_version() < (2, 6):
        raise ExportError(f"exporter 'dynamo' needs PyTorch 2.6 or newer; this is {torch.__version__}")
    if exporter == "dynamo" and importlib.util.find_spec("onnxscript") is None:
        raise ExportError("exporter 'dynamo' needs onnxscript: pip install onnxscript")
    return exporter


def _torch_version():
    return tuple(int(part) for part in re.match(r"(\d+)\.(\d+)", torch.__version__).groups())


def to_onnx(network, example, signature, exporter, opset=None, keep=True):
    """The network as a ModelProto with the axes of `signature`. `keep`: batch normalization stays as it is; otherwise
    the exporter folds what it folds by default."""
    opset = opset or DEFAULT_OPSET[exporter]
    trace = {"torchscript": _torchscript, "dynamo": _dynamo}[exporter]
    lengths = [probe.time_length(example)] * 2
    if signature.time_is_open:
        lengths[1] = probe.other_length(lengths[0])
    try:
        with warnings.catch_warnings():
            # Both warn about arguments that are the point here, and TorchScript of every Python number that it traces:
            # whether one of them was a size is checked by comparing two traces.
            warnings.simplefilter("ignore")
            traces = [trace(network, probe.made_up_inputs(example, batch, length), signature, opset, keep)
                      for batch, length in zip(TRACED_BATCHES, lengths)]
    except Exception as error:  # the exporters raise of every kind
        raise ExportError(f"PyTorch's {exporter} exporter failed at opset {opset}: {_reason(error)}") from error
    written = [one.version for one in traces[0].opset_import if one.domain in ("", "ai.onnx")]
    if written != [opset]:
        # dynamo's writes its own version, in silence, where it has no way to the one that is asked for.
        raise ExportError(f"opset must be one that PyTorch's {exporter} exporter writes; of {opset} it made "
                          f"{', '.join(map(str, written))}")
    changed = _first_difference(*traces)
    if changed is not None:
        other_cure = ", or leave the length fixed (time='fixed')" if signature.time_is_open else ""
        raise ExportError(f"node {changed} of the traced graph holds a size of the example input, so the file would be "
                          f"wrong for others; write sizes as x.shape[…] or as -1{other_cure}")
    return traces[0]


def _reason(error):
    """One line. dynamo's own errors begin with advice for its developers; what happened is the first cause."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _torchscript(network, inputs, signature, opset, keep):
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
    for one, other in itertools.zip_longest(first.graph.node, second.graph.node):
        same = one is not None and other is not None and one.SerializeToString() == other.SerializeToString()
        if not same or any(constants[0].get(name) != constants[1].get(name) for name in one.input):
            differing = one or other
            return differing.name or differing.op_type
    return None


def _dynamo(network, inputs, signature, opset, keep):
    from onnxscript import optimizer

    program = torch.onnx.export(
        network, inputs, dynamo=True, opset_version=opset, input_names=list(signature.input_names),
        output_names=list(signature.output_names), dynamic_shapes=_dynamic_shapes(signature), verbose=False,
        # Optimizing folds BatchNormalization into Conv, ConvTranspose and Gemm since onnxscript 0.5.
        optimize=not keep)
    if keep:
        # Otherwise the graph computes ones and zeros: scale and shift of a BatchNorm that has none, the bias of a
        # convolution without one.
        optimizer.fold_constants(program.model)
        optimizer.remove_unused_nodes(program.model)
    model = program.model_proto
    # Stack traces, with paths of the machine that exported; and the sizes that PyTorch believes in (_dynamic_shapes).
    for described in (model.graph, *model.graph.node):
        del described.metadata_props[:]
    return model


def _open_axes(signature):
    axes = {}
    for names, shapes in ((signature.input_names, signature.input_shapes),
                          (signature.output_names, signature.output_shapes)):
        for name, shape in zip(names, shapes):
            axes[name] = {axis: size for axis, size in enumerate(shape) if isinstance(size, str)}
    return axes


def _dynamic_shapes(signature):
    """One for each input. A named Dim is fixed by max_pool1d, whose graph is the same for every length; AUTO leaves the
    axis open even where PyTorch believes that it is fixed, and what then holds a size is found by comparing traces."""
    return tuple({axis: torch.export.Dim.AUTO for axis, size in enumerate(shape) if isinstance(size, str)}
                 for shape in signature.input_shapes)
