"""Streams the held-back minute of the electrocardiogram, changed in several ways, and prints how right the model is next to
the divergence of its layers. See scripts/drift-demo --help.
"""

import argparse
import csv
import json
import pathlib
import re
import subprocess
import tempfile

import numpy as np

ECG = pathlib.Path(__file__).parent.parent / "ecg"
RATE, FIRST, WINDOW, HOP = 360, 86400, 128, 90
LABELS = ("no beat", "normal", "ventricular")
# A layer's divergence, mean over its channels: well above what the unchanged minute has.
ALERT = 0.25
ENOUGH = 200  # observed windows
MARKERS = ("<!-- scripts/drift-demo: begin -->\n", "<!-- scripts/drift-demo: end -->\n")


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


def start_server(programs):
    command = [programs / "stillwave-server", "--grpc_address=127.0.0.1:0", "--http_address=127.0.0.1:0"]
    server = subprocess.Popen(command + ["--drift_sample_rate=1"], stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        if found := re.search(r"grpc_address=(\S+)", line):
            return server, found.group(1)
    raise SystemExit("the server did not start")


class Client:
    def __init__(self, program, address):
        self._program, self._address = program, address

    def lines(self, *arguments):
        command = [self._program, *arguments, "--json", "--server", self._address]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return [json.loads(line) for line in done.stdout.splitlines()]


def share_right(windows, beats):
    right = 0
    for window in windows:
        inside = [label for sample, label in beats if window["first_sample"] <= sample <= window["last_sample"]]
        right += LABELS[window["class"]] == (inside[0] if inside else "no beat")
    return right / len(windows)


def observe(client, path, beats):
    client.lines("drift", "--reset")
    while True:
        lines = client.lines("stream", str(path), "--window", str(WINDOW), "--hop", str(HOP), "--from", str(FIRST))
        report = client.lines("drift")[0]
        # The observer has the lowest priority and drops what it cannot keep up with: once more, the same minute.
        if report["samples"] >= ENOUGH:
            return share_right([line for line in lines if "window" in line], beats), report


def table(rows):
    layers = [layer["name"] for layer in rows[0][2]["layers"]]
    text = "| signal | windows as labeled | " + " | ".join(f"`{name}`" for name in layers) + " | alert |\n"
    text += "|---|---" + "|---" * len(layers) + "|---|\n"
    for name, right, report in rows:
        figures = [layer["mean"]["divergence"] for layer in report["layers"]]
        cells = " | ".join(f"**{d:.2f}**" if d > ALERT else f"{d:.2f}" for d in figures)
        text += f"| {name} | {100 * right:.1f} % | {cells} | {'fires' if max(figures) > ALERT else ''} |\n"
    return text


def write_section(path, text):
    path = pathlib.Path(path)
    before, begin, rest = path.read_text().partition(MARKERS[0])
    _, end, after = rest.partition(MARKERS[1])
    if not begin or not end:
        raise SystemExit(f"{path} must have the lines '{MARKERS[0].strip()}' and '{MARKERS[1].strip()}'")
    path.write_text(before + begin + text + end + after)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--out")
    options = parser.parse_args()
    signal = np.load(ECG / "ecg_360hz.npy").astype(np.float64)
    with (ECG / "labels_minute5.csv").open() as file:
        beats = [(int(row["sample"]), row["label"]) for row in csv.DictReader(file)]
    server, address = start_server(options.bin)
    try:
        client = Client(options.bin / "stillwave", address)
        rows = []
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "signal.npy"
            for name, changed in conditions(signal):
                np.save(path, changed.astype(np.float32))
                right, report = observe(client, path, beats)
                rows.append((name, right, report))
                figures = "  ".join(f"{layer['mean']['divergence']:.3f}" for layer in report["layers"])
                print(f"{name:20} {100 * right:5.1f} % as labeled   divergence by layer  {figures}", flush=True)
    finally:
        server.terminate()
        server.wait()
    if options.out:
        write_section(options.out, table(rows))


if __name__ == "__main__":
    main()
