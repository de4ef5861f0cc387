#!/usr/bin/python3
"""Trains the demonstration model, says how good it is, and writes what server and tests use.

Needs Debian's python3-torch, python3-onnx and python3-scipy; takes about two minutes on one core. One
thread and fixed seeds: on one machine and one version of PyTorch every run gives the same file.

  ecg_beats.onnx        Conv1d -> BatchNorm1d -> ReLU -> Dropout x3, global average pool, linear
  labels_minute5.csv    the beats of the held-back minute
  cases.json, test_data_set_*/   PyTorch's own answers, with tolerances
"""
import argparse
import copy
import json
import pathlib
import shutil

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

import ecg_labels as ecg

CHANNELS = (64, 128, 64)
DROPOUT = 0.2
EPOCHS = 8
BATCH = 64
PEAK_LEARNING_RATE = 1e-2
WEIGHT_DECAY = 1e-3
TRAINING_HOP = 6
EVALUATION_HOP = 8
BASELINE_WANDER_MILLIVOLT = 0.4  # a random offset per window, so that the level itself says nothing


def make_network():
    layers, width = [], 1
    for channels in CHANNELS:
        layers += [
            nn.Conv1d(width, channels, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm1d(channels),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
        ]
        width = channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(width, len(ecg.LABELS)))


def cut_windows(signal, starts):
    """{N, 1, WINDOW_LENGTH} float32."""
    view = np.lib.stride_tricks.sliding_window_view(signal, ecg.WINDOW_LENGTH)
    return torch.from_numpy(view[starts].copy()).unsqueeze(1)


def train(network, signal, peaks, classes):
    starts = np.arange(0, ecg.HELD_BACK_START - ecg.WINDOW_LENGTH + 1, TRAINING_HOP)
    inputs = cut_windows(signal, starts)
    targets = torch.from_numpy(ecg.window_labels(starts, peaks, classes))
    rng = torch.Generator().manual_seed(0)
    steps = len(starts) // BATCH
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_LEARNING_RATE, total_steps=EPOCHS * steps)
    network.train()
    for epoch in range(EPOCHS):
        order = torch.randperm(len(starts), generator=rng)
        total = 0.0
        for step in range(steps):
            chosen = order[step * BATCH : (step + 1) * BATCH]
            offset = BASELINE_WANDER_MILLIVOLT * torch.randn(BATCH, 1, 1, generator=rng)
            loss = nn.functional.cross_entropy(network(inputs[chosen] + offset), targets[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}/{EPOCHS}: loss {total / steps:.3f}", flush=True)
    network.eval()


def predict(network, signal, starts):
    with torch.no_grad():
        return network(cut_windows(signal, starts)).argmax(1).numpy()


def report(title, truth, predicted):
    size = len(ecg.LABELS)
    confusion = np.zeros((size, size), int)
    np.add.at(confusion, (truth, predicted), 1)
    right = int(np.trace(confusion))
    print(f"\n{title}: {right} of {len(truth)} right ({100 * right / len(truth):.1f} %); "
          f"always saying the most frequent class: {100 * confusion.sum(1).max() / len(truth):.1f} %")
    print(f"{'label':>12} |" + "".join(f"{name:>12}" for name in ecg.LABELS) + f"{'recall':>9}")
    for row, name in enumerate(ecg.LABELS):
        count = confusion[row].sum()
        recall = f"{100 * confusion[row, row] / count:7.1f} %" if count else "        -"
        print(f"{name:>12} |" + "".join(f"{value:12d}" for value in confusion[row]) + recall)


def evaluate(network, signal, peaks, classes):
    starts = np.arange(ecg.HELD_BACK_START, len(signal) - ecg.WINDOW_LENGTH + 1, EVALUATION_HOP)
    report(f"Held-back minute, a window every {EVALUATION_HOP} samples, beats cut by an edge included",
           ecg.window_labels(starts, peaks, classes), predict(network, signal, starts))
    centered = peaks - ecg.WINDOW_LENGTH // 2
    inside = (centered >= ecg.HELD_BACK_START) & (centered + ecg.WINDOW_LENGTH <= len(signal))
    report("Held-back minute, one window around each beat", classes[inside],
           predict(network, signal, centered[inside]))


def export(network, path):
    torch.onnx.export(
        network, torch.zeros(2, 1, ecg.WINDOW_LENGTH), str(path), opset_version=17,
        training=torch.onnx.TrainingMode.PRESERVE, input_names=["ecg"], output_names=["logits"],
        dynamic_axes={"ecg": {0: "N", 2: "T"}, "logits": {0: "N"}})
    model = onnx.load(str(path))
    normalizations = [node for node in model.graph.node if node.op_type == "BatchNormalization"]
    assert len(normalizations) == len(CHANNELS), "the exporter folded a BatchNormalization away"
    onnx.helper.set_model_props(model, {
        "labels": ",".join(ecg.LABELS),
        "window_length": str(ecg.WINDOW_LENGTH),
        "sample_rate": str(ecg.SAMPLE_RATE),
    })
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def write_tensor(path, array, name):
    path.write_bytes(numpy_helper.from_array(array, name).SerializeToString())


def write_cases(network, signal, peaks, folder):
    """Inputs with PyTorch's float32 answers; atol is 10 times PyTorch's own error against float64."""
    held_back = peaks[(peaks >= ecg.HELD_BACK_START) & (peaks < len(signal) - ecg.WINDOW_LENGTH)]
    inputs = {
        "one window": cut_windows(signal, held_back[:1] - ecg.WINDOW_LENGTH // 2),
        "six beats": cut_windows(signal, held_back[:6] - ecg.WINDOW_LENGTH // 2),
        "twice the length": torch.from_numpy(signal[None, None, -2 * ecg.WINDOW_LENGTH :].copy()),
    }
    double = copy.deepcopy(network).double()
    cases = []
    for number, (title, values) in enumerate(inputs.items()):
        with torch.no_grad():
            single, exact = network(values).numpy(), double(values.double()).numpy()
        target = folder / f"test_data_set_{number}"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        write_tensor(target / "input_0.pb", values.numpy(), "ecg")
        write_tensor(target / "output_0.pb", single, "logits")
        largest, error = float(np.abs(exact).max()), float(np.abs(single - exact).max())
        cases.append({"set": number, "case": title, "inputs": [list(values.shape)], "outputs": [{
            "name": "logits", "shape": list(single.shape), "max_abs": largest, "max_abs_err_f32_vs_f64": error,
            "atol": float(f"{max(10 * error, 20 * 2.0**-23 * largest):.3g}")}]})
    description = {"name": "ecg_beats", "cases": cases}
    (folder / "cases.json").write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")


def write_beats(signal, peaks, classes, path):
    rows = [f"{peak},{ecg.LABELS[kind]}" for peak, kind in zip(peaks, classes)
            if ecg.HELD_BACK_START <= peak < len(signal)]
    path.write_text("\n".join(["sample,label"] + rows) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, default=ecg.FOLDER, help="folder to write to")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(0)

    signal = ecg.load_recording()
    peaks, classes = ecg.find_beats(signal)
    network = make_network()
    train(network, signal, peaks, classes)
    evaluate(network, signal, peaks, classes)
    export(network, folder / "ecg_beats.onnx")
    write_cases(network, signal, peaks, folder)
    write_beats(signal, peaks, classes, folder / "labels_minute5.csv")


if __name__ == "__main__":
    main()
