#!/usr/bin/env python3
"""Draws docs/images/ecg_stream.svg: what `stillwave stream` predicts for a piece of the held-back minute.

    scripts/run --exit-after-demo                        # builds the programs
    /usr/bin/python3 tests/data/ecg/draw_stream.py       # needs python3-matplotlib

Runs the real server and the real client, whose --out file is what is drawn.
"""

import argparse
import csv
import pathlib
import re
import subprocess
import tempfile

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as pyplot  # noqa: E402
import numpy  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]
RECORDING = ROOT / "tests/data/ecg/ecg_360hz.npy"
RATE = 360
LABELS = ("no beat", "normal", "ventricular")
COLORS = ("#9aa0a6", "#1a73e8", "#d93025")
WINDOW, HOP = 128, 8
FIRST_SECOND, LAST_SECOND = 248, 258


def predictions(bin_dir, first, last):
    """Rows of the client's table, as dictionaries."""
    server = subprocess.Popen(
        [f"{bin_dir}/stillwave-server", "--grpc_address=127.0.0.1:0", "--http_address=127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    try:
        address = None
        for line in server.stdout:
            address = re.search(r" serving .*grpc_address=(\S+)", line)
            if address:
                break
        if not address:
            raise SystemExit("the server did not start")
        with tempfile.TemporaryDirectory() as folder:
            out = f"{folder}/windows.csv"
            subprocess.run(
                [
                    f"{bin_dir}/stillwave", "stream", RECORDING, "--server", address.group(1), "--from", str(first),
                    "--to", str(last), "--window", str(WINDOW), "--hop", str(HOP), "--rate", str(RATE),
                    "--labels", ",".join(LABELS), "--softmax", "--out", out,
                ],
                check=True, stdout=subprocess.DEVNULL,
            )
            with open(out, newline="") as table:
                return list(csv.DictReader(table))
    finally:
        server.terminate()
        server.communicate()


def softmax(logits):
    values = numpy.exp(logits - logits.max(axis=1, keepdims=True))
    return values / values.sum(axis=1, keepdims=True)


def draw(signal, first, rows, path):
    middles = numpy.array([(float(row["start_seconds"]) + float(row["end_seconds"])) / 2 for row in rows])
    classes = [int(row["class"]) for row in rows]
    logits = numpy.array([[float(row[f"logits_{i}"]) for i in range(len(LABELS))] for row in rows])
    pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "stillwave", "font.size": 9, "path.simplify": True})
    figure, (above, below) = pyplot.subplots(
        2, 1, figsize=(9, 3.6), sharex=True, gridspec_kw={"height_ratios": (3, 1), "hspace": 0.08}
    )
    half = HOP / RATE / 2
    begin = 0
    for i in range(1, len(rows) + 1):
        if i < len(rows) and classes[i] == classes[begin]:
            continue
        if classes[begin]:
            above.axvspan(middles[begin] - half, middles[i - 1] + half, color=COLORS[classes[begin]], alpha=0.15, lw=0)
        begin = i
    above.plot((first + numpy.arange(len(signal))) / RATE, signal, color="black", lw=0.7)
    above.set_ylabel("mV")
    for index in (1, 2):
        below.plot(middles, softmax(logits)[:, index], color=COLORS[index], lw=1, label=LABELS[index])
    below.set_ylabel("probability")
    below.set_ylim(-0.05, 1.05)
    below.set_xlabel(f"seconds; a prediction for every {HOP} samples, drawn at its window's middle")
    below.set_xlim(first / RATE, (first + len(signal)) / RATE)
    below.legend(loc="upper right", bbox_to_anchor=(1, 5.0), ncol=2, frameon=False)
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without the date, so that the same figures make the same file.
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=ROOT / "build/release/bin", help="folder of the programs")
    parser.add_argument("--out", default=ROOT / "docs/images/ecg_stream.svg", type=pathlib.Path)
    flags = parser.parse_args()
    first, last = FIRST_SECOND * RATE, LAST_SECOND * RATE - 1
    rows = predictions(flags.bin, first, last)
    draw(numpy.load(RECORDING)[first : last + 1], first, rows, flags.out)
    print(f"{len(rows)} windows; {flags.out} has {flags.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
