"""What scripts/bench drift measured, against its goals, as a section of docs/benchmarks.md."""

import math
import statistics

from report import micros, number, table
from serve_report import left, setting, verdict

# Of the throughput, at the default share.
MOST_LOST = 0.02
# By how much a p99 may differ and still count as unchanged.
P99_TOLERANCE = 0.05

TITLES = {"requests": "requests", "stream": "windows of streams"}


def percent(share):
    return f"{100 * share:g} %"


def change(ratio):
    return f"{100 * (ratio - 1):+.1f} %"


def ratio(entry, name, key):
    """To the servers of the round that observe nothing; of one of them, to the other."""
    if name in ("without", "again"):
        return entry["again"][key] / entry["without"][key]
    return entry[name][key] / math.sqrt(entry["without"][key] * entry["again"][key])


def interval(ratios):
    """Of sorted ratios: two that have their true median between them in 95 % of all cases, or the outermost two where there
    are fewer than six."""
    count, first = len(ratios), 0
    # Each ratio is on either side of the true median with the same probability.
    while 2 * sum(math.comb(count, below) for below in range(first + 2)) <= 0.05 * 2**count:
        first += 1
    return ratios[first], ratios[count - 1 - first]


def text(ratios):
    low, high = interval(ratios)
    return f"{change(statistics.median(ratios))} ({change(low)} to {change(high)})"


def round_line(entry):
    return ", ".join(
        f"{name} {step['per_second']:.0f}/s {step['p99_ms']:.2f} ms {step['cpu_us']:.0f} µs" for name, step in entry.items()
    )


def judged(ratios, good):
    verdicts = {good(edge) for edge in interval(ratios)}
    return verdict(verdicts.pop()) if len(verdicts) == 1 else "cannot be told"


def goals_table(outcome):
    rows = []
    for name, workload in outcome["workloads"].items():
        for what, steps, key, goal, good in (
            (
                f"throughput, {outcome['in_flight']} in flight",
                workload["busy"],
                "per_second_ratios",
                f"less than {percent(MOST_LOST)} lost",
                lambda ratio: ratio > 1 - MOST_LOST,
            ),
            # Where throughput goes; it swings less than that does when others use the cores too.
            ("server CPU for each", workload["busy"], "cpu_us_ratios", "", None),
            (
                "p99 at 70 % of it",
                workload["seventy"],
                "p99_ms_ratios",
                f"unchanged: at most {change(1 + P99_TOLERANCE)}",
                lambda ratio: ratio <= 1 + P99_TOLERANCE,
            ),
        ):
            ratios = steps["default"][key]
            result = judged(ratios, good) if good else ""
            rows.append([f"{TITLES[name]}: {what}", text(ratios), text(steps["again"][key]), goal, result])
        share = workload["busy"]["default"]["observer_share"]
        rows.append(
            [f"{TITLES[name]}: the observer's, of the server's CPU time", f"{100 * share:.2f} %", ""]
            + [f"less than {percent(MOST_LOST)}", verdict(share < MOST_LOST)]
        )
    return left(table(["", "1 % observed", "none observed", "goal", ""], rows))


def load_table(outcome, steps):
    rows = []
    for name, share in sorted(outcome["shares"].items(), key=lambda item: item[1]):
        if name == "again":
            continue
        step = steps[name]

        def changed(key):
            return "" if name == "without" else change(statistics.median(step[f"{key}_ratios"]))

        picked = (step["observed"] + step["dropped"]) / step["computed"]
        rows.append(
            [percent(share), f"{step['per_second']:.0f}", changed("per_second")]
            + [number(step["p50_ms"]), changed("p50_ms"), number(step["p99_ms"]), changed("p99_ms")]
            + [micros(step["cpu_us"]), changed("cpu_us"), f"{100 * step['observer_share']:.2f} %"]
            + [f"{100 * picked:.2f} %", f"{step['observed']:.0f}", f"{step['dropped']:.0f}"]
        )
    titles = ["share", "/s", "", "p50 ms", "", "p99 ms", "", "server CPU µs", "", "observer's", "picked", "observed"]
    return table([*titles, "dropped"], rows)


METHOD = """The demonstration network; server and client share the cores, `stillwave bench` has one connection and one thread.
Servers that differ in `--drift_sample_rate` alone take turns in {rounds} rounds of {seconds:g} s; the one with the default share
runs between two that observe nothing. A change is the median of the rounds' ratios to these two, in parentheses the interval
that holds the true median with 95 % confidence (with fewer than six rounds: all of them). "None observed" compares the two
without with each other. What has only one end of the interval within its goal cannot be told. CPU time is that of the whole
server, the observer included, for a sample that it computed. The observer's is that of its thread, by the kernel's account: what
observing takes from a server whose cores are all busy, but for the copies of the samples that are picked.

"""


def markdown(outcome):
    plan = outcome["plan"]
    text = "## Drift observation\n\n" + setting(outcome) + "\n"
    text += METHOD.format(rounds=plan["rounds"], seconds=plan["seconds"]) + goals_table(outcome)
    for name, workload in outcome["workloads"].items():
        detail = "window 128, hop 16" if name == "stream" else "a window of 128 each"
        text += f"\n{TITLES[name].capitalize()} ({detail}), {outcome['in_flight']} in flight:\n\n"
        text += load_table(outcome, workload["busy"])
        text += f"\nThe same at {workload['rate']:.0f}/s, an open loop; latencies count from when one was due:\n\n"
        text += load_table(outcome, workload["seventy"])
    return text
