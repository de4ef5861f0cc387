import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import support  # noqa: E402

support.need("torch", "onnx")
import networks  # noqa: E402
import torch  # noqa: E402
from stillwave.export import ExportError, probe  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Independence(unittest.TestCase):
    def refusal(self, function):
        with self.assertRaises(ExportError) as raised:
            probe.check_samples_are_independent(Function(function).eval(), (torch.randn(1, 3, 16),))
        return str(raised.exception)

    def test_networks_whose_samples_are_independent_pass(self):
        for network, shape in ((networks.demonstration(), (1, 1, 64)), (networks.Residual(), (1, 2, 40)),
                               (networks.Dense(), (1, 6, 24))):
            probe.check_samples_are_independent(networks.trained(network), (torch.randn(shape),))

    def test_batch_statistics_that_are_written_out_are_refused(self):
        self.assertIn("depends on the other samples of its batch",
                      self.refusal(lambda x: (x - x.mean(0)) / (x.std(0, unbiased=False) + 1)))
        self.assertIn("depends on the other samples", self.refusal(
            lambda x: functional.batch_norm(x, None, None, training=True)))

    def test_dropout_that_is_always_on_is_refused(self):
        self.assertIn("is random", self.refusal(lambda x: functional.dropout(x, 0.5)))

    def test_an_output_without_the_batch_is_refused(self):
        self.assertIn("axis 0 of output 0 must be the batch: for 2 samples its shape was [3, 2]",
                      self.refusal(lambda x: x.mean(2).t()))

    def test_outputs_that_are_no_tensors_are_refused(self):
        self.assertIn("forward() must return a tensor or a tuple of tensors; was dict",
                      self.refusal(lambda x: {"y": x}))


class Signature(unittest.TestCase):
    def signature(self, network, *shapes, **options):
        network = networks.trained(network)
        example = tuple(torch.randn(shape) for shape in shapes)
        return probe.signature_of(network, example, probe.works_at_another_length(network, example), **options)

    def test_the_time_axis_is_open_where_the_network_takes_other_lengths(self):
        signature = self.signature(networks.demonstration(), (1, 1, 128))
        self.assertEqual((signature.input_shapes, signature.output_shapes), ((("N", 1, "T"),), (("N", 3),)))
        self.assertTrue(signature.time_is_open)

    def test_the_time_axis_is_fixed_where_it_does_not(self):
        signature = self.signature(networks.Dense(), (1, 6, 24))
        self.assertEqual((signature.input_shapes, signature.output_shapes), ((("N", 6, 24),), (("N", 5),)))
        self.assertFalse(signature.time_is_open)

    def test_axes_of_outputs_follow_the_time(self):
        signature = self.signature(networks.Streams(), (1, 3, 32), (1, 4))
        self.assertEqual(signature.input_shapes, (("N", 3, "T"), ("N", 4)))
        self.assertEqual(signature.output_shapes, (("N", 1), ("N", 2, "T"), ("N", 8)))
        shorter = self.signature(nn.Conv1d(2, 4, 3, stride=2), (1, 2, 32))
        self.assertEqual(shorter.output_shapes, (("N", 4, "T2"),))

    def test_names_are_those_of_forward_unless_given(self):
        signature = self.signature(networks.Streams(), (1, 3, 32), (1, 4))
        self.assertEqual(signature.input_names, ("signal", "covariates"))
        self.assertEqual(signature.output_names, ("output_0", "output_1", "output_2"))
        named = self.signature(networks.demonstration(), (1, 1, 128), input_names=["ecg"], output_names=["logits"])
        self.assertEqual((named.input_names, named.output_names), (("ecg",), ("logits",)))


class Inputs(unittest.TestCase):
    def test_examples_that_are_no_batches_of_float32_are_refused(self):
        cases = [
            (torch.zeros(1, 3, dtype=torch.float64), "must be a tensor of torch.float32; was torch.float64"),
            ([1, 2], "was int"),
            (torch.zeros(3), "its shape was [3]"),
            (torch.zeros(1, 0, 4), "its shape was [1, 0, 4]"),
            ((), "the tuple was empty"),
        ]
        for example, words in cases:
            with self.assertRaises(ExportError) as raised:
                probe.as_inputs(example)
            self.assertIn(words, str(raised.exception))

    def test_made_up_inputs_are_like_the_example(self):
        example = (torch.randn(2, 3, 4000) * 5 + 20,)
        (made,) = probe.made_up_inputs(example, batch=4, length=5000)
        self.assertEqual(list(made.shape), [4, 3, 5000])
        self.assertAlmostEqual(float(made.mean()), 20, delta=0.5)
        self.assertAlmostEqual(float(made.std()), 5, delta=0.5)


if __name__ == "__main__":
    support.main()
