import pathlib
import sys
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import support  # noqa: E402

support.need("onnx", "numpy")
import onnx  # noqa: E402
from onnx import TensorProto, helper  # noqa: E402
from stillwave.export import ExportError, graph_check  # noqa: E402


def load(name):
    return onnx.load(str(support.MODELS / f"{name}"))


def dropout(*inputs, initializers=()):
    node = helper.make_node("Dropout", ["x", *inputs], ["y"], name="drop")
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 4]) for name in ("x", "y")]
    return helper.make_model(helper.make_graph([node], "g", values[:1], values[1:], list(initializers)))


class Frozen(unittest.TestCase):
    def refusal(self, model):
        with self.assertRaises(ExportError) as raised:
            graph_check.check_frozen(model)
        return str(raised.exception)

    def test_models_in_evaluation_mode_pass(self):
        for name in ("seed_block", "bn_extremes", "bn_mlp", "post_relu_bn"):
            graph_check.check_frozen(load(f"{name}/model.onnx"))

    def test_batch_normalization_in_training_mode_is_refused_at_every_opset(self):
        # PyTorch writes these for track_running_stats=False: an attribute since opset 14, only outputs before.
        for opset in (13, 15):
            self.assertIn("is in training mode", self.refusal(load(f"refused/bn_no_running_stats_opset{opset}.onnx")))

    def test_statistics_that_are_computed_are_refused(self):
        model = load("seed_block/model.onnx")
        node = next(node for node in model.graph.node if node.op_type == "BatchNormalization")
        node.input[3] = "x"
        self.assertIn("its mean must be constant; x is computed", self.refusal(model))

    def test_dropout_passes_unless_it_is_in_training_mode(self):
        ratio = helper.make_tensor("ratio", TensorProto.FLOAT, [], [0.5])
        graph_check.check_frozen(dropout())
        off, on = (helper.make_tensor("mode", TensorProto.BOOL, [], [value]) for value in (False, True))
        graph_check.check_frozen(dropout("ratio", "mode", initializers=[ratio, off]))
        self.assertIn("Dropout drop", self.refusal(dropout("ratio", "mode", initializers=[ratio, on])))
        self.assertIn("Dropout drop", self.refusal(dropout("ratio", "x", initializers=[ratio])))


class Axes(unittest.TestCase):
    def signature(self, inputs, outputs):
        return types.SimpleNamespace(input_shapes=[inputs], output_shapes=[outputs])

    def test_an_axis_that_the_exporter_fixed_is_named(self):
        model = load("seed_block/model.onnx")
        graph_check.check_open_axes(model, self.signature(("N", 3, "T"), ("N", 5)))
        model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 128
        with self.assertRaisesRegex(ExportError, r"axis 2 \(T\) of input x must be open; the exporter fixed it to 128"):
            graph_check.check_open_axes(model, self.signature(("N", 3, "T"), ("N", 5)))

    def test_outputs_are_declared_as_they_are(self):
        model = load("seed_block/model.onnx")
        model.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 2
        graph_check.check_open_axes(model, self.signature(("N", 3, "T"), ("N", 5)))
        dims = model.graph.output[0].type.tensor_type.shape.dim
        self.assertEqual([dim.dim_param or dim.dim_value for dim in dims], ["N", 5])

    def test_open_axes_get_their_names(self):
        model = load("seed_block/model.onnx")
        model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "s77"
        graph_check.check_open_axes(model, self.signature(("N", 3, "T"), ("N", 5)))
        dims = model.graph.input[0].type.tensor_type.shape.dim
        self.assertEqual([dim.dim_param or dim.dim_value for dim in dims], ["N", 3, "T"])


class Layers(unittest.TestCase):
    def layers(self, model):
        return [layer for _, layer in graph_check.batch_norms(model)]

    def test_nodes_get_the_names_of_their_layers(self):
        model = load("seed_block/model.onnx")
        layers = [types.SimpleNamespace(name=f"layer{number}", same_numbers=layer.same_numbers)
                  for number, layer in enumerate(self.layers(model))]
        self.assertEqual(graph_check.name_layers(model, reversed(layers)), [])
        self.assertEqual([node.name for node in model.graph.node if node.op_type == "BatchNormalization"],
                         ["layer0", "layer1", "layer2"])

    def test_a_layer_without_a_node_is_missing(self):
        model = load("seed_block/model.onnx")
        layers = self.layers(model)
        second = [node for node in model.graph.node if node.op_type == "BatchNormalization"][1]
        model.graph.node.remove(second)
        self.assertEqual([layer.mean[0] for layer in graph_check.name_layers(model, layers)], [layers[1].mean[0]])

    def test_parameters_behind_identity_and_constant_nodes_are_found(self):
        plain = load("seed_block/model.onnx")
        model = load("seed_block/model.onnx")
        number = [node.op_type for node in model.graph.node].index("BatchNormalization")
        node = model.graph.node[number]
        value = next(tensor for tensor in model.graph.initializer if tensor.name == node.input[3])
        model.graph.node.insert(0, helper.make_node("Constant", [], ["held"], value=value))
        model.graph.node.insert(1, helper.make_node("Identity", ["held"], ["shared"]))
        model.graph.node[number + 2].input[3] = "shared"
        self.assertTrue(self.layers(model)[0].same_numbers(self.layers(plain)[0]))


if __name__ == "__main__":
    support.main()
