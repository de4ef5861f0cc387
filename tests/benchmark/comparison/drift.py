"""Measures what observing samples for drift costs. See scripts/bench --help.

Servers that observe no sample, one in a hundred, one in ten and all of them take turns in rounds, and what is compared are
ratios of a round. The server with the default share runs between two without: what the machine does meanwhile meets both
sides, and the ratio of these two tells how much that is.
"""

import contextlib
import re
import statistics
import urllib.request

import drift_report
import processes
from comparison import flags_for, leave, progress, setting_of_servers

CORES = 2
IN_FLIGHT = 64
WINDOW = 128
# Name, share of the samples that is observed, in the order of a round; every other round is the other way round.
SERVERS = (("tenth", 0.1), ("without", 0), ("default", 0.01), ("again", 0), ("all", 1))
# Of all threads of the server only the observer's has this priority.
OBSERVER_NICE = 19
# Name, what `stillwave bench` is told beside the load.
WORKLOADS = (("requests", ("--window", WINDOW)), ("stream", ("--stream", "--window", WINDOW, "--hop", 16)))

FULL = {"rounds": 12, "seconds": 2, "warmup": 0.3}
QUICK = {"rounds": 5, "seconds": 1, "warmup": 0.3}


def counters(server):
    """Samples that were computed, observed, and picked but dropped, of all models, and the observer's CPU time."""
    with urllib.request.urlopen(f"http://{server.http_address}/metrics", timeout=10) as answer:
        text = answer.read().decode()

    def total(name):
        return sum(float(value) for value in re.findall(rf"^stillwave_{name}_total{{.*}} (\S+)$", text, re.MULTILINE))

    return {
        "computed": total("samples"),
        "observed": total("drift_samples"),
        "dropped": total("drift_dropped_samples"),
        "observer_seconds": server.cpu_seconds_at(nice=OBSERVER_NICE),
    }


class Workload:
    """Requests, or windows of streams, to each of the servers in turns."""

    def __init__(self, flags, servers, name, load):
        self.bin, self.servers, self.name, self.load = flags.bin, servers, name, load
        self.plan = QUICK if flags.quick else FULL

    def step(self, server, *flags):
        before, cpu = counters(server), server.cpu_seconds()
        times = ("--duration", self.plan["seconds"], "--warmup", self.plan["warmup"])
        step = processes.load(self.bin, server, *self.load, *times, *flags)
        # What still waits to be observed belongs to these samples.
        processes.wait_until_idle(server)
        cpu, after = server.cpu_seconds() - cpu, counters(server)
        if step["errors"]:
            raise SystemExit(f"{self.name}: a server refused what it should bear: {step['codes']}")
        seen = {name: after[name] - before[name] for name in before}
        return {
            "per_second": step["goodput"],
            "p50_ms": step["latency_ms"]["p50"],
            "p99_ms": step["latency_ms"]["p99"],
            "cpu_us": 1e6 * cpu / seen["computed"],
            "observer_share": seen.pop("observer_seconds") / cpu,
            **seen,
        }

    def rounds(self, what, *flags):
        names = list(self.servers)
        rounds = []
        for turn in range(self.plan["rounds"]):
            entry = {name: self.step(self.servers[name], *flags) for name in names}
            rounds.append(entry)
            names.reverse()  # no server always runs after the same one
            progress(f"{self.name}, {what}, round {turn + 1}: {drift_report.round_line(entry)}")
        return {name: self.summary(name, rounds) for name in self.servers}, rounds

    @staticmethod
    def summary(name, rounds):
        result = {key: statistics.median(entry[name][key] for entry in rounds) for key in rounds[0][name]}
        for key in ("per_second", "p50_ms", "p99_ms", "cpu_us"):
            result[f"{key}_ratios"] = sorted(drift_report.ratio(entry, name, key) for entry in rounds)
        for key in ("computed", "observed", "dropped"):
            result[key] = sum(entry[name][key] for entry in rounds)
        return result

    def measure(self):
        for server in self.servers.values():  # plans are compiled, and what streams always verify is verified
            self.step(server, "--concurrency", IN_FLIGHT)
        busy, busy_rounds = self.rounds(f"{IN_FLIGHT} in flight", "--concurrency", IN_FLIGHT)
        rate = 0.7 * busy["without"]["per_second"]
        series = ("--series", IN_FLIGHT) if "--stream" in self.load else ()
        seventy, seventy_rounds = self.rounds(f"{rate:.0f}/s", "--rate", f"{rate:.0f}", *series)
        return {
            "rate": rate,
            "busy": busy,
            "seventy": seventy,
            "rounds": {"busy": busy_rounds, "seventy": seventy_rounds},
        }


def measure(flags):
    with contextlib.ExitStack() as stack:
        servers = {
            name: stack.enter_context(processes.start_stillwave(flags.bin, f"--drift_sample_rate={share}"))
            for name, share in SERVERS
        }
        return {name: Workload(flags, servers, name, load).measure() for name, load in WORKLOADS}


def main():
    flags = flags_for(__doc__, bin="folder of the programs, of a release build")
    cores = processes.choose_cores(CORES)
    outcome = {
        **setting_of_servers(flags, cores),
        "plan": QUICK if flags.quick else FULL,
        "in_flight": IN_FLIGHT,
        "shares": dict(SERVERS),
        "workloads": measure(flags),
    }
    print(drift_report.goals_table(outcome))
    leave(flags, "drift", outcome, drift_report.markdown(outcome))


if __name__ == "__main__":
    main()
