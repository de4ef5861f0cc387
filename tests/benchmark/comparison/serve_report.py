"""What scripts/bench serve measured, against its bounds, as a section of docs/benchmarks.md."""

from report import micros, number, table

THROUGHPUT_SHARE = 0.85
ALONE_FACTOR = 1.3
TAIL_FACTOR = 3
NEIGHBOUR_MILLIS = 2
GOODPUT_SHARE = 0.9
REFUSAL_MILLIS = 5
RECOVERY_SECONDS = 1
METRICS_SHARE = 0.02


def round_line(entry):
    rates = ", ".join(
        f"{name.replace('_', ' ')} {entry[name + '_per_second']:.0f}/s, alone {1e3 * entry[name + '_alone_p50_ms']:.0f} µs"
        for name in ("async_echo", "callback_echo", "stillwave", "workers")
    )
    return f"{rates}; engine {entry['compute_us']:.0f} µs"


def latency_line(latency):
    return f"p50 {latency['p50']:.2f} ms, p99 {latency['p99']:.2f} ms"


def overload_line(result):
    refusal = result["refusal_ms"]
    refused = f"refusals p99 {refusal['p99']:.2f} ms" if refusal else "no refusals"
    return (
        f"{result['goodput']:.0f}/s of {result['peak']:.0f}/s while {result['sent']:.0f}/s were sent, {refused}, "
        f"at most {result['rss_mib']['largest']:.0f} MiB, recovery {number(result['recovery_s'], 1)} s"
    )


def recovery_seconds(step):
    """When an open loop at half of capacity, begun at the overload's end, has its last tenth of a second that is not
    as it should be: an error, or less than half of what was offered. The last entry may be cut short."""
    entries = step["timeline"]["entries"][:-1]
    width = step["timeline"]["step_seconds"]
    expected = 0.5 * step["rate"] * width
    bad = [i for i, entry in enumerate(entries) if entry["errors"] or entry["ok"] < expected]
    return (bad[-1] + 1) * width if bad else 0


def echo_bound(outcome):
    turns = outcome["turns"]
    return 1 / (1 / best_echo(turns) + turns["compute_us"] / 1e6 / outcome["cores"])


def best_echo(turns):
    return max(turns["async_echo_per_second"], turns["callback_echo_per_second"])


def verdict(good):
    return "met" if good else "**missed**"


def rows_of(outcome):
    turns, near = outcome["turns"], outcome["neighbour"]
    rows = []

    def add(what, measured, bound, good):
        rows.append([what, measured, bound, verdict(good)])

    reached = turns["stillwave_per_second"]
    bound = THROUGHPUT_SHARE * echo_bound(outcome)
    add("64 in flight, requests/s", f"{reached:.0f}", f"at least {bound:.0f}", reached >= bound)
    alone = 1e3 * turns["stillwave_alone_p50_ms"]
    limit = ALONE_FACTOR * (1e3 * turns["async_echo_alone_p50_ms"] + turns["compute_us"])
    add("one in flight, median µs", f"{alone:.0f}", f"at most {limit:.0f}", alone <= limit)
    seventy = turns["seventy"]
    add(
        f"p99 at 70 % of it ({seventy['rate']:.0f}/s), ms",
        f"{seventy['p99']:.2f} = {seventy['p99_over_p50']:.1f} × p50",
        f"at most {TAIL_FACTOR} × p50 ({seventy['p50']:.2f})",
        seventy["p99_over_p50"] <= TAIL_FACTOR,
    )
    beside = near["beside"]["p99"]
    add(
        f"p99 beside a model of {near['slow_p50_ms']:.0f} ms, ms",
        f"{beside:.2f} (alone {near['alone']['p99']:.2f})",
        f"at most {NEIGHBOUR_MILLIS}",
        beside <= NEIGHBOUR_MILLIS,
    )
    share = outcome["counting_us"] / turns["stillwave_server_cpu_us"]
    add(
        "a request's metrics (`metrics_benchmark`), of the server's CPU time",
        f"{100 * share:.2f} % ({outcome['counting_us']:.2f} µs)",
        f"under {100 * METRICS_SHARE:.0f} %",
        share < METRICS_SHARE,
    )
    for over in outcome["overload"]:
        share = over["goodput"] / over["peak"]
        refusal = over["refusal_ms"]["p99"] if over["refusal_ms"] else None
        memory = over["rss_mib"]
        name = f"overload of {over['name']}"
        add(f"{name}: goodput", f"{100 * share:.0f} % of peak", f"at least {100 * GOODPUT_SHARE:.0f} %", share >= GOODPUT_SHARE)
        if refusal is not None:
            add(f"{name}: refusals' p99, ms", f"{refusal:.2f}", f"at most {REFUSAL_MILLIS}", refusal <= REFUSAL_MILLIS)
        rows.append(
            [
                f"{name}: server's memory, MiB",
                f"{memory['before']:.0f} before, {memory['largest']:.0f} at most, {memory['idle']:.0f} after",
                "flat",
                "",
            ]
        )
        add(
            f"{name}: recovery, s",
            f"{over['recovery_s']:.1f}",
            f"at most {RECOVERY_SECONDS}",
            over["recovery_s"] <= RECOVERY_SECONDS,
        )
    return rows


def left(text):
    """All columns are text."""
    return text.replace("---:", "---")


def table_of(outcome):
    return left(table(["what", "measured", "bound", ""], rows_of(outcome)))


def turns_table(outcome):
    turns = outcome["turns"]
    rows = []
    for key, name in (
        ("async_echo", "echo, completion queues"),
        ("callback_echo", "echo, callbacks"),
        ("stillwave", "stillwave-server"),
        ("workers", "the same, computing on workers only"),
    ):
        rows.append(
            [name, f"{turns[key + '_per_second']:.0f}"]
            + [number(turns[f"{key}_{percentile}_ms"]) for percentile in ("p50", "p99")]
            + [micros(turns[f"{key}_server_cpu_us"])]
            + [micros(1e3 * turns[f"{key}_alone_{percentile}_ms"]) for percentile in ("p50", "p99")]
            + [micros(turns[f"{key}_alone_server_cpu_us"])]
        )
    titles = ["", "64 in flight: /s", "p50 ms", "p99 ms", "server CPU µs", "1 in flight: p50 µs", "p99 µs", "server CPU µs"]
    return table(titles, rows)


def styles_table(outcome):
    rows = []
    for row in outcome["styles"]:
        where = f"{row['workers']} workers" if row["workers"] else "the receiving thread"
        name = "completion queues" if row["style"] == "async" else "callbacks"
        rows.append(
            [f"{name}, {where}", f"{row['per_second']:.0f}", number(row["busy_p99_ms"]), micros(1e3 * row["alone_p50_ms"])]
        )
    return table(["echo with a stand-in", "64 in flight: /s", "p99 ms", "1 in flight: p50 µs"], rows)


def overload_table(outcome):
    rows = []
    for over in outcome["overload"]:
        refusal = over["refusal_ms"] or {"p50": None, "p99": None, "max": None}
        rows.append(
            [over["name"], f"{over['peak']:.0f}", f"{over['sent']:.0f}", f"{over['goodput']:.0f}"]
            + [number(refusal[key]) for key in ("p50", "p99", "max")]
            + [number(over["ok_ms"]["p99"] if over["ok_ms"] else None)]
        )
    echo = outcome["overload_of_echo"]
    rows.append(
        ["the bare echo server, callbacks", "", f"{echo['sent']:.0f}", f"{echo['goodput']:.0f}", "", "", ""]
        + [number(echo["ok_ms"]["p99"])]
    )
    titles = ["overload", "peak /s", "sent /s", "OK /s", "refusals: p50 ms", "p99 ms", "max ms", "OK: p99 ms"]
    return table(titles, rows)


def setting(outcome):
    host = outcome["machine"]
    rows = [
        ["processor", f"{host['cpu']} (family/model {host['family_model']}), {outcome['cores']} cores for server and client"],
        ["system", f"{host['system']}, gRPC {outcome['grpc']}, oneDNN {host['onednn']}, {host['compiler']}"],
        ["Stillwave", f"commit {host['commit']}"],
        ["command", f"`{outcome['command']}`"],
    ]
    return left(table(["", "measured with"], rows))


METHOD = """Server and client share the cores; `stillwave bench` is the client, with one connection and one thread. The echo
servers answer the same messages with as many bytes and compute nothing; the engine's time is one inference on one core
({compute:.0f} µs, CPU). All take turns in {rounds} rounds of {seconds:g} s; a figure is the median of the rounds. The bound of the
throughput is {share:.0f} % of 1 / (1/echo + compute/cores), with the faster of the echo servers: {bound:.0f} requests/s before the
{share:.0f} %. Latencies of open loops count from when a request was due.
"""

STYLES = """
The same echo servers with a stand-in of {compute:.0f} µs for the inference, on the thread that received the request or on
workers:

"""


def markdown(outcome):
    turns, plan = outcome["turns"], outcome["plan"]
    text = "## Serving\n\n" + setting(outcome) + "\n"
    text += METHOD.format(
        compute=turns["compute_us"],
        rounds=plan["rounds"],
        seconds=plan["seconds"],
        share=100 * THROUGHPUT_SHARE,
        bound=echo_bound(outcome),
    )
    text += "\n" + table_of(outcome) + "\n" + turns_table(outcome)
    text += (
        f"\nOf the server's time for a request at 64 in flight: {turns['stillwave_server_queue_us']:.0f} µs in the queue, "
        f"{turns['stillwave_server_compute_us']:.0f} µs computing, in batches of {turns['stillwave_server_batch']:.1f} samples; "
        f"alone {turns['stillwave_alone_server_queue_us']:.0f} and {turns['stillwave_alone_server_compute_us']:.0f} µs.\n"
    )
    text += STYLES.format(compute=turns["compute_us"]) + styles_table(outcome)
    text += "\nOverload, an open loop at five times the peak for " + f"{plan['overload']:g} s:\n\n" + overload_table(outcome)
    return text
