"""Measures the server against a bare gRPC echo server on the same cores. See scripts/bench --help.

Servers take turns in rounds, so that whatever else the machine does meets all of them; a figure is the median of the
rounds.
"""

import contextlib
import json
import pathlib
import shutil
import statistics
import subprocess
import tempfile

import processes
import serve_report
import stillwave
from comparison import flags_for, leave, progress, setting_of_servers

CORES = 2
MODEL = "ecg-beats"
WINDOW = 128
IN_FLIGHT = 64
# What an echo server has to pretend to be, to have the same messages.
ECHO_FLAGS = ("--model", MODEL, "--input", "ecg:1,-1", "--output", "logits:3")
SLOW_MILLIS = 50
STEADY_MILLIS = 5  # of the model that is overloaded: long enough that two cores can send five times too much

# Rounds, seconds of a measurement, seconds of the overload.
FULL = {"rounds": 5, "seconds": 5, "warmup": 1, "overload": 30}
QUICK = {"rounds": 2, "seconds": 1.5, "warmup": 0.5, "overload": 6}


class Case:
    """For stillwave.Rounds."""

    def __init__(self, path, length):
        self.path = path
        self.length = length

    def length_flags(self):
        return ["--length", str(self.length)]


def medians(rounds):
    """[{name: number}] -> {name: median}."""
    return {name: statistics.median(entry[name] for entry in rounds) for name in rounds[0]}


class Benchmark:
    def __init__(self, flags):
        self.bin = flags.bin
        self.demo = pathlib.Path(flags.demo)
        self.large = pathlib.Path(flags.large)
        self.plan = QUICK if flags.quick else FULL

    def load(self, server, *flags):
        return processes.load(self.bin, server, *flags)

    def short(self, server, *flags):
        times = ("--duration", self.plan["seconds"], "--warmup", self.plan["warmup"])
        return self.load(server, "--window", WINDOW, *times, *flags)

    # -- throughput and latency, in turns --------------------------------------------------------------------------

    def turns(self):
        with contextlib.ExitStack() as stack:
            contestants = {
                "async_echo": processes.start_echo(self.bin, "async", *ECHO_FLAGS),
                "callback_echo": processes.start_echo(self.bin, "callback", *ECHO_FLAGS),
                "stillwave": processes.start_stillwave(self.bin),
                "workers": processes.start_stillwave(self.bin, "--inline_compute_microseconds=0"),
            }
            for contestant in contestants.values():
                stack.enter_context(contestant)
            server = contestants["stillwave"]
            engine = stillwave.Rounds(f"{self.bin}/stillwave-benchmark", Case(self.demo, WINDOW), "primitive")
            names = list(contestants)
            rounds = []
            for turn in range(self.plan["rounds"]):
                entry = {}
                for name in names:
                    busy = self.busy(contestants[name], IN_FLIGHT)
                    alone = self.busy(contestants[name], 1)
                    entry.update({f"{name}_{key}": value for key, value in busy.items()})
                    entry.update({f"{name}_alone_{key}": value for key, value in alone.items()})
                entry["compute_us"] = engine.measure(1, 0.3)["cpu"]
                rounds.append(entry)
                names.append(names.pop(0))  # no server always runs after the same one
                progress(f"round {turn + 1}: {serve_report.round_line(entry)}")
            engine.close()
            result = medians(rounds)
            result["rounds"] = rounds
            # p99 against p50 when it is not full.
            rate = 0.7 * result["stillwave_per_second"]
            steps = [self.short(server, "--rate", f"{rate:.0f}") for _ in range(self.plan["rounds"])]
            result["seventy"] = {
                "rate": rate,
                **medians([{name: step["latency_ms"][name] for name in ("p50", "p99", "p99.9")} for step in steps]),
                "p99_over_p50": statistics.median(s["latency_ms"]["p99"] / s["latency_ms"]["p50"] for s in steps),
                "send_delay_p99": statistics.median(s["send_delay_ms"]["p99"] for s in steps),
            }
            progress(f"at 70 %, {rate:.0f}/s: {serve_report.latency_line(result['seventy'])}")
            return result

    def busy(self, server, in_flight):
        extra = ("--server-stats", server.http_address) if server.http_address else ()
        cpu = server.cpu_seconds()
        step = self.short(server, "--concurrency", in_flight, *extra)
        cpu = server.cpu_seconds() - cpu
        if step["errors"]:
            raise SystemExit(f"a server under a load that it can bear refused requests: {step['codes']}")
        figures = {"per_second": step["goodput"], "p50_ms": step["latency_ms"]["p50"], "p99_ms": step["latency_ms"]["p99"]}
        # Of warm-up and measured time together; the rate is that of the latter.
        seconds = self.plan["seconds"] + self.plan["warmup"]
        figures["server_cpu_us"] = 1e6 * cpu / (step["goodput"] * seconds)
        if "server" in step:
            figures["server_compute_us"] = 1e3 * step["server"]["compute_ms"]
            figures["server_queue_us"] = 1e3 * step["server"]["queue_ms"]
            figures["server_batch"] = step["server"]["batch_samples"]
        return figures

    # -- where to compute: styles with a stand-in for the inference --------------------------------------------------

    def styles(self, compute_us):
        """An echo server that spins as long as the inference takes: style × the thread that does it."""
        rows = []
        for style in ("async", "callback"):
            for workers in (0, CORES):
                flags = ("--work", f"{compute_us:.0f}", "--workers", str(workers))
                with processes.start_echo(self.bin, style, *ECHO_FLAGS, *flags) as server:
                    busy = [self.short(server, "--concurrency", IN_FLIGHT) for _ in range(self.plan["rounds"])]
                    alone = [self.short(server, "--concurrency", 1) for _ in range(self.plan["rounds"])]
                rows.append(
                    {
                        "style": style,
                        "workers": workers,
                        "per_second": statistics.median(step["goodput"] for step in busy),
                        "busy_p99_ms": statistics.median(step["latency_ms"]["p99"] for step in busy),
                        "alone_p50_ms": statistics.median(step["latency_ms"]["p50"] for step in alone),
                    }
                )
                progress(f"style {style}, {workers} workers: {rows[-1]['per_second']:.0f}/s")
        return rows

    # -- a slow neighbour ---------------------------------------------------------------------------------------------

    def window_for(self, millis):
        """Time steps at which an inference of the large model takes so long on one core."""
        length = 4096
        for _ in range(2):
            rounds = stillwave.Rounds(f"{self.bin}/stillwave-benchmark", Case(self.large, length), "primitive")
            taken = rounds.measure(1, 0.3)["cpu"] / 1e3
            rounds.close()
            length = max(128, round(length * millis / taken))
        return length

    def neighbour(self, repository):
        window = self.window_for(SLOW_MILLIS)
        small = ("--model", MODEL, "--rate", 200)
        alone, beside, slow = [], [], []
        with processes.start_stillwave(self.bin, f"--model_repository={repository}") as server:
            for _ in range(self.plan["rounds"]):
                alone.append(self.short(server, *small))
                neighbour = processes.Load(
                    self.bin, server, "--model", "large", "--window", window, "--concurrency", 1, "--duration", 3600
                )
                beside.append(self.short(server, *small))
                slow.append(neighbour.stop())
        result = {"window": window, "slow_p50_ms": statistics.median(s["latency_ms"]["p50"] for s in slow if s["ok"])}
        for name, steps in (("alone", alone), ("beside", beside)):
            result[name] = medians([{key: s["latency_ms"][key] for key in ("p50", "p99")} for s in steps])
        progress(f"beside a model of {result['slow_p50_ms']:.0f} ms: {serve_report.latency_line(result['beside'])}")
        return result

    # -- counting -----------------------------------------------------------------------------------------------------

    def counting(self):
        """CPU time that a request's metrics take, µs, with two threads that count at once."""
        text = subprocess.run(
            [f"{self.bin}/metrics_benchmark", "--benchmark_format=json"], check=True, capture_output=True, text=True
        ).stdout
        micros = max(run["cpu_time"] for run in json.loads(text)["benchmarks"]) / 1e3
        progress(f"metrics of a request: {micros:.2f} µs")
        return micros

    # -- overload -----------------------------------------------------------------------------------------------------

    def overload(self, name, flags, server_flags):
        with processes.start_stillwave(self.bin, *server_flags) as server:
            times = ("--duration", self.plan["seconds"], "--warmup", self.plan["warmup"])
            peak = self.load(server, *flags, "--concurrency", IN_FLIGHT, *times)["goodput"]
            before = server.rss_mib()
            with processes.RssWatch(server) as memory:
                step = self.load(
                    server, *flags, "--rate", f"{5 * peak:.0f}", "--duration", self.plan["overload"], "--warmup", 0,
                    "--max-in-flight", 10000, "--connections", 4, "--threads", 2,
                )
            after = self.load(server, *flags, "--rate", f"{peak / 2:.0f}", "--duration", 3, "--warmup", 0)
            processes.wait_until_idle(server)
            result = {
                "name": name,
                "peak": peak,
                "offered": 5 * peak,
                "sent": step["sent"] / self.plan["overload"],
                "seconds": self.plan["overload"],
                "goodput": step["goodput"],
                "codes": {code: group["count"] for code, group in step["codes"].items()},
                "refusal_ms": step["refusal_latency_ms"],
                "ok_ms": step["latency_ms"],
                "send_delay_ms": step["send_delay_ms"],
                "rss_mib": {"before": before, "largest": memory.largest, "end": memory.last, "idle": server.rss_mib()},
                "recovery_s": serve_report.recovery_seconds(after),
            }
        progress(f"overload of {name}: {serve_report.overload_line(result)}")
        return result

    def overload_of_echo(self, rate):
        """What gRPC itself makes of so many requests on these cores, when nothing is computed and nothing refused."""
        with processes.start_echo(self.bin, "callback", *ECHO_FLAGS) as server:
            step = self.load(
                server, "--window", WINDOW, "--rate", f"{rate:.0f}", "--duration", self.plan["overload"], "--warmup", 0,
                "--max-in-flight", 10000, "--connections", 4, "--threads", 2,
            )
        progress(f"the bare echo server at {rate:.0f}/s: {step['goodput']:.0f}/s, {serve_report.latency_line(step['latency_ms'])}")
        return {"sent": step["sent"] / self.plan["overload"], "goodput": step["goodput"], "ok_ms": step["latency_ms"]}

    def repository(self, folder):
        for name, model in ((MODEL, self.demo), ("large", self.large)):
            version = pathlib.Path(folder) / name / "1"
            version.mkdir(parents=True)
            shutil.copy(model, version / "model.onnx")
        return folder

    def run(self):
        result = {"turns": self.turns()}
        result["styles"] = self.styles(result["turns"]["compute_us"])
        with tempfile.TemporaryDirectory() as folder:
            result["neighbour"] = self.neighbour(self.repository(folder))
        result["counting_us"] = self.counting()
        result["overload"] = [
            self.overload("the demonstration network", ("--window", WINDOW), ()),
            self.overload(
                f"a network of {STEADY_MILLIS} ms",
                ("--window", self.window_for(STEADY_MILLIS)),
                (f"--model={self.large}",),
            ),
        ]
        result["overload_of_echo"] = self.overload_of_echo(result["overload"][0]["offered"])
        return result


def main():
    flags = flags_for(
        __doc__,
        bin="folder of the programs, of a release build",
        demo="the demonstration network's ONNX file",
        large="ONNX file of a network that takes windows of any length",
    )
    cores = processes.choose_cores(CORES)
    outcome = {
        **setting_of_servers(flags, cores),
        "plan": QUICK if flags.quick else FULL,
        **Benchmark(flags).run(),
    }
    print(serve_report.table_of(outcome))
    leave(flags, "serve", outcome, serve_report.markdown(outcome))


if __name__ == "__main__":
    main()
