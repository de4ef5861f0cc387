#!/usr/bin/python3
"""Writes reference.json: what live moments and divergences have to be, in plain numpy and float64.

Two parts. "moments": small arrays, among them offsets far above the spread, and their decayed mean and variance by the
definition, one weight a sample, not by the recursion that the server uses. "demo": the demonstration model's three
layers over windows of the recording, clean and with twice the gain on a wandering baseline.

Needs python3-numpy and python3-onnx.
"""
import json
import pathlib

import numpy as np
import onnx
from onnx import numpy_helper

HERE = pathlib.Path(__file__).parent
ECG = HERE.parent / "ecg"
WINDOW, FIRST, HOP, WINDOWS, HALF_LIFE = 128, 86400, 90, 60, 20
RATE = 360


def decayed(samples, half_life):
    """samples: list of {C, positions}; the last one has weight 1."""
    weights = 2.0 ** (-np.arange(len(samples) - 1, -1, -1) / half_life)
    weights = weights / weights.sum()
    means = np.array([s.mean(axis=1) for s in samples])
    variances = np.array([s.var(axis=1) for s in samples])
    mean = weights @ means
    return mean, weights @ (variances + (means - mean) ** 2)


def compare(mean, variance, stored_mean, stored_variance, epsilon):
    stored = stored_variance + epsilon
    shift = np.abs(mean - stored_mean) / np.sqrt(stored)
    ratio = (variance + epsilon) / stored
    return shift, ratio, 0.5 * (ratio + shift**2 - 1 - np.log(ratio))


def conv(x, weights):
    """{C, T} with weights {M, C, 3} and one zero at each end."""
    padded = np.pad(x, ((0, 0), (1, 1)))
    columns = np.stack([padded[:, k : k + x.shape[1]] for k in range(3)])
    return np.einsum("mck,kct->mt", weights, columns)


def moment_cases():
    rng = np.random.default_rng(7)
    cases = []
    for name, offset, spread in (("around zero", 0, 1), ("far from zero", 3e6, 2), ("tiny", 1e-20, 1e-21), ("huge", 1e18, 1e17)):
        for half_life in (1.5, 1000.0):
            samples = [(offset + spread * rng.standard_normal((2, 5))).astype(np.float32) for _ in range(6)]
            mean, variance = decayed([s.astype(np.float64) for s in samples], half_life)
            cases.append(
                {
                    "name": f"{name}, half-life {half_life}",
                    "half_life": half_life,
                    "samples": [s.astype(np.float64).tolist() for s in samples],
                    "mean": mean.tolist(),
                    "variance": variance.tolist(),
                }
            )
    return cases


def demo_case(name, change):
    model = onnx.load(ECG / "ecg_beats.onnx")
    weights = {i.name: numpy_helper.to_array(i).astype(np.float64) for i in model.graph.initializer}
    signal = np.load(ECG / "ecg_360hz.npy").astype(np.float64)
    times = np.arange(len(signal)) / RATE
    signal = change(signal, times).astype(np.float32).astype(np.float64)
    blocks = [(n, next(a.f for a in n.attribute if a.name == "epsilon")) for n in model.graph.node if n.op_type == "BatchNormalization"]
    convs = [n for n in model.graph.node if n.op_type == "Conv"]
    seen = [[] for _ in blocks]
    for i in range(WINDOWS):
        x = signal[None, FIRST + i * HOP : FIRST + i * HOP + WINDOW]
        for k, (conv_node, (norm, epsilon)) in enumerate(zip(convs, blocks)):
            x = conv(x, weights[conv_node.input[1]])
            seen[k].append(x)
            scale, shift, mean, variance = (weights[n][:, None] for n in norm.input[1:])
            x = np.maximum(scale * (x - mean) / np.sqrt(variance + epsilon) + shift, 0)
    layers = []
    for (norm, epsilon), samples in zip(blocks, seen):
        mean, variance = decayed(samples, HALF_LIFE)
        shift, ratio, divergence = compare(mean, variance, weights[norm.input[3]], weights[norm.input[4]], epsilon)
        rounded = lambda values: [float(f"{v:.9g}") for v in values]
        layers.append(
            {
                "name": norm.name,
                "mean": rounded(mean),
                "variance": rounded(variance),
                "mean_shift": {"mean": shift.mean(), "max": shift.max()},
                "variance_ratio": {"mean": ratio.mean(), "max": ratio.max()},
                "divergence": {"mean": divergence.mean(), "max": divergence.max()},
            }
        )
    return {"name": name, "layers": layers}


def main():
    reference = {
        "moments": moment_cases(),
        "demo": {
            "first_sample": FIRST,
            "hop": HOP,
            "window": WINDOW,
            "windows": WINDOWS,
            "half_life": HALF_LIFE,
            "gain": 2,
            "wander_millivolt": 0.5,
            "wander_hertz": 0.25,
            "rate": RATE,
            "clean": demo_case("clean", lambda x, t: x),
            "changed": demo_case("changed", lambda x, t: 2 * x + 0.5 * np.sin(2 * np.pi * 0.25 * t)),
        },
    }
    (HERE / "reference.json").write_text(json.dumps(reference) + "\n")
    for case in ("clean", "changed"):
        for layer in reference["demo"][case]["layers"]:
            print(case, layer["name"], {k: round(layer[k]["mean"], 4) for k in ("mean_shift", "variance_ratio", "divergence")})


if __name__ == "__main__":
    main()
