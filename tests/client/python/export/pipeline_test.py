"""Networks exported by every exporter that this PyTorch has, and served by the real server.

STILLWAVE_SERVER names its program; without it nothing is asked of a server, and the test says so by failing.
"""
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import support  # noqa: E402

support.need("torch", "onnx", "grpc", "google.protobuf")
import networks  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import torch  # noqa: E402
from stillwave.export import ExportError, export, graph_check, probe, verification  # noqa: E402
from stillwave.export.served_model import ServedModel  # noqa: E402
from stillwave.export.server_process import ServerProcess  # noqa: E402
from torch import nn  # noqa: E402

SERVER = os.environ["STILLWAVE_SERVER"]


EXPORTERS = ("torchscript", "dynamo")
# name: (network, shapes of its inputs, layers in the order in which they run, is the time axis open)
NETWORKS = {
    "demonstration": (networks.demonstration, [(1, 1, 128)], ("1", "5", "9"), True),
    "residual": (networks.Residual, [(1, 2, 80)],
                 ("blocks.0.body.1", "blocks.0.body.4", "blocks.0.shortcut.1", "blocks.1.body.1", "blocks.1.body.4",
                  "blocks.1.shortcut.1", "blocks.2.body.1", "blocks.2.body.4", "blocks.2.shortcut"), True),
    "inception": (networks.Inception, [(1, 4, 96)],
                  ("modules_.0.norm", "modules_.1.norm", "modules_.2.norm", "shortcut.1"), True),
    "dense": (networks.Dense, [(1, 6, 24)], ("norm", "body.2", "body.6"), False),
    "streams": (networks.Streams, [(1, 3, 40), (1, 4)], ("norm", "norm#2"), True),
}


class Exports(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.repository = pathlib.Path(folder.name) / "models"

    def network(self, name):
        make, shapes, layers, is_open = NETWORKS[name]
        torch.manual_seed(1)
        return networks.trained(make()), tuple(torch.randn(shape) for shape in shapes), layers, is_open

    def model(self, exported):
        return onnx.load(str(exported.folder / "model.onnx"))

    def check_kept(self, name):
        network, example, layers, is_open = self.network(name)
        for exporter in EXPORTERS:
            with self.subTest(exporter=exporter):
                support.need_exporter(self, exporter)
                exported = export(network, example, self.repository, f"{name}_{exporter}", exporter=exporter,
                                  verify=SERVER)
                self.assertEqual(exported.kept_layers, layers)
                self.assertEqual((exported.folded_layers, exported.lost_layers), ((), ()))
                self.assertEqual(exported.signature.time_is_open, is_open)
                nodes = [node.name for node in self.model(exported).graph.node if node.op_type == "BatchNormalization"]
                self.assertCountEqual(nodes, layers)
                self.assertLessEqual(exported.verification.error, exported.verification.allowed)
                self.assertEqual(exported.verification.cases, 3 if is_open else 2)

    def test_the_demonstration_architecture_is_kept_and_served(self):
        self.check_kept("demonstration")

    def test_residual_networks_are_kept_and_served(self):
        self.check_kept("residual")

    def test_inception_networks_are_kept_and_served(self):
        self.check_kept("inception")

    def test_layers_after_linear_ones_are_kept_and_served(self):
        self.check_kept("dense")

    def test_several_inputs_and_outputs_and_a_layer_used_twice_are_kept_and_served(self):
        self.check_kept("streams")

    def test_folded_layers_are_described_and_served(self):
        network, example, layers, _ = self.network("demonstration")
        for exporter in EXPORTERS:
            with self.subTest(exporter=exporter):
                support.need_exporter(self, exporter)
                exported = export(network, example, self.repository, exporter, exporter=exporter, batchnorm="folded",
                                  verify=SERVER)
                self.assertEqual((exported.folded_layers, exported.kept_layers, exported.lost_layers), (layers, (), ()))
                model = self.model(exported)
                self.assertEqual(graph_check.batch_norms(model), [])
                outputs = {name for node in model.graph.node for name in node.output}
                for prop, layer in zip(model.metadata_props, layers):
                    self.assertIn(prop.key[len("stillwave.batchnorm."):], outputs)
                    entry = json.loads(prop.value)
                    self.assertEqual(entry["layer"], layer)
                    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(entry["variance"]), "<f4"),
                                                  network[int(layer)].running_var.numpy())

    def test_layers_that_no_exporter_folds_stay_in_a_folded_export(self):
        network, example, layers, _ = self.network("inception")
        for exporter in EXPORTERS:
            with self.subTest(exporter=exporter):
                support.need_exporter(self, exporter)
                exported = export(network, example, self.repository, exporter, exporter=exporter, batchnorm="folded")
                self.assertEqual(exported.folded_layers, ("shortcut.1",))
                self.assertEqual(exported.kept_layers, layers[:3])

    def test_layers_without_scale_and_shift_are_kept_and_described_with_ones_and_zeros(self):
        network = networks.trained(nn.Sequential(
            nn.Conv1d(3, 8, 5, padding=2, bias=False), nn.BatchNorm1d(8, affine=False), nn.ReLU(),
            nn.ConvTranspose1d(8, 4, 4, stride=2, padding=1, bias=False), nn.BatchNorm1d(4, affine=False)))
        example = torch.randn(1, 3, 40)
        for exporter in EXPORTERS:
            with self.subTest(exporter=exporter):
                support.need_exporter(self, exporter)
                kept = export(network, example, self.repository, f"kept_{exporter}", exporter=exporter, verify=SERVER)
                self.assertEqual(kept.kept_layers, ("1", "4"))
                for (_, layer), width in zip(graph_check.batch_norms(self.model(kept)), (8, 4)):
                    np.testing.assert_array_equal(layer.scale, np.ones(width, np.float32))
                    np.testing.assert_array_equal(layer.shift, np.zeros(width, np.float32))
                folded = export(network, example, self.repository, f"folded_{exporter}", exporter=exporter,
                                batchnorm="folded", verify=SERVER)
                described = {entry["layer"]: np.frombuffer(base64.b64decode(entry["scale"]), "<f4").tolist()
                             for entry in (json.loads(prop.value) for prop in self.model(folded).metadata_props)}
                self.assertEqual(set(folded.folded_layers), set(described))
                # TorchScript's exporter folds no ConvTranspose.
                self.assertEqual((folded.folded_layers, folded.kept_layers, folded.lost_layers),
                                 (("1", "4"), (), ()) if exporter == "dynamo" else (("1",), ("4",), ()))
                self.assertEqual(described["1"], [1.0] * 8)

    def test_sizes_behind_a_max_pooling_are_those_of_the_request(self):
        # PyTorch's dynamo takes the length for fixed from max_pool1d on.
        class Padded(nn.Module):
            def forward(self, x):
                pooled = nn.functional.max_pool1d(x, 2)
                return pooled.reshape(pooled.shape[0], 3 * pooled.shape[2]), x.sum(2) / x.shape[2]

        for exporter in EXPORTERS:
            with self.subTest(exporter=exporter):
                support.need_exporter(self, exporter)
                exported = export(Padded().eval(), torch.randn(1, 3, 32), self.repository, exporter, exporter=exporter,
                                  time="open", verify=SERVER)
                self.assertEqual(exported.verification.cases, 3)
                declared = [[dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
                            for value in [*self.model(exported).graph.input, *self.model(exported).graph.output]]
                self.assertEqual(declared, [["N", 3, "T"], ["N", "T1"], ["N", 3]])

    def test_a_length_that_the_graph_would_hold_is_left_fixed(self):
        class Baked(nn.Module):
            def forward(self, x):
                return nn.functional.avg_pool1d(x, int(x.shape[2])).flatten(1)

        class BakedBehindMaxPooling(nn.Module):
            def forward(self, x):
                pooled = nn.functional.max_pool1d(x, 3, stride=1, padding=1)
                return nn.functional.avg_pool1d(pooled, int(pooled.shape[2])).flatten(1)

        example = torch.randn(1, 3, 32)
        for exporter in EXPORTERS:
            for network in (Baked().eval(), BakedBehindMaxPooling().eval()):
                with self.subTest(exporter=exporter, network=type(network).__name__):
                    support.need_exporter(self, exporter)
                    name = f"{type(network).__name__}_{exporter}"
                    exported = export(network, example, self.repository, name, exporter=exporter, verify=SERVER)
                    self.assertEqual(exported.signature.input_shapes, (("N", 3, 32),))
                    with self.assertRaisesRegex(ExportError, "of the traced graph holds a size of the example input"):
                        export(network, example, self.repository, f"{name}_open", exporter=exporter, time="open")

    def test_the_file_says_nothing_of_where_it_was_made(self):
        network, example, _, _ = self.network("inception")
        for exporter in EXPORTERS:
            with self.subTest(exporter=exporter):
                support.need_exporter(self, exporter)
                exported = export(network, example, self.repository, exporter, exporter=exporter)
                content = (exported.folder / "model.onnx").read_bytes()
                self.assertNotIn(b"networks.py", content)
                self.assertNotIn(b"range_constraints", content)

    def test_nothing_is_written_when_something_is_refused(self):
        network, example, _, _ = self.network("demonstration")
        network[5].train()
        with self.assertRaisesRegex(ExportError, r"5 \(BatchNorm1d\) is in training mode"):
            export(network, example, self.repository, "ecg")
        self.assertFalse(self.repository.exists())

    def test_what_the_server_refuses_is_not_published(self):
        network, example, _, _ = self.network("demonstration")
        with self.assertRaisesRegex(ExportError, "refuses ecg version 1: .*no_such_parameter"):
            export(network, example, self.repository, "ecg", parameters={"no_such_parameter": 1}, verify=SERVER)
        self.assertFalse(self.repository.exists())

    def test_an_answer_that_is_not_pytorchs_is_noticed(self):
        network, example, _, _ = self.network("demonstration")
        exported = export(network, example, self.repository, "ecg")
        with ServerProcess(SERVER, self.repository) as server, ServedModel(server.address, "ecg", 1) as served:
            served.wait_until_ready()
            verification.verify(served, network, probe.as_inputs(example), exported.signature)
            with torch.no_grad():
                network[5].bias[3] += 0.01
            with self.assertRaisesRegex(ExportError, "the server's answer differs from PyTorch's by"):
                verification.verify(served, network, probe.as_inputs(example), exported.signature)

    def test_a_running_server_is_asked_by_its_address(self):
        network, example, _, _ = self.network("demonstration")
        export(network, example, self.repository, "ecg")
        with ServerProcess(SERVER, self.repository, "--model_control_mode=explicit", "--load_model=*") as server:
            exported = export(network, example, self.repository, "ecg", version=2, verify=server.address)
        self.assertEqual(exported.verification.cases, 3)

    def test_a_program_that_is_no_server_is_refused(self):
        network, example, _, _ = self.network("demonstration")
        with self.assertRaisesRegex(ExportError, "verify must be 'none', HOST:PORT or a stillwave-server program"):
            export(network, example, self.repository, "ecg", verify="/no/such/program")
        self.assertFalse(self.repository.exists())


class CommandLine(unittest.TestCase):
    def run_export(self, folder, network):
        (pathlib.Path(folder) / "nets.py").write_text(
            "import networks\n"
            "def good(): return networks.trained(networks.demonstration())\n"
            "def training(): return networks.demonstration()\n", encoding="utf-8")
        paths = [str(support.ROOT / "client" / "python"), str(support.ROOT / "tests" / "client" / "python")]
        return subprocess.run(
            [sys.executable, "-m", "stillwave.export", network, "--input", "1,1,128", "--repository",
             "models", "--name", "ecg", "--parameter", "hop=32"],
            cwd=folder, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)}, capture_output=True, text=True)

    def test_it_exports_what_a_function_returns_and_says_what_was_kept(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.run_export(folder, "nets:good")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("batch normalization kept: 1, 5, 9", done.stdout)
            config = (pathlib.Path(folder) / "models" / "ecg" / "config.pbtxt").read_text(encoding="utf-8")
            self.assertIn('key: "hop" value { string_value: "32" }', config)

    def test_it_says_what_is_refused(self):
        cases = {
            "nets:training": "stillwave.export: 1 (BatchNorm1d) is in training mode",
            "nets:god": "stillwave.export: module nets must have a function god",
            "nests:good": "stillwave.export: there is no module nests in this folder",
            "nets": "stillwave.export: the network must be MODULE:FACTORY; was 'nets'",
        }
        for network, words in cases.items():
            with self.subTest(network=network), tempfile.TemporaryDirectory() as folder:
                done = self.run_export(folder, network)
                self.assertEqual(done.returncode, 1)
                self.assertIn(words, done.stderr)
                self.assertNotIn("Traceback", done.stderr)

    def test_a_module_that_cannot_be_imported_is_told_apart_from_one_that_is_not_there(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "broken.py").write_text("import no_such_module\n", encoding="utf-8")
            done = self.run_export(folder, "broken:good")
            self.assertEqual(done.returncode, 1)
            self.assertIn("No module named 'no_such_module'", done.stderr)
            self.assertNotIn("there is no module broken", done.stderr)


if __name__ == "__main__":
    support.main()
