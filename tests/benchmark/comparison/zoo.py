"""The models of a folder, and the lengths to run them at."""

import json
import pathlib


BATCHES = (1, 8, 32)


class Case:
    """One model at one length. `counts` is false for what is shown but is no part of the means."""

    def __init__(self, name, path, length, batches=BATCHES, counts=True):
        self.name = name
        self.path = path
        self.length = length
        self.batches = batches
        self.counts = counts

    def length_flags(self):
        return ["--length", str(self.length)] if self.length else []


def case_length(folder):
    """What the first case of cases.json has on the first axis after the batch that the model leaves open, or 0."""
    try:
        cases = json.loads((folder / "cases.json").read_text())
        declared = cases["graph_inputs"][0]["shape"]
        given = cases["cases"][0]["inputs"][0]
    except (OSError, ValueError, LookupError, TypeError):
        return 0
    for axis in range(1, len(declared)):
        if not isinstance(declared[axis], int):
            return given[axis]
    return 0


def find_cases(models):
    """One case a model, and the FCN at a length of real recordings, to be compared with the core's peak."""
    cases = []
    for folder in sorted(pathlib.Path(models).iterdir()):
        if not (folder / "model.onnx").is_file():
            continue
        length = case_length(folder)
        cases.append(Case(folder.name, folder / "model.onnx", length))
        if folder.name == "fcn":
            cases.append(Case("fcn, 1024 steps", folder / "model.onnx", 1024, batches=(1,), counts=False))
    return cases
