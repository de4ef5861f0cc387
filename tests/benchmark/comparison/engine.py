"""Measures the engine on a folder of models, next to ONNX Runtime where that is installed. See scripts/bench --help.

Both take turns in short rounds, so that whatever else the machine does meets both. A time is the median of CPU time in
a round, and of the rounds; a ratio is the median of the rounds' ratios.
"""

import statistics
import sys
import time

import machine
import report
import stillwave
import zoo
from comparison import START, flags_for, leave, progress

try:
    import onnx_runtime
except ImportError:
    onnx_runtime = None

# At which layers are looked at.
DETAILED_BATCHES = (1, 8)
MODES = ("primitive", "folded")
# Seconds in all, seconds a round, rounds.
FULL = (690, 0.2, 8)
QUICK = (160, 0.05, 5)
FEWEST_ROUNDS = 2


def take_turns(engines, batch, seconds, rounds, deadline):
    """{engine: [measurement of each round]}"""
    taken = {name: [] for name in engines}
    names = list(engines)
    for turn in range(rounds):
        if turn >= FEWEST_ROUNDS and time.perf_counter() > deadline:
            break
        for name in names:
            taken[name].append(engines[name].measure(batch, seconds))
        names.append(names.pop(0))  # no engine always runs after the same one
    return taken


def summarize(taken):
    result = {"rounds": len(taken["primitive"])}
    for name, measurements in taken.items():
        result[name] = {clock: statistics.median(m[clock] for m in measurements) for clock in ("cpu", "wall")}
        if "onnxruntime" in taken and name != "onnxruntime":
            pairs = zip(measurements, taken["onnxruntime"])
            result[name]["ratio"] = statistics.median(ours["cpu"] / theirs["cpu"] for ours, theirs in pairs)
    return result


def measure_case(program, case, plan, deadline):
    """All batches of one model. Raises stillwave.Refused."""
    _, seconds, rounds = plan
    engines = {}
    details = {}
    for batch in DETAILED_BATCHES:
        flags = ["--model", str(case.path), "--batch", str(batch), "--min-time", str(seconds), *case.length_flags()]
        details[batch] = stillwave.run_json(program, ["engine", *flags])
    result = {"model": case.name, "counts": case.counts, "batches": {}, "details": details}
    try:
        for mode in MODES:
            engines[mode] = stillwave.Rounds(program, case, mode)
        result["load_ms"] = {mode: engines[mode].load_ms for mode in MODES}
        if onnx_runtime is not None:
            try:
                engines["onnxruntime"] = onnx_runtime.Session(str(case.path), details[1]["input_shapes"])
                engines["onnxruntime"].measure(1, 0)
                result["load_ms"]["onnxruntime"] = engines["onnxruntime"].load_ms
            except Exception as error:  # whatever it throws, ours is still to be measured
                engines.pop("onnxruntime", None)
                result["onnxruntime_refused"] = str(error).splitlines()[0]
        for i, batch in enumerate(case.batches):
            now = time.perf_counter()
            batch_deadline = now + (deadline - now) / (len(case.batches) - i)
            result["batches"][batch] = summarize(take_turns(engines, batch, seconds, rounds, batch_deadline))
    finally:
        for mode in MODES:
            if mode in engines:
                engines[mode].close()
    return result


def line_of(result):
    parts = []
    for batch, cell in result["batches"].items():
        ours = cell["primitive"]
        ratio = f" ({ours['ratio']:.2f})" if "ratio" in ours else ""
        parts.append(f"batch {batch}: {ours['cpu']:.0f} µs{ratio}")
    return ", ".join(parts)


def main():
    flags = flags_for(
        __doc__, program="stillwave-benchmark, of a release build", models="folder of folders with a model.onnx"
    )
    plan = QUICK if flags.quick else FULL
    cases = zoo.find_cases(flags.models)
    if not cases:
        sys.exit(f"--models must be a folder of folders with a model.onnx; '{flags.models}' has none")
    if onnx_runtime is None:
        progress("ONNX Runtime is not installed here: Stillwave alone is measured")
    peak_seconds = "0.5" if flags.quick else "2"
    outcome = {
        "command": flags.command,
        "machine": machine.describe(flags.program),
        "peak": stillwave.run_json(flags.program, ["peak", "--min-time", peak_seconds]),
        "onnxruntime": onnx_runtime.version() if onnx_runtime else None,
        "call_us": onnx_runtime.call_microseconds(0.2) if onnx_runtime else None,
        "results": [],
        "refused": [],
    }
    for i, case in enumerate(cases):
        now = time.perf_counter()
        deadline = now + (START + plan[0] - now) / (len(cases) - i)
        try:
            result = measure_case(flags.program, case, plan, deadline)
            outcome["results"].append(result)
            progress(f"{i + 1} of {len(cases)}  {case.name}: {line_of(result)}")
        except stillwave.Refused as refusal:
            outcome["refused"].append({"model": case.name, "reason": str(refusal)})
            progress(f"{i + 1} of {len(cases)}  {case.name}: refused: {refusal}")
    leave(flags, "engine", outcome, report.markdown(outcome))


if __name__ == "__main__":
    main()
