import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import support  # noqa: E402

support.need("torch", "onnx")
import networks  # noqa: E402
import torch  # noqa: E402
from stillwave.export import ExportError, frozen  # noqa: E402
from torch import nn  # noqa: E402


class Frozen(unittest.TestCase):
    def setUp(self):
        self.network = networks.trained(networks.demonstration())

    def refusal(self):
        with self.assertRaises(ExportError) as raised:
            frozen.check_frozen(self.network)
        return str(raised.exception)

    def test_a_network_in_evaluation_mode_passes(self):
        frozen.check_frozen(self.network)

    def test_a_network_in_training_mode_is_refused_by_its_first_layer_that_would_differ(self):
        self.network.train()
        self.assertEqual(self.refusal(), "1 (BatchNorm1d) is in training mode and would normalize by the statistics of "
                                         "each batch; call .eval() on the network before the export")

    def test_one_layer_in_training_mode_is_refused(self):
        self.network[5].train()
        self.assertIn("5 (BatchNorm1d) is in training mode", self.refusal())
        self.assertIn("the network is in evaluation mode and this part of it is not", self.refusal())

    def test_dropout_in_training_mode_is_refused(self):
        self.network[3].train()
        self.assertIn("3 (Dropout) is in training mode and would drop values at random", self.refusal())

    def test_layers_without_running_statistics_are_refused_in_evaluation_mode_too(self):
        self.network[1] = nn.BatchNorm1d(64, track_running_stats=False).eval()
        self.assertIn("1 (BatchNorm1d) has no running statistics (track_running_stats=False)", self.refusal())
        self.assertIn("train it with track_running_stats=True", self.refusal())

    def test_statistics_that_no_training_gives_are_refused(self):
        self.network[9].running_var[4] = -0.5
        self.assertIn("9 (BatchNorm1d): a running variance must not be negative; was -0.5", self.refusal())
        self.network[9].running_var[4] = float("nan")
        self.assertIn("9.running_var holds a NaN or an infinity", self.refusal())

    def test_other_precisions_are_refused(self):
        self.network[0].double()
        self.assertIn("0.weight must be torch.float32; was torch.float64", self.refusal())

    def test_untrained_statistics_are_warned_of(self):
        self.network[1].num_batches_tracked.zero_()
        with self.assertWarnsRegex(UserWarning, r"1 \(BatchNorm1d\) has seen no batch"):
            frozen.check_frozen(self.network)

    def test_what_is_no_network_is_refused(self):
        self.network = torch.zeros(1)
        self.assertIn("must be a torch.nn.Module; was Tensor", self.refusal())


if __name__ == "__main__":
    support.main()
