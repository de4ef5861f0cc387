"""What an exported file must be: frozen, open where it should be, and with the layers that the network has."""
import numpy as np

from stillwave.export.batch_norm_layer import BatchNormLayer
from stillwave.export.constants import Constants, attribute
from stillwave.export.errors import ExportError


def check_frozen(model):
    """Raises ExportError for a node that would behave as in training."""
    constants = Constants(model.graph)
    read = {name for node in model.graph.node for name in node.input} | {one.name for one in model.graph.output}
    for node in model.graph.node:
        used = [name for name in node.output[1:] if name and name in read]
        if node.op_type == "BatchNormalization":
            # Outputs after the first are the batch's statistics. Before opset 14 they alone say training.
            if attribute(node, "training_mode", 0) or any(node.output[1:]):
                raise ExportError(f"BatchNormalization {_name(node)} is in training mode; F.batch_norm needs "
                                  "training=False and running statistics")
            for what, name in zip(("scale", "shift", "mean", "variance"), node.input[1:]):
                if constants.array(name) is None:
                    raise ExportError(f"BatchNormalization {_name(node)}: its {what} must be constant; "
                                      f"{name} is computed")
        if node.op_type == "Dropout":
            training = constants.array(node.input[2]) if len(node.input) > 2 and node.input[2] else np.array(False)
            if training is None or training.any() or used:
                raise ExportError(f"Dropout {_name(node)} is in training mode; write "
                                  "F.dropout(x, p, training=self.training)")


def check_open_axes(model, signature):
    """Raises ExportError where an input's axis is fixed although `signature` leaves it open.

    Declares inputs and outputs as in `signature`: exporters take the outputs' shapes from the example, and give axes
    names of their own. Shapes of inner values, which bear those names, are left out."""
    for value, shape in zip(model.graph.input, signature.input_shapes):
        dims = value.type.tensor_type.shape.dim
        for axis, size in enumerate(shape):
            if isinstance(size, str) and not dims[axis].dim_param:
                raise ExportError(f"axis {axis} ({size}) of input {value.name} must be open; the exporter fixed it to "
                                  f"{dims[axis].dim_value}")
    for values, shapes in ((model.graph.input, signature.input_shapes), (model.graph.output, signature.output_shapes)):
        for value, shape in zip(values, shapes):
            _declare(value, shape)
    del model.graph.value_info[:]


def _declare(value, shape):
    declared = value.type.tensor_type.shape
    del declared.dim[:]
    for size in shape:
        if isinstance(size, str):
            declared.dim.add(dim_param=size)
        else:
            declared.dim.add(dim_value=size)


def name_layers(model, layers):
    """Gives each BatchNormalization node the name of its layer, and returns the layers that have no node."""
    missing = list(layers)
    for node, found in batch_norms(model):
        match = next((layer for layer in missing if layer.same_numbers(found)), None)
        if match is not None:
            node.name = match.name
            missing.remove(match)
    return missing


def batch_norms(model):
    """(node, BatchNormLayer) of each BatchNormalization whose parameters are constants."""
    constants = Constants(model.graph)
    found = []
    for node in model.graph.node:
        if node.op_type != "BatchNormalization":
            continue
        scale, shift, mean, variance = (constants.array(name) for name in node.input[1:5])
        if any(array is None for array in (scale, shift, mean, variance)):
            continue
        found.append((node, BatchNormLayer(node.name, float(attribute(node, "epsilon", 1e-5)), mean, variance, scale,
                                           shift)))
    return found


def _name(node):
    return node.name or node.output[0]
