"""What scripts/bench stream measured, against its bounds, as a section of docs/benchmarks.md."""

from report import micros, number, table
from serve_report import left, setting, verdict

DEADLINE_MILLIS = 100
KIB_PER_SERIES = 64


def per_second(microseconds):
    return 1e6 / microseconds


def case_name(result):
    return f"{result['model']}, {result['window']} / {result['hop']}"


def case_line(result):
    text = f"{result['model']} {result['window']}/{result['hop']}, {result['message_windows']} a message: stream {result['stream']['cpu_us']:.0f} µs a window"
    text += f", unary {result['unary']['cpu_us']:.0f} µs ({result['over_unary']:.1f} ×)"
    if "onnxruntime_us" in result:
        text += f", ONNX Runtime {result['onnxruntime_us']:.0f} µs ({result['over_onnxruntime']:.1f} ×)"
    return text + f"; bound {result['bound_us']:.0f} µs, {100 * result['share']:.0f} % of {result['engine_us']:.0f} µs"


def many_line(result):
    return (
        f"{result['series']} series: {result['per_second']:.0f} windows/s, p50 {result['latency_ms']['p50']:.1f} ms, "
        f"p99 {result['latency_ms']['p99']:.1f} ms, {result['late']} late of {result['sent']}, "
        f"{result['errors']} errors, {result['kib_per_series']:.1f} KiB a series"
    )


def cases_table(outcome):
    rows = []
    for result in outcome["cases"]:
        against = "onnxruntime_us" in result
        wanted = result["wanted"]
        reached = result.get("over_onnxruntime") if wanted else result["over_unary"]
        goal = f"{wanted} × ONNX Runtime" if wanted else "1 × requests"
        rows.append(
            [case_name(result), f"{result['message_windows']}"]
            + [f"{per_second(result['stream']['cpu_us']):.0f}", f"{per_second(result['unary']['cpu_us']):.0f}"]
            + [f"{per_second(result['onnxruntime_us']):.0f}" if against else "", number(result["over_unary"], 1)]
            + [number(result.get("over_onnxruntime"), 1), goal]
            + ["" if reached is None else verdict(reached >= (wanted or 1))]
        )
    titles = ["model, window / hop", "hops a message", "stream: windows/s", "requests", "ONNX Runtime", "× requests"]
    return table([*titles, "× ONNX Runtime", "wanted", ""], rows)


def costs_table(outcome):
    rows = []
    for result in outcome["cases"]:
        stream, unary = result["stream"], result["unary"]
        rows.append(
            [case_name(result), f"{result['message_windows']}"]
            + [micros(stream["cpu_us"]), micros(result["bound_us"]), f"{100 * result['share']:.1f} %"]
            + [micros(result["engine_us"]), f"{stream['bytes']:.0f}", f"{unary['bytes']:.0f}"]
            + [f"1/{unary['bytes'] / stream['bytes']:.0f}"]
        )
    titles = ["model, window / hop", "hops a message", "server CPU µs a window", "bound: the hop's arithmetic µs"]
    return table([*titles, "of a window's work", "full window µs", "bytes sent", "as a request", "share"], rows)


def many_table(many):
    latency = many["latency_ms"]
    on_time = not many["late"] and not many["errors"] and many["sent"] == many["ok"]
    rows = [
        ["windows/s", f"{many['per_second']:.0f}", "", ""],
        [
            "windows on time",
            f"{many['ok'] - many['late']} of {many['sent']}",
            f"all within {DEADLINE_MILLIS} ms",
            verdict(on_time),
        ],
        [
            "last sample to result: p50, p99, max, ms",
            f"{latency['p50']:.1f}, {latency['p99']:.1f}, {latency['max']:.1f}",
            f"p99 under {DEADLINE_MILLIS}",
            verdict(latency["p99"] < DEADLINE_MILLIS),
        ],
        [
            "server's memory for a series, KiB",
            number(many["kib_per_series"], 1),
            f"under {KIB_PER_SERIES}",
            verdict(many["kib_per_series"] < KIB_PER_SERIES),
        ],
        ["cores that the server used", number(many["server_cores"]), "", ""],
        ["this client sent late: p99, ms", number(many["send_delay_ms"]["p99"], 1), "", ""],
    ]
    return left(table(["what", "measured", "bound", ""], rows))


METHOD = """Windows a second of one core: one over the CPU time for a window, that of the whole server process with its
protocol (one worker, {series} series with a message in flight each, or as many requests), and that of ONNX Runtime {version}
run on each whole window in a tight loop, one thread. A message brings one hop, as a sensor sends it at once, or eight, as
from a client that has more to send: their windows are computed together. They take turns in {rounds} rounds; figures are
medians of the rounds, ratios those of the rounds' ratios.

"""

COSTS = """
The bound is what the server says it recomputes for a window by itself, of the engine's time for a full one. Bytes are
those of the messages for one window.

"""

MANY = """
### {series} series

{series} series of 8 channels at {rate} Hz on {calls} calls, window {window}, hop {hop}, in chunks of {chunk} samples, for {seconds:g} s,
client and server on {cores} cores; the network has two blocks of 16 channels. Series begin at times spread over a hop.
Latencies count from when a window's last sample was due.

"""


def markdown(outcome):
    text = "## Streams\n\n" + setting(outcome) + "\n"
    text += METHOD.format(
        series=outcome["series"], version=outcome["onnxruntime"] or "(which was not to be had)", rounds=outcome["plan"]["rounds"]
    )
    text += cases_table(outcome) + COSTS + costs_table(outcome)
    if outcome["missing"]:
        text += f"\nNot measured, for want of the files: {', '.join(outcome['missing'])}.\n"
    text += MANY.format(cores=outcome["cores"], **outcome["many"]) + many_table(outcome["many"])
    return text
