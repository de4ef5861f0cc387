"""The held-back minute of the electrocardiogram through a real server that observes every window: how right its answers are,
and how far each layer's input is from what it stores.
"""

import csv
import json
import pathlib
import re
import subprocess
import tempfile
import time

import numpy as np

ECG = pathlib.Path(__file__).resolve().parent.parent / "ecg"
FIRST, WINDOW, HOP = 86400, 128, 90
LABELS = ("no beat", "normal", "ventricular")
# Windows sent at once: fewer than may wait for the observer, which has the lowest priority and drops what it cannot keep up
# with.
PIECE = 48
PATIENCE_SECONDS = 5


def recording():
    return np.load(ECG / "ecg_360hz.npy").astype(np.float64)


def beats():
    with (ECG / "labels_minute5.csv").open() as file:
        return [(int(row["sample"]), row["label"]) for row in csv.DictReader(file)]


def share_right(windows, labels):
    right = 0
    for window in windows:
        inside = [label for sample, label in labels if window["first_sample"] <= sample <= window["last_sample"]]
        right += LABELS[window["class"]] == (inside[0] if inside else "no beat")
    return right / len(windows)


class Observed:
    """How a signal went: `right`, a share, and `divergences`, layer by layer, of `layers`."""

    def __init__(self, right, report):
        self.right = right
        self.layers = [layer["name"] for layer in report["layers"]]
        self.divergences = [layer["mean"]["divergence"] for layer in report["layers"]]

    def line(self):
        figures = "  ".join(f"{value:.3f}" for value in self.divergences)
        return f"{100 * self.right:5.1f} % as labeled   divergence by layer  {figures}"


class Server:
    """Without flags it serves the demonstration model. Use as a context."""

    def __init__(self, programs, *flags):
        command = [programs / "stillwave-server", "--grpc_address=127.0.0.1:0", "--http_address=127.0.0.1:0", *flags]
        self._client = programs / "stillwave"
        self._process = subprocess.Popen(command + ["--drift_sample_rate=1"], stderr=subprocess.PIPE, text=True)
        for line in self._process.stderr:
            if found := re.search(r"grpc_address=(\S+)", line):
                self._address = found.group(1)
                return
        raise SystemExit("the server did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()

    def ask(self, *arguments):
        command = [self._client, *arguments, "--json", "--server", self._address]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def observe(self, signal):
        """Streams the minute of it that is labeled, until no window of it was dropped: then every run has the same figures."""
        with tempfile.NamedTemporaryFile(suffix=".npy") as file:
            np.save(file, signal.astype(np.float32))
            file.flush()
            while True:
                windows, report = self.try_to_observe(file.name, (len(signal) - FIRST - WINDOW) // HOP + 1)
                if report["samples"] == len(windows):
                    return Observed(share_right(windows, beats()), report)

    def try_to_observe(self, path, count):
        self.ask("drift", "--reset")
        windows, report = [], {}
        for begin in range(0, count, PIECE):
            first, end = FIRST + begin * HOP, FIRST + (min(begin + PIECE, count) - 1) * HOP + WINDOW
            piece = ("--from", str(first), "--to", str(end - 1), "--window", str(WINDOW), "--hop", str(HOP))
            windows += [line for line in self.ask("stream", path, *piece) if "window" in line]
            report = self.await_observed(len(windows))
            if report["samples"] < len(windows):
                break
        return windows, report

    def await_observed(self, count):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (report := self.ask("drift")[0])["samples"] < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return report
