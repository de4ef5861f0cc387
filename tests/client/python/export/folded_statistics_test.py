import base64
import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import support  # noqa: E402

support.need("onnx", "numpy")
import numpy as np  # noqa: E402
import onnx  # noqa: E402
from onnx import numpy_helper  # noqa: E402
from stillwave.export import folded_statistics, graph_check  # noqa: E402
from stillwave.export.constants import Constants, attribute  # noqa: E402

DOCUMENT = support.ROOT / "docs" / "drift-metadata.md"


def floats(text):
    return np.frombuffer(base64.b64decode(text, validate=True), "<f4")


def seed_block():
    """With its layers named as the export helper names them."""
    model = onnx.load(str(support.MODELS / "seed_block" / "model.onnx"))
    for number, (node, _) in enumerate(graph_check.batch_norms(model)):
        node.name = f"layer{number}"
    return model


def fold(model, names):
    """Conv + BatchNormalization as one Conv, in float32 as exporters compute it; for the layers named."""
    folded = onnx.ModelProto()
    folded.CopyFrom(model)
    constants = Constants(folded.graph)
    for node in [node for node in folded.graph.node if node.name in names]:
        conv = next(other for other in folded.graph.node if other.output[0] == node.input[0])
        scale, shift, mean, variance = (constants.array(name) for name in node.input[1:5])
        factor = scale / np.sqrt(variance + np.float32(attribute(node, "epsilon")))
        weights = constants.array(conv.input[1]) * factor[:, None, None]
        folded.graph.initializer.extend([numpy_helper.from_array(weights.astype(np.float32), node.name + ".w"),
                                         numpy_helper.from_array((shift - mean * factor).astype(np.float32),
                                                                 node.name + ".b")])
        conv.input[1:] = [node.name + ".w", node.name + ".b"]
        conv.output[0] = node.output[0]
        folded.graph.node.remove(node)
    onnx.checker.check_model(folded)
    return folded


class FoldedStatistics(unittest.TestCase):
    def entries(self, model):
        return {prop.key: json.loads(prop.value) for prop in model.metadata_props
                if prop.key.startswith(folded_statistics.PREFIX)}

    def test_each_folded_layer_is_described_at_the_value_that_it_became(self):
        kept = seed_block()
        folded = fold(kept, {"layer0", "layer2"})
        self.assertEqual(folded_statistics.describe(kept, folded), ["layer0", "layer2"])
        entries = self.entries(folded)
        for node, layer in graph_check.batch_norms(kept):
            entry = entries.pop(folded_statistics.PREFIX + node.output[0], None)
            if layer.name == "layer1":
                self.assertIsNone(entry)
                continue
            self.assertEqual((entry["layer"], entry["channels"], np.float32(entry["epsilon"])),
                             (layer.name, len(layer.mean), np.float32(1e-5)))
            for field in ("mean", "variance", "scale", "shift"):
                np.testing.assert_array_equal(floats(entry[field]), getattr(layer, field))
        self.assertEqual(entries, {})

    def test_other_weights_are_not_taken_for_a_folded_layer(self):
        kept = seed_block()
        folded = fold(kept, {"layer0"})
        tensor = next(tensor for tensor in folded.graph.initializer if tensor.name == "layer0.b")
        bias = numpy_helper.to_array(tensor).copy()
        bias[7] += 1e-3
        tensor.CopyFrom(numpy_helper.from_array(bias, "layer0.b"))
        self.assertEqual(folded_statistics.describe(kept, folded), [])
        self.assertEqual(self.entries(folded), {})

    def test_the_example_of_the_document_is_what_it_says(self):
        text = re.search(r"```json\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL).group(1)
        entry = json.loads(text)
        self.assertEqual({field: list(floats(entry[field])) for field in ("mean", "variance", "scale", "shift")},
                         {"mean": [1, 2], "variance": [1, 1], "scale": [1, 1], "shift": [0, 0]})

    def test_drift_seen_behind_the_layer_is_that_before_it(self):
        _, layer = graph_check.batch_norms(seed_block())[0]
        x = np.random.default_rng(0).normal(1.5, 2.0, (400, len(layer.mean)))
        deviation = np.sqrt(layer.variance.astype(np.float64) + layer.epsilon)
        y = layer.scale * (x - layer.mean) / deviation + layer.shift
        np.testing.assert_allclose(np.abs(y.mean(0) - layer.shift) / np.abs(layer.scale),
                                   np.abs(x.mean(0) - layer.mean) / deviation, rtol=1e-6)
        np.testing.assert_allclose(y.var(0) * deviation**2 / (layer.scale**2 * layer.variance),
                                   x.var(0) / layer.variance, rtol=1e-6)


if __name__ == "__main__":
    support.main()
