"""Streams the held-back minute of the electrocardiogram, changed in several ways, and prints how right the model is next to
the divergence of its layers; then does the same with the network recalibrated. See scripts/drift-demo --help.
"""

import argparse
import pathlib
import tempfile

import numpy as np

from observed_stream import Server, recording
from recalibrated_network import recalibrate

RATE = 360
# A layer's divergence, mean over its channels: well above what the unchanged minute has.
ALERT = 0.25
# What is recalibrated: each kind of change where it hurts, and two signals that need none.
RECALIBRATED = ("as recorded", "gain × 0.5", "gain × 3", "baseline ± 2 mV", "baseline ± 3 mV", "noise 0.2 mV")
SHOWN = "gain × 0.5"  # with the report of stillwave-recalibrate


def conditions(signal):
    seconds = np.arange(len(signal)) / RATE
    noise = np.random.default_rng(0).standard_normal(len(signal))
    yield "as recorded", signal
    for gain in (0.5, 0.7, 0.85, 1.2, 1.5, 2, 3):
        yield f"gain × {gain:g}", signal * gain
    for millivolt in (0.5, 1, 1.5, 2, 3):
        yield f"baseline ± {millivolt:g} mV", signal + millivolt * np.sin(2 * np.pi * 0.25 * seconds)
    for millivolt in (0.02, 0.05, 0.1, 0.2):
        yield f"noise {millivolt:g} mV", signal + millivolt * noise


def cells(divergences):
    return " | ".join(f"**{value:.2f}**" if value > ALERT else f"{value:.2f}" for value in divergences)


def drift_table(observed):
    layers = next(iter(observed.values())).layers
    text = "| signal | windows as labeled | " + " | ".join(f"`{name}`" for name in layers) + " | alert |\n"
    text += "|---|---" + "|---" * len(layers) + "|---|\n"
    for name, seen in observed.items():
        fires = "fires" if max(seen.divergences) > ALERT else ""
        text += f"| {name} | {100 * seen.right:.1f} % | {cells(seen.divergences)} | {fires} |\n"
    return text


def recalibration_table(before, after):
    text = "| signal | windows as labeled | recalibrated | divergence, first to last layer | | | recalibrated | | |\n"
    text += "|---|---|---|---|---|---|---|---|---|\n"
    for name, seen in after.items():
        text += f"| {name} | {100 * before[name].right:.1f} % | {100 * seen.right:.1f} % "
        text += f"| {cells(before[name].divergences)} | {cells(seen.divergences)} |\n"
    return text


def write_section(path, name, text):
    path = pathlib.Path(path)
    markers = [f"<!-- scripts/drift-demo{name}: {edge} -->\n" for edge in ("begin", "end")]
    before, begin, rest = path.read_text().partition(markers[0])
    _, end, after = rest.partition(markers[1])
    if not begin or not end:
        raise SystemExit(f"{path} must have the lines '{markers[0].strip()}' and '{markers[1].strip()}'")
    path.write_text(before + begin + text + end + after)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--out")
    options = parser.parse_args()
    signals = dict(conditions(recording()))
    before, after = {}, {}
    print("the network as it was trained", flush=True)
    with Server(options.bin) as server:
        for name, signal in signals.items():
            before[name] = server.observe(signal)
            print(f"{name:20} {before[name].line()}", flush=True)
    print("\nrecalibrated on the minute before, changed in the same way", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in RECALIBRATED:
            model = recalibrate(options.bin, signals[name], pathlib.Path(folder), show=name == SHOWN)
            with Server(options.bin, f"--model={model}") as server:
                after[name] = server.observe(signals[name])
            print(f"{name:20} {after[name].line()}", flush=True)
    if options.out:
        write_section(options.out, "", drift_table(before))
        write_section(options.out, " recalibration", recalibration_table(before, after))


if __name__ == "__main__":
    main()
