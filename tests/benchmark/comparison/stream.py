"""Measures windows of streams: against the same windows as requests, against ONNX Runtime on whole windows, and many
slow series at once. See scripts/bench --help.

A server with one worker and ONNX Runtime take turns in rounds. What is compared is CPU time for a window: of the whole
server process with its protocol, and of the thread that runs ONNX Runtime.
"""

import contextlib
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import processes
import sensor_network
import stillwave
import stream_report
import zoo
from comparison import flags_for, leave, progress, setting_of_servers

try:
    import onnx_runtime
except ImportError:
    onnx_runtime = None

CORES = 2
SERIES = 16  # closed loops: the worker always has the next window
# Hops that a message brings: of a sensor that sends each at once, and of a client that has more to send.
MESSAGES = (1, 8)
# Model, window, hop, how many times the windows of ONNX Runtime are wanted.
CASES = (
    ("seed_block", 1024, 16, 15),
    ("seed_block", 256, 16, 4),
    ("fcn", 1024, 16, 8),
    ("inception_time", 1024, 16, 8),
    ("resnet", 1024, 16, 8),
    ("tcn", 1024, 16, 8),
    ("seed_block", 1024, 1024, None),
)
# 10,000 sensors of 8 channels.
MANY = {"series": 10000, "calls": 100, "rate": 50, "window": 256, "hop": 128, "chunk": 25}

FULL = {"rounds": 5, "seconds": 4, "warmup": 1, "engine": 0.5, "many": 30}
QUICK = {"rounds": 2, "seconds": 1.5, "warmup": 0.5, "engine": 0.2, "many": 8}


def ask(bin_dir, server, *arguments, text=None):
    """What `stillwave … --json` answers, line by line."""
    command = [f"{bin_dir}/stillwave", *map(str, arguments), "--server", server.address, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, input=text, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def channels_of(bin_dir, server):
    return ask(bin_dir, server, "models")[0]["models"][0]["inputs"][0]["shape"][1]


class Case:
    """One model with one window and hop."""

    def __init__(self, flags, name, window, hop, wanted):
        self.bin = flags.bin
        self.plan = QUICK if flags.quick else FULL
        self.name, self.window, self.hop, self.wanted = name, window, hop, wanted
        self.path = pathlib.Path(flags.models) / name / "model.onnx"

    def cost(self, server, *flags):
        """CPU of the server for an answer, µs, and what else the benchmark tells."""
        times = ("--duration", self.plan["seconds"], "--warmup", self.plan["warmup"])
        before = server.cpu_seconds()
        step = processes.load(self.bin, server, "--window", self.window, "--concurrency", SERIES, *times, *flags)
        cpu = server.cpu_seconds() - before
        if step["errors"]:
            raise SystemExit(f"{self.name}: the server refused what it should bear: {step['codes']}")
        # Of warm-up and measured time together; the rate is that of the latter.
        seconds = self.plan["seconds"] + self.plan["warmup"]
        return {
            "cpu_us": 1e6 * cpu / (step["goodput"] * seconds),
            "per_second": step["goodput"],
            "p99_ms": step["latency_ms"]["p99"],
            "bytes": step["sent_bytes_per_answer"],
        }

    def measure(self):
        """A result for each of MESSAGES; windows without overlap have nothing to gain from more."""
        flags = (f"--model={self.path}", f"--window_length={self.window}", "--workers=1")
        messages = MESSAGES if self.hop < self.window else MESSAGES[:1]
        streams = {count: ("--stream", "--hop", self.hop, "--message-windows", count) for count in messages}
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(processes.start_stillwave(self.bin, *flags))
            channels = channels_of(self.bin, server)
            line = ",".join(["0"] * channels) + "\n"
            opened = ask(self.bin, server, "stream", "-", "--window", self.window, "--hop", self.hop, text=line)[0]
            engine = stillwave.Rounds(
                f"{self.bin}/stillwave-benchmark", zoo.Case(self.name, self.path, self.window), "primitive"
            )
            stack.callback(engine.close)
            session = onnx_runtime.Session(str(self.path), [[1, channels, self.window]]) if onnx_runtime else None
            # Plans are compiled, and what is always verified is verified.
            for stream in streams.values():
                self.cost(server, *stream)
            rounds = []
            for _ in range(self.plan["rounds"]):
                entry = {count: self.cost(server, *stream) for count, stream in streams.items()}
                entry["unary"] = self.cost(server)
                entry["engine_us"] = engine.measure(1, self.plan["engine"])["cpu"]
                if session:
                    entry["onnxruntime_us"] = session.measure(1, self.plan["engine"])["cpu"]
                rounds.append(entry)
            return [self.summary(opened["opened"], channels, rounds, count) for count in messages]

    def summary(self, opened, channels, rounds, messages):
        def median(read):
            return statistics.median(read(entry) for entry in rounds)

        result = {
            "model": self.name,
            "window": self.window,
            "hop": self.hop,
            "channels": channels,
            "message_windows": messages,
            "wanted": self.wanted,
            "share": opened["recomputed_share"],
            "overlap": opened["overlap"],
            "engine_us": median(lambda entry: entry["engine_us"]),
            "over_unary": median(lambda entry: entry["unary"]["cpu_us"] / entry[messages]["cpu_us"]),
            "rounds": rounds,
        }
        for way, key in (("stream", messages), ("unary", "unary")):
            result[way] = {name: median(lambda entry: entry[key][name]) for name in rounds[0][key]}
        result["bound_us"] = result["share"] * result["engine_us"]
        if onnx_runtime:
            result["onnxruntime_us"] = median(lambda entry: entry["onnxruntime_us"])
            result["over_onnxruntime"] = median(lambda entry: entry["onnxruntime_us"] / entry[messages]["cpu_us"])
        progress(stream_report.case_line(result))
        return result


def many(flags):
    """Sensors that send half a second at a time, as they would."""
    plan = QUICK if flags.quick else FULL
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "sensors.onnx"
        path.write_bytes(sensor_network.make())
        server_flags = (f"--model={path}", f"--window_length={MANY['window']}", "--max_series_per_stream=128")
        with processes.start_stillwave(flags.bin, *server_flags) as server:
            # Allocators and threads are warm: what is left is what a series takes.
            processes.load(flags.bin, server, "--stream", "--window", MANY["window"], "--hop", MANY["hop"], "--duration", 1)
            before = server.cpu_seconds()
            start = time.perf_counter()
            step = processes.load(
                flags.bin, server, "--stream", "--window", MANY["window"], "--hop", MANY["hop"],
                "--series", MANY["series"], "--calls", MANY["calls"], "--sample-rate", MANY["rate"],
                "--chunk", MANY["chunk"], "--deadline-ms", stream_report.DEADLINE_MILLIS, "--connections", 4,
                "--duration", plan["many"], "--server-stats", server.http_address, "--timeout", 120,
            )
            cores = (server.cpu_seconds() - before) / (time.perf_counter() - start)
    if not step["ok"]:
        raise SystemExit(f"{MANY['series']} series: no window was answered: {step['codes']}")
    memory = step["server_memory"]
    result = {
        **MANY,
        "seconds": plan["many"],
        "sent": step["sent"],
        "ok": step["ok"],
        "errors": step["errors"],
        "codes": step["codes"],
        "late": step["late"],
        "per_second": step["goodput"],
        "latency_ms": step["latency_ms"],
        "send_delay_ms": step["send_delay_ms"],
        "server_cores": cores,
        "kib_per_series": (memory["open_bytes"] - memory["before_bytes"]) / 1024 / MANY["series"],
    }
    progress(stream_report.many_line(result))
    return result


def main():
    flags = flags_for(__doc__, bin="folder of the programs, of a release build", models="folder of folders with a model.onnx")
    cores = processes.choose_cores(CORES)
    if onnx_runtime is None:
        progress("ONNX Runtime is not installed here: Stillwave alone is measured")
    cases = [Case(flags, *case) for case in CASES]
    missing = sorted({case.name for case in cases if not case.path.is_file()})
    for name in missing:
        progress(f"{name} is not in {flags.models}: left out")
    outcome = {
        **setting_of_servers(flags, cores),
        "onnxruntime": onnx_runtime.version() if onnx_runtime else None,
        "plan": QUICK if flags.quick else FULL,
        "series": SERIES,
        "missing": missing,
        "cases": [result for case in cases if case.name not in missing for result in case.measure()],
        "many": many(flags),
    }
    print(stream_report.cases_table(outcome))
    leave(flags, "stream", outcome, stream_report.markdown(outcome))


if __name__ == "__main__":
    main()
