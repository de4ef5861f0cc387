"""The demonstration network with its statistics found anew on a signal, by stillwave-recalibrate."""

import shutil
import subprocess

import numpy as np

from observed_stream import ECG, WINDOW

# The fourth minute: never the one on which the network is judged.
FIRST, LAST, HOP = 64800, 86400, 8
BATCH = 64


def windows(signal):
    """{N, 1, WINDOW} in random order: a batch of neighbors would have the mean of one beat."""
    starts = np.arange(FIRST, LAST - WINDOW + 1, HOP)
    np.random.default_rng(0).shuffle(starts)
    return np.stack([signal[start : start + WINDOW] for start in starts]).astype(np.float32)[:, None]


def recalibrate(programs, signal, folder, show):
    """The path of a new ONNX file in `folder`; `show`: with what a user would see of it."""
    np.save(folder / "new_signal.npy", windows(signal))
    shutil.copy(ECG / "ecg_beats.onnx", folder)
    command = ["stillwave-recalibrate", "--model", "ecg_beats.onnx", "--data", "new_signal.npy", "--cumulative"]
    command += ["--batch", str(BATCH), "--output", "recalibrated.onnx", "--force"]
    done = subprocess.run(
        command, executable=programs.resolve() / command[0], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"stillwave-recalibrate failed, exit status {done.returncode}:\n{done.stderr}")
    if show:
        print(f"$ {' '.join(command)}\n{done.stdout}")
    return folder / "recalibrated.onnx"
