"""ONNX Runtime's side of the comparison: one thread that does not spin, every optimization, memory bound beforehand."""

import base64
import statistics
import time

import numpy
import onnxruntime

# As stillwave-benchmark does: quick inferences are repeated until the clock's own cost does not show.
SHORTEST_READING_NS = 200_000
FEWEST_READINGS = 3

# One Relu of four values: what is left of a call when the network is nothing.
EMPTY_NETWORK = base64.b64decode(
    "CAg6OwoMCgF4EgF5IgRSZWx1EgFnWhMKAXgSDgoMCAESCAoCCAEKAggEYhMKAXkSDgoMCAESCAoCCAEKAggEQgQKABAR"
)


def version():
    return onnxruntime.__version__


class Session:
    """A loaded model. `model` is a path or the model's bytes; `sample_shapes` are its inputs' for one sample."""

    def __init__(self, model, sample_shapes):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        options.log_severity_level = 3
        before = time.perf_counter()
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.load_ms = (time.perf_counter() - before) * 1e3
        self.sample_shapes = sample_shapes
        self.runs = {}  # by batch

    def bound_run(self, batch):
        """A function that runs a batch, and how often it must be called: a fixed batch of 1 is run row by row."""
        declared = [(value.name, value.shape) for value in self.session.get_inputs()]
        fixed = all(shape[0] == 1 for _, shape in declared)
        rows, times = (1, batch) if fixed else (batch, 1)
        random = numpy.random.default_rng(1)
        feeds = {}
        for (name, _), shape in zip(declared, self.sample_shapes):
            feeds[name] = random.standard_normal([rows, *shape[1:]], dtype=numpy.float32)
        names = [value.name for value in self.session.get_outputs()]
        binding = self.session.io_binding()
        kept = [binding]
        for name, value in feeds.items():
            kept.append(onnxruntime.OrtValue.ortvalue_from_numpy(value))
            binding.bind_ortvalue_input(name, kept[-1])
        for name, value in zip(names, self.session.run(names, feeds)):
            kept.append(onnxruntime.OrtValue.ortvalue_from_numpy(value))
            binding.bind_ortvalue_output(name, kept[-1])
        try:
            # The public method's checks in Python would be counted as the runtime's time.
            raw, raw_binding = self.session._sess.run_with_iobinding, binding._iobinding
            options = onnxruntime.RunOptions()
            raw(raw_binding, options)
            return (lambda: raw(raw_binding, options)), times, kept
        except (AttributeError, TypeError):
            return (lambda: self.session.run_with_iobinding(binding)), times, kept

    def measure(self, batch, seconds):
        """Medians in microseconds: {"cpu": …, "wall": …}."""
        if batch not in self.runs:
            self.runs[batch] = self.bound_run(batch)
        run, times, _ = self.runs[batch]
        shortest = float("inf")
        end = time.perf_counter() + seconds / 10
        while True:
            before = time.perf_counter_ns()
            for _ in range(times):
                run()
            shortest = min(shortest, time.perf_counter_ns() - before)
            if time.perf_counter() >= end:
                break
        inferences = max(1, -(-SHORTEST_READING_NS // max(shortest, 100)))
        calls = range(inferences * times)
        cpu, wall = [], []
        end = time.perf_counter() + seconds
        while len(cpu) < FEWEST_READINGS or time.perf_counter() < end:
            wall_before, cpu_before = time.perf_counter_ns(), time.thread_time_ns()
            for _ in calls:
                run()
            cpu.append((time.thread_time_ns() - cpu_before) / inferences / 1e3)
            wall.append((time.perf_counter_ns() - wall_before) / inferences / 1e3)
        return {"cpu": statistics.median(cpu), "wall": statistics.median(wall)}


def call_microseconds(seconds):
    """What a call costs when the network does nothing: Python's part and the runtime's own, which are in every time."""
    return Session(EMPTY_NETWORK, [[1, 4]]).measure(1, seconds)["cpu"]
