"""From a network to a version in a model repository."""
import dataclasses
import pathlib
import re
import tempfile

import onnx

from stillwave.export import folded_statistics, graph_check, model_repository
from stillwave.export.batch_norm_layer import layers_in_order
from stillwave.export.errors import ExportError

BATCHNORM = ("keep", "folded")
TIME = ("auto", "open", "fixed")


@dataclasses.dataclass(frozen=True)
class Exported:
    """What was written."""

    folder: pathlib.Path  # of the version
    exporter: str
    signature: object  # probe.Signature
    kept_layers: tuple  # names of the layers that are nodes of the file
    folded_layers: tuple  # of those that were folded and are described in the file
    lost_layers: tuple  # of those that were folded and are not: they cannot be watched
    verification: object  # verification.Verification, or None


def export(network, example_input, repository, name, *, version=1, opset=None, exporter="auto", batchnorm="keep",
           time="auto", input_names=None, output_names=None, max_batch_size=32, parameters=None, verify="none"):
    """Writes REPOSITORY/NAME/VERSION/model.onnx and, where there is none, config.pbtxt. Returns an Exported.

    network         torch.nn.Module in evaluation mode, float32, on the CPU
    example_input   a tensor, or a tuple of them for several inputs; {N, C, T} for a series
    opset           of the file; the default is what the exporter writes best
    exporter        'torchscript', 'dynamo', or 'auto': torchscript
    batchnorm       'keep': every BatchNorm is a node of the file. 'folded': as exporters do by default, with the
                    statistics of folded layers in the file's metadata
    time            'open': requests choose the length. 'fixed': the example's. 'auto': open where the network allows
    max_batch_size, parameters
                    for config.pbtxt; parameters such as {'drift_sample_rate': 0.01}
    verify          'none'; HOST:PORT of a server that follows the repository; or a stillwave-server program, which is
                    started on the new version before it is put into the repository

    Raises ExportError with reason and cure, and leaves the repository as it was, except when a server at HOST:PORT is
    what differs: it must have the version to be asked.
    """
    # They import torch, which the rest of the package does without.
    from stillwave.export import exporters, frozen, probe

    for what, value, allowed in (("batchnorm", batchnorm, BATCHNORM), ("time", time, TIME)):
        if value not in allowed:
            raise ExportError(f"{what} must be one of {', '.join(allowed)}; was {value!r}")
    model_repository.check_place(repository, name, version)
    exporter = exporters.choose(exporter)
    example = probe.as_inputs(example_input)
    frozen.check_frozen(network)
    probe.check_samples_are_independent(network, example)

    signature, kept = _convert(network, example, time, exporter, opset, input_names, output_names)
    layers = layers_in_order(network, example)
    missing = graph_check.name_layers(kept, layers)
    if missing:
        raise ExportError(f"the {exporter} exporter left out {', '.join(layer.name for layer in missing)} although it "
                          "was told to keep batch normalization; try the other exporter, or batchnorm='folded'")
    model, folded = kept, []
    if batchnorm == "folded":
        model = exporters.to_onnx(network, example, signature, exporter, opset, keep=False)
        graph_check.check_frozen(model)
        graph_check.check_open_axes(model, signature)
        missing = [layer.name for layer in graph_check.name_layers(model, layers)]
        folded = folded_statistics.describe(kept, model)
    onnx.checker.check_model(model)

    window = {}
    if signature.time_is_open:
        window["window_length"] = probe.time_length(example)
    config = model_repository.config_text(name, model, max_batch_size, {**window, **(parameters or {})})
    lost = tuple(one for one in missing if one not in folded) if batchnorm == "folded" else ()
    exported = Exported(pathlib.Path(repository) / name / str(version), exporter, signature,
                        tuple(layer.name for layer in layers if layer.name not in folded and layer.name not in lost),
                        tuple(folded), lost, None)
    return _write_and_verify(exported, model, config, network, example, verify)


def _convert(network, example, time, exporter, opset, input_names, output_names):
    """(signature, model with its layers): with an open time axis where that is asked for, or works."""
    from stillwave.export import exporters, probe

    def with_time(is_open):
        signature = probe.signature_of(network, example, is_open, input_names, output_names)
        model = exporters.to_onnx(network, example, signature, exporter, opset, keep=True)
        graph_check.check_frozen(model)
        graph_check.check_open_axes(model, signature)
        return signature, model

    if time == "fixed" or (time == "auto" and not probe.works_at_another_length(network, example)):
        return with_time(False)
    if time == "open":
        if not probe.works_at_another_length(network, example):
            raise ExportError("time='open' needs a network that takes other lengths than the example's")
        return with_time(True)
    try:
        return with_time(True)
    except ExportError:
        return with_time(False)  # raises again what has nothing to do with the length


def _write_and_verify(exported, model, config, network, example, verify):
    repository, name = exported.folder.parents[1], exported.folder.parent.name
    version = int(exported.folder.name)
    if verify == "none":
        model_repository.write(repository, name, version, model, config)
        return exported

    from stillwave.export import verification
    from stillwave.export.served_model import ServedModel
    from stillwave.export.server_process import ServerProcess

    def ask(address):
        with ServedModel(address, name, version) as served:
            served.load()
            served.wait_until_ready()
            return verification.verify(served, network, example, exported.signature)

    if re.fullmatch(r".+:\d+", verify):
        model_repository.write(repository, name, version, model, config)
        return dataclasses.replace(exported, verification=ask(verify))
    with tempfile.TemporaryDirectory() as trial:
        model_repository.write(trial, name, version, model, config)
        with ServerProcess(verify, trial) as server:
            result = ask(server.address)
    model_repository.write(repository, name, version, model, config)
    return dataclasses.replace(exported, verification=result)
