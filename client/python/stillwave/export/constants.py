"""Values of an ONNX graph that are known without an input."""
from onnx import numpy_helper


class Constants:
    """Initializers, Constant nodes, and what Identity nodes make of them: exporters share equal weights that way."""

    def __init__(self, graph):
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}
        self._aliases = {}
        for node in graph.node:
            if node.op_type == "Constant":
                for attribute in node.attribute:
                    if attribute.name == "value":
                        self._tensors[node.output[0]] = attribute.t
            elif node.op_type == "Identity":
                self._aliases[node.output[0]] = node.input[0]

    def array(self, name):
        """The value as a numpy array; None if it is not constant."""
        while name in self._aliases:
            name = self._aliases[name]
        tensor = self._tensors.get(name)
        return None if tensor is None else numpy_helper.to_array(tensor)


def attribute(node, name, otherwise=None):
    """A number, or numbers, of a node's attribute."""
    from onnx import helper

    for one in node.attribute:
        if one.name == name:
            return helper.get_attribute_value(one)
    return otherwise
