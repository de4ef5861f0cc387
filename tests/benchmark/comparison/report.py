"""What scripts/bench engine measured, as a section of docs/benchmarks.md."""

import math

MODES = ("primitive", "folded")


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values)) if values else None


def number(value, digits=2):
    return "" if value is None else f"{value:.{digits}f}"


def micros(value):
    return "" if value is None else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def table(titles, rows):
    """The first column is text, the rest are numbers."""
    lines = ["| " + " | ".join(titles) + " |", "|---|" + "---:|" * (len(titles) - 1)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def counted(outcome, batch):
    cells = [result["batches"][batch] for result in outcome["results"] if result["counts"]]
    return [cell for cell in cells if "onnxruntime" in cell]


def ratio_less_call(cell, mode, call):
    """Were all of an empty call's time Python's and none the runtime's: the ratio that is worst for us."""
    theirs = cell["onnxruntime"]["cpu"]
    return cell[mode]["ratio"] * theirs / max(theirs - call, 0.1)


def means(outcome):
    rows = []
    for batch in (1, 8, 32):
        cells = counted(outcome, batch)
        for mode in MODES:
            ratios = [cell[mode]["ratio"] for cell in cells]
            strict = [ratio_less_call(cell, mode, outcome["call_us"]) for cell in cells]
            slower = sum(ratio > 1 for ratio in ratios)
            rows.append(
                [f"{batch}, {mode}", number(geometric_mean(ratios)), number(max(ratios, default=None))]
                + [f"{slower} of {len(ratios)}", number(geometric_mean(strict))]
            )
    titles = ["batch, BatchNormalization", "geometric mean", "worst model", "models above 1", "mean, call taken off"]
    return table(titles, rows)


def cells_table(outcome, batch):
    rows = []
    for result in outcome["results"]:
        if batch not in result["batches"]:
            continue
        cell = result["batches"][batch]
        theirs = cell.get("onnxruntime", {}).get("cpu")
        row = [result["model"], micros(theirs)]
        for mode in MODES:
            row += [micros(cell[mode]["cpu"]), number(cell[mode].get("ratio"))]
        detail = result["details"].get(batch)
        row.append(number(detail["gflops_per_second"], 1) if detail else "")
        rows.append(row)
    titles = ["model", "ONNX Runtime µs", "primitive µs", "ratio", "folded µs", "ratio", "GFLOP/s"]
    if batch not in outcome["results"][0]["details"]:
        rows, titles = [row[:-1] for row in rows], titles[:-1]
    return table(titles, rows)


def costs_table(outcome):
    rows = []
    for result in outcome["results"]:
        detail = result["details"][1]
        allocations = detail["allocations"]
        load = result["load_ms"]
        rows.append(
            [result["model"], number(detail["multiply_adds"] / 1e6), number(load["primitive"], 0)]
            + [number(load.get("onnxruntime"), 0), number(detail["compile_ms"])]
            + ["" if allocations is None else f"{allocations:g}", f"{detail['arena_bytes'] / 1024:.0f}"]
        )
    titles = ["model", "million multiply-adds", "load ms", "ONNX Runtime's", "compile ms", "allocations", "scratch KiB"]
    return table(titles, rows)


def layers_table(outcome, most=3):
    rows = []
    for result in outcome["results"]:
        layers = sorted(result["details"][1]["layers"], key=lambda layer: -layer["share"])
        texts = []
        for layer in layers[:most]:
            what = " ".join(filter(None, [layer["op"], layer["attributes"]]))
            share = f"{100 * layer['share']:.0f} %"
            texts.append(f"{share} {what} → {layer['output_shape']} `{layer['implementation']}`")
        rows.append([result["model"], "<br>".join(texts)])
    return table(["model", "largest shares of the time at batch 1"], rows).replace("---:", "---")


def peak_line(outcome):
    peak = outcome["peak"]["fma_gflops_per_second"]["best"]
    for result in outcome["results"]:
        if result["counts"]:
            continue
        speed = result["details"][1]["gflops_per_second"]
        return f"FCN at 1024 steps, batch 1: {speed:.1f} GFLOP/s, {100 * speed / peak:.0f} % of the peak.\n"
    return ""


def setting(outcome):
    machine, peak = outcome["machine"], outcome["peak"]
    fma, reads = peak["fma_gflops_per_second"], peak["read_gigabytes_per_second"]
    instructions = " ".join(machine["instructions"])
    runtime = f"onnxruntime {outcome['onnxruntime']} from PyPI, Python {machine['python']}"
    rows = [
        ["processor", f"{machine['cpu']} (family/model {machine['family_model']}), {machine['cores']} cores"],
        ["instructions", instructions],
        ["peak of a core", f"{fma['best']:.1f} GFLOP/s FP32 ({peak['instructions']}); reads {reads['best']:.1f} GB/s"],
        ["system", f"{machine['system']}, oneDNN {machine['onednn']}, {machine['compiler']}"],
        ["compared with", runtime if outcome["onnxruntime"] else "nothing: ONNX Runtime was not to be had"],
        ["Stillwave", f"commit {machine['commit']}"],
        ["command", f"`{outcome['command']}`"],
    ]
    return table(["", "measured with"], rows).replace("---:", "---")


METHOD = """One thread each, FP32. Times are CPU time of the computing thread in microseconds per inference of the whole
batch: the median of a round, and of the rounds, in which the engines take turns. A ratio is Stillwave's time over ONNX
Runtime's, the median of the rounds' ratios: below 1 Stillwave is faster. ONNX Runtime runs with all optimizations, one
thread that does not spin, inputs and outputs bound beforehand; a model with a fixed batch of 1 is run row by row.
"""


CALL = """Called from Python, ONNX Runtime takes {:.1f} µs for a network of one trivial layer. That is in its times; the
last column below takes all of it off.

"""

COSTS = """
### Loading, compiling, memory

Compiling: a plan for one more shape of a loaded model. Allocations: of one inference in the steady state. Batch 1,
BatchNormalization as primitive.

"""


def markdown(outcome):
    text = "## Engine\n\n" + setting(outcome) + "\n" + METHOD
    if outcome["results"]:
        if outcome["onnxruntime"]:
            text += CALL.format(outcome["call_us"]) + means(outcome)
        text += "\n" + peak_line(outcome)
        for batch in (1, 8, 32):
            text += f"\n### Batch {batch}\n\n" + cells_table(outcome, batch)
        text += COSTS + costs_table(outcome)
        text += "\n### Where the time goes\n\n" + layers_table(outcome)
    if outcome["refused"]:
        rows = [[entry["model"], entry["reason"].replace("|", "\\|")] for entry in outcome["refused"]]
        text += "\n### Refused\n\n" + table(["model", "reason"], rows).replace("---:", "---")
    return text
