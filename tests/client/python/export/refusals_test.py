"""What export() refuses, with every exporter that this PyTorch has: by which words, and with nothing written."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import support  # noqa: E402

support.need("torch", "onnx")
import networks  # noqa: E402
import torch  # noqa: E402
from stillwave.export import ExportError, export  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

EXPORTERS = ("torchscript", "dynamo")


class Ending(nn.Module):
    """A block, and a function of its output."""

    def __init__(self, ending=lambda x: x.mean(2)):
        super().__init__()
        self.block = nn.Sequential(nn.Conv1d(3, 4, 3, padding=1), nn.BatchNorm1d(4), nn.ReLU())
        self.ending = ending

    def forward(self, x):
        return self.ending(self.block(x))


def batch_by_value(x):
    return x.mean(2).reshape(int(x.shape[0]), 4)


def branch_by_value(x):
    return x.mean(2) if float(x.sum()) > 0 else x.sum(2)


class Refusals(unittest.TestCase):
    def check(self, network, words, exporters=EXPORTERS, name="ecg", **options):
        for exporter in exporters:
            with self.subTest(exporter=exporter, **options):
                support.need_exporter(self, exporter)
                torch.manual_seed(0)
                with tempfile.TemporaryDirectory() as folder:
                    with self.assertRaisesRegex(ExportError, words):
                        export(network, torch.randn(1, 3, 32), pathlib.Path(folder) / "models", name,
                               exporter=exporter, **options)
                    self.assertEqual(list(pathlib.Path(folder).iterdir()), [])

    def test_a_network_in_training_mode(self):
        self.check(networks.trained(Ending()).train(),
                   r"^block\.1 \(BatchNorm1d\) is in training mode .*; call \.eval\(\) on the network")

    def test_dropout_that_is_always_on(self):
        self.check(networks.trained(Ending(lambda x: functional.dropout(x, 0.5))),
                   r"is random; write F\.dropout\(x, p, training=self\.training\)$")

    def test_dropout_that_is_always_on_and_drops_nothing_yet(self):
        # Two runs do not tell; the graph does.
        self.check(networks.trained(Ending(lambda x: functional.dropout(x.mean(2), 1e-7))),
                   r"^Dropout .* is in training mode; write F\.dropout\(x, p, training=self\.training\)$")

    def test_a_layer_without_running_statistics(self):
        network = networks.trained(Ending())
        network.block[1] = nn.BatchNorm1d(4, track_running_stats=False).eval()
        self.check(network, r"^block\.1 \(BatchNorm1d\) has no running statistics \(track_running_stats=False\)")

    def test_a_batch_that_the_graph_would_hold(self):
        for time in ("fixed", "open"):
            self.check(networks.trained(Ending(batch_by_value)), "of the traced graph holds a size of the example",
                       time=time)

    def test_a_branch_that_depends_on_values(self):
        # TorchScript's exporter takes the branch of its example, in silence.
        self.check(networks.trained(Ending(branch_by_value)),
                   "^PyTorch's dynamo exporter failed at opset 18: Could not guard on data-dependent expression",
                   exporters=("dynamo",))

    def test_names_that_are_not_one_for_each_tensor(self):
        network = networks.trained(Ending())
        for what in ("input_names", "output_names"):
            for names in ([], ["a", "b"], [""], [7], "ecg"):
                self.check(network, rf"^{what} must be a list of different names, as many as there are: 1; was ",
                           **{what: names})
        self.check(network, "^an output must not have an input's name; 'x' is both", output_names=["x"])

    def test_a_name_that_is_no_folder(self):
        self.check(networks.trained(Ending()), "^name must be a folder's name without a leading dot; was '../ecg'",
                   name="../ecg")

    def test_an_exporter_that_is_not_there(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(
                ExportError, "^exporter must be one of auto, torchscript, dynamo; was 'dinamo'"):
            export(networks.trained(Ending()), torch.randn(1, 3, 32), folder, "ecg", exporter="dinamo")

    def test_an_opset_that_the_exporter_does_not_write(self):
        self.check(networks.trained(Ending()),
                   "(exporter failed at opset 3: |^opset must be one that .* exporter writes; of 3 it made )", opset=3)


if __name__ == "__main__":
    support.main()
